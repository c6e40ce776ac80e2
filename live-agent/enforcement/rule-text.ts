/** Pieces of rules, in the notation of iptables-save. */
import { formatNetwork, networkVersion } from "../../policy/network.ts";
import type { Network } from "../../policy/network.ts";
import { bytecode } from "./classic-bpf.ts";
import type { Program } from "./classic-bpf.ts";
import { fieldValue, hex } from "./packet-place.ts";
import type { Family } from "./packet-place.ts";

/** A rule that a packet meets if the program matches it. */
export function whenMatched(program: Program, target: string): string {
  return `-m bpf --bytecode "${bytecode(program)}" ${target}`;
}

export function clearField(shift: number): string {
  return `-j MARK --set-xmark ${fieldValue(0, shift)}`;
}

/** Changes these bits of the packet mark. */
export function flip(bits: number): string {
  return `-j MARK --set-xmark ${hex(bits)}/0x0`;
}

/** Rules for packets to (and from) these networks, of the family's addresses. */
export function networkRules(
  networks: readonly Network[],
  family: Family,
  target: string,
  side: "destination" | "both",
): string[] {
  const flags = side === "both" ? (["-d", "-s"] as const) : (["-d"] as const);
  return networks
    .filter((network) => networkVersion(network) === family)
    .flatMap((network) => flags.map((flag) => [...matchNetwork(flag, network), target].join(" ")));
}

/** A prefix of no bits is every address, which iptables-save prints as nothing. */
export function matchNetwork(flag: "-d" | "-s", network: Network): string[] {
  return network.prefix === 0 ? [] : [`${flag} ${formatNetwork(network)}`];
}
