/**
 * A policy's rules in the kernel: applied, looked at, renewed, removed. No daemon: whoever calls decides when. The rules
 * outlive the caller, which is wanted; only `remove` takes them away.
 */
import type { Policy } from "../../policy/policy.ts";
import { detachZeroing } from "./alter.ts";
import type { AlterSettings } from "./alter.ts";
import { detachReturns } from "./alter-at-host.ts";
import { countOtherRules, programName, readTables, restore, restoreArguments } from "./iptables.ts";
import type { Iptables } from "./iptables.ts";
import { KernelError } from "./kernel-error.ts";
import type { Family } from "./packet-place.ts";
import { correct, exchangeChains, replaceChains } from "./restore-text.ts";
import { renewalFor, rulesetFor } from "./ruleset.ts";
import type { Ruleset } from "./chains.ts";
import type { EnforcementSettings } from "./enforcement-settings.ts";
import { readCounters } from "./saved-rules.ts";
import type { PresentTable } from "./saved-rules.ts";
import { attachMissingTagChecks, detachTagChecks, findMissingTagChecks } from "./tag-checking.ts";
import type { TagChecking } from "./tag-checking.ts";
import { attachMissingZeroing, detachUnneededZeroing, findMissingZeroing } from "./zeroing.ts";

export interface EnforcementPoint extends EnforcementSettings {
  readonly policy: Policy;
  readonly iptables: Iptables;
  readonly families: readonly Family[];
  /** Whether rules of the other backend are taken into the bargain. */
  readonly allowMixedBackends: boolean;
  /** What `alter` needs (alter.ts). */
  readonly alter: AlterSettings;
  /** What conditions on tags need (tag-checking.ts); without it a policy that has some is refused. */
  readonly tagChecking?: TagChecking;
}

/** What was changed, or is different. */
export interface Drift {
  /** Lines by which the rules present differ from those wanted, and programs that are missing. */
  readonly count: number;
  readonly differences: readonly string[];
  /** Jumps that were not in the first place. */
  readonly lostJumps: number;
}

/**
 * Makes the kernel's rules those of the policy at `now` (whole seconds since 1970) and says what was different.
 * Nothing happens if they are so already.
 * @throws PolicyError if the policy cannot be enforced here; KernelError if the kernel refuses
 */
export async function applyPolicy(point: EnforcementPoint, now: number): Promise<Drift> {
  return applyRules(point, compileRules(point, now));
}

/** The same with rules that were compiled before. All families are, so what cannot be enforced changes nothing. */
export async function applyRules(point: EnforcementPoint, rulesets: readonly Ruleset[]): Promise<Drift> {
  if (!point.allowMixedBackends) await refuseMixedBackends(point);
  const parts: Drift[] = [
    driftOfPrograms([...(await attachMissingTagChecks(point)), ...(await attachMissingZeroing(point))]),
  ];
  for (const wanted of rulesets) {
    const correction = correct(wanted, await readTables(point.iptables, wanted.family));
    await restore(point.iptables, wanted.family, correction.text);
    parts.push(driftOf(wanted.family, correction));
  }
  await detachUnneededZeroing(point);
  return joinDrifts(parts);
}

/** How the rules in the kernel differ from those of the policy compiled at `compiledAt`; changes nothing. */
export async function readDrift(point: EnforcementPoint, compiledAt: number): Promise<Drift> {
  return (await readState(point, compileRules(point, compiledAt))).drift;
}

/** The rules that are wanted at `now`, a set for each family. */
export function compileRules(point: EnforcementPoint, now: number): readonly Ruleset[] {
  return point.families.map((family) => rulesetFor(point.policy, point, family, now));
}

/** Packets and octets by verdict and rule (`tattle:drop:leaks`), exact whatever was sampled out of the events. */
export type VerdictCounters = Map<string, { packets: number; octets: number }>;

/** Drift from the rules that are wanted, and counters, in one reading: what is looked at every second. */
export async function readState(
  point: EnforcementPoint,
  rulesets: readonly Ruleset[],
): Promise<{ readonly drift: Drift; readonly counters: VerdictCounters }> {
  const parts: Drift[] = [driftOfPrograms(await findMissingPrograms(point))];
  const counters: VerdictCounters = new Map();
  for (const wanted of rulesets) {
    const present = await readTables(point.iptables, wanted.family);
    parts.push(driftOf(wanted.family, correct(wanted, present)));
    addCounters(counters, present.mangle);
  }
  return { drift: joinDrifts(parts), counters };
}

/** Replaces the time constants, and nothing that counts. Whether there were any. */
export async function renewTimes(point: EnforcementPoint, now: number): Promise<boolean> {
  const rulesets = compileRules(point, now);
  return (await renewRules(point, rulesets, now)) !== rulesets;
}

/** The same for rules that were compiled before; gives them with the new constants, or as they are if there are none. */
export async function renewRules(
  point: EnforcementPoint,
  rulesets: readonly Ruleset[],
  now: number,
): Promise<readonly Ruleset[]> {
  const renewed: Ruleset[] = [];
  for (const ruleset of rulesets) {
    const renewal = renewalFor(point.policy, point, ruleset.family, now);
    if (!renewal) return rulesets;
    await restore(point.iptables, ruleset.family, replaceChains(renewal));
    renewed.push(exchangeChains(ruleset, renewal));
  }
  return renewed;
}

/** Leaves not one rule of ours, nor a program; says what was there. */
export async function removeRules(
  point: Pick<EnforcementPoint, "iptables" | "families" | "tagChecking">,
): Promise<Drift> {
  const parts: Drift[] = [];
  for (const family of point.families) {
    const correction = correct({ family, tables: [] }, await readTables(point.iptables, family));
    await restore(point.iptables, family, correction.text);
    parts.push(driftOf(family, correction));
  }
  await detachZeroing(point.iptables.run);
  await detachReturns(point.iptables.run);
  await detachTagChecks(point.iptables.run, point.tagChecking?.pinFolder);
  return joinDrifts(parts);
}

export async function readVerdictCounters(
  point: Pick<EnforcementPoint, "iptables" | "families">,
): Promise<VerdictCounters> {
  const counters: VerdictCounters = new Map();
  for (const family of point.families) {
    addCounters(counters, (await readTables(point.iptables, family)).mangle);
  }
  return counters;
}

function addCounters(sums: VerdictCounters, table: PresentTable): void {
  for (const [label, { packets, octets }] of readCounters(table)) {
    const sum = sums.get(label) ?? { packets: 0, octets: 0 };
    sums.set(label, { packets: sum.packets + packets, octets: sum.octets + octets });
  }
}

/** The exact text that `applyPolicy` would hand to the programs now; comments name them. */
export async function describeChanges(point: EnforcementPoint, now: number): Promise<string> {
  const missing = await findMissingPrograms(point);
  const parts = missing.map((line) => `# put right before the rules come: ${line}\n`);
  for (const family of point.families) {
    const wanted = rulesetFor(point.policy, point, family, now);
    const { text } = correct(wanted, await readTables(point.iptables, family));
    const program = programName(point.iptables.backend, family, "restore");
    parts.push(`# ${program} ${restoreArguments(point.iptables).join(" ")}\n${text}`);
  }
  return parts.join("");
}

async function refuseMixedBackends(point: EnforcementPoint): Promise<void> {
  for (const family of point.families) {
    const rules = await countOtherRules(point.iptables, family);
    if (rules === 0) continue;
    const other = point.iptables.backend === "nft" ? "legacy" : "nft";
    throw new KernelError(
      `the ${other} backend holds ${rules} ${family === 4 ? "IPv4" : "IPv6"} rules, and this is the ${point.iptables.backend} backend: both would act; enforce with backend ${other}, or allow mixed backends`,
      `${programName(other, family, "save")} lists them`,
    );
  }
}

async function findMissingPrograms(point: EnforcementPoint): Promise<string[]> {
  return [...(await findMissingTagChecks(point)), ...(await findMissingZeroing(point))];
}

function driftOfPrograms(differences: readonly string[]): Drift {
  return { count: differences.length, differences, lostJumps: 0 };
}

function driftOf(
  family: Family,
  { differences, lostJumps }: { readonly differences: readonly string[]; readonly lostJumps: number },
): Drift {
  return {
    count: differences.length,
    differences: differences.map((line) => `IPv${family} ${line}`),
    lostJumps,
  };
}

function joinDrifts(parts: readonly Drift[]): Drift {
  return {
    count: parts.reduce((sum, part) => sum + part.count, 0),
    differences: parts.flatMap((part) => part.differences),
    lostJumps: parts.reduce((sum, part) => sum + part.lostJumps, 0),
  };
}
