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

/**
 * Matches of packets of connections in which both sides have spoken, or of all others: each packet meets exactly one.
 * Conntrack's state says so as soon as anybody answered, so whoever repeats a forged SYN is in it; its status says that
 * the sender has acknowledged the answer (IPS_ASSURED of linux/netfilter/nf_conntrack_common.h).
 */
export const trustMatches = {
  established: ["-m conntrack --ctstate ESTABLISHED --ctstatus ASSURED"],
  lone: ["-m conntrack ! --ctstate ESTABLISHED", "-m conntrack --ctstate ESTABLISHED ! --ctstatus ASSURED"],
} as const;

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
