/**
 * The programs that zero payloads, where the policy and the hooks need them: at the egress of the outside interfaces
 * for packets that pass through (alter.ts), at interfaces that lead back for packets that stay (alter-at-host.ts).
 */
import type { Policy } from "../../policy/policy.ts";
import { attachZeroing, detachZeroing, isZeroingAttached } from "./alter.ts";
import type { AlterSettings } from "./alter.ts";
import { attachReturns, detachReturns, findMissingReturns } from "./alter-at-host.ts";
import type { RunCommand } from "./run-command.ts";
import type { Hook } from "./enforcement-settings.ts";

export interface ZeroingPlace {
  readonly policy: Policy;
  readonly hooks: readonly Hook[];
  readonly markShift: number;
  readonly alter: AlterSettings;
  readonly iptables: { readonly run: RunCommand };
}

interface Needs {
  readonly atEgress: readonly string[];
  readonly atHost: readonly string[];
}

function needsOf({ policy, hooks }: ZeroingPlace): Needs {
  const isAltering = policy.rules.some((rule) => rule.action === "alter");
  const outside = isAltering ? [...new Set(policy.outside)] : [];
  return {
    atEgress: hooks.includes("FORWARD") ? outside : [],
    atHost: hooks.includes("INPUT") ? outside : [],
  };
}

/** What the policy needs and the kernel lacks; one line each. */
export async function findMissingZeroing(place: ZeroingPlace): Promise<string[]> {
  const { run } = place.iptables;
  const { atEgress, atHost } = needsOf(place);
  const missing: string[] = [];
  for (const name of atEgress) {
    if (!(await isZeroingAttached(run, name))) missing.push(`${name}: no program zeroes payloads at egress`);
  }
  return atHost.length === 0 ? missing : [...missing, ...(await findMissingReturns(run, atHost))];
}

/**
 * Puts there what is missing, and says what was.
 * @throws KernelError if the program is missing or the kernel refuses
 */
export async function attachMissingZeroing(place: ZeroingPlace): Promise<string[]> {
  const missing = await findMissingZeroing(place);
  if (missing.length === 0) return missing;
  const { atEgress, atHost } = needsOf(place);
  const { alter, iptables, markShift } = place;
  if (atEgress.length > 0) await attachZeroing(alter, iptables.run, atEgress, markShift);
  if (atHost.length > 0) await attachReturns(alter, iptables.run, atHost, markShift);
  return missing;
}

/** Takes away what the policy does not need. */
export async function detachUnneededZeroing(place: ZeroingPlace): Promise<void> {
  const { atEgress, atHost } = needsOf(place);
  await detachZeroing(place.iptables.run, atEgress);
  await detachReturns(place.iptables.run, atHost.length);
}
