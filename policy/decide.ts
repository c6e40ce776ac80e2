/**
 * What a policy does with a packet: the one truth. The rules in the kernel must agree with it on every packet
 * (test/netns/differential.test.ts); the dashboard and `tattle policy explain` ask it directly.
 */
import type { DetectionRecord } from "../wire/mark.ts";
import { codeOf, holdsCode } from "./code-range.ts";
import { isElapsedWithin } from "./elapsed.ts";
import { holdsAddress } from "./network.ts";
import type { PacketFacts } from "./packet-facts.ts";
import { reservedRuleNames } from "./policy.ts";
import type { Action, Policy, PolicyRule, Trust } from "./policy.ts";

export interface Verdict {
  readonly action: Action;
  /** Name of the rule that decided, or one of `reservedRuleNames`; absent if the packet is none of the policy's business. */
  readonly rule?: string;
  /** Whether the mark is gone from the packet that goes on. */
  readonly stripped: boolean;
  readonly mirror: boolean;
  readonly notify: boolean;
}

const untouched: Verdict = { action: "accept", stripped: false, mirror: false, notify: false };

/** The verdict on a packet at `now`, whole seconds since 1970. */
export function decide(policy: Policy, facts: PacketFacts, now: number): Verdict {
  if (!facts.isReadable) return decideUnreadable(policy, facts);
  const isTrusted = policy.trustedNetworks.some((network) => holdsAddress(network, facts.destination));
  if (facts.records.length === 0) {
    return facts.isRecordless && !isTrusted ? decideRecordless(policy, facts) : untouched;
  }
  if (isTrusted) return { ...untouched, rule: reservedRuleNames.trusted };
  return atEgress(policy, facts, decideByRules(policy, facts, now));
}

/** Without a record there is nothing to enforce and nothing to tell; but the mark stays inside, as others do. */
function decideRecordless(policy: Policy, facts: PacketFacts): Verdict {
  if (!policy.stripAtEgress || !leavesOutside(policy, facts)) return untouched;
  if (facts.isStrippable) return { ...untouched, stripped: true };
  if (isNeverBlocked(policy, facts)) return untouched;
  return { ...untouched, action: "drop", rule: reservedRuleNames.unstrippable };
}

function decideUnreadable(policy: Policy, facts: PacketFacts): Verdict {
  if (policy.unreadable === "accept" || isNeverBlocked(policy, facts)) return untouched;
  return { ...untouched, action: "drop", rule: reservedRuleNames.unreadable };
}

/** The first rule that matches, if any. */
export function findRule(policy: Policy, facts: PacketFacts, now: number): PolicyRule | undefined {
  return policy.rules.find((rule) => matches(policy, rule, facts, now));
}

function decideByRules(policy: Policy, facts: PacketFacts, now: number): Verdict {
  if (isNeverBlocked(policy, facts)) return { ...untouched, rule: reservedRuleNames.neverBlock };
  const rule = findRule(policy, facts, now);
  if (!rule) return { ...untouched, rule: reservedRuleNames.default };
  const { name, mirror, notify } = rule;
  // Payloads are zeroed at outside interfaces; where nothing is there to do it, the packet must not go on at all.
  const action = rule.action === "alter" && !isAlterable(policy, facts) ? "drop" : rule.action;
  return { action, rule: name, stripped: action === "strip", mirror, notify };
}

function isNeverBlocked(policy: Policy, facts: PacketFacts): boolean {
  return policy.neverBlock.some(
    (network) => holdsAddress(network, facts.source) || holdsAddress(network, facts.destination),
  );
}

/** Paper section 6.2: marks stay inside, unless the other side is a trusted network. */
function atEgress(policy: Policy, facts: PacketFacts, verdict: Verdict): Verdict {
  const passes = verdict.action !== "drop" && verdict.action !== "reject";
  const stripped = passes && (verdict.stripped || (policy.stripAtEgress && leavesOutside(policy, facts)));
  if (stripped && !facts.isStrippable) {
    if (verdict.rule === reservedRuleNames.neverBlock) return verdict;
    return { ...verdict, action: "drop", rule: reservedRuleNames.unstrippable, stripped: false };
  }
  return { ...verdict, stripped };
}

function isAlterable(policy: Policy, facts: PacketFacts): boolean {
  if (facts.leavesBy !== undefined) return policy.outside.includes(facts.leavesBy);
  return facts.arrivesOn !== undefined && policy.outside.includes(facts.arrivesOn);
}

function leavesOutside(policy: Policy, facts: PacketFacts): boolean {
  return facts.leavesBy !== undefined && policy.outside.includes(facts.leavesBy);
}

function matches(policy: Policy, rule: PolicyRule, facts: PacketFacts, now: number): boolean {
  return (
    pathConditions.every((condition) => condition.holds(policy, rule, facts)) &&
    facts.records.some((record) => matchesRecord(rule, record, now))
  );
}

/** One and the same record satisfies all conditions on records. */
export function matchesRecord(rule: PolicyRule, record: DetectionRecord, now: number): boolean {
  return hasCode(rule, record) && hasElapsed(rule, record, now);
}

export function hasCode(rule: PolicyRule, record: DetectionRecord): boolean {
  return holdsCode(rule.codes, codeOf(record.category, record.activity));
}

export function hasElapsed(rule: PolicyRule, record: DetectionRecord, now: number): boolean {
  return rule.elapsed === undefined || isElapsedWithin(rule.elapsed, record.detectedAt, now);
}

/** A condition on where a packet goes, by the name that it has in the policy file. */
export interface PathCondition {
  readonly name: "direction" | "arrivesOn" | "leavesBy" | "destination" | "trust";
  readonly holds: (policy: Policy, rule: PolicyRule, facts: PacketFacts) => boolean;
}

export const pathConditions: readonly PathCondition[] = [
  { name: "direction", holds: hasDirection },
  { name: "arrivesOn", holds: (_, rule, facts) => isOneOf(rule.arrivesOn, facts.arrivesOn) },
  { name: "leavesBy", holds: (_, rule, facts) => isOneOf(rule.leavesBy, facts.leavesBy) },
  {
    name: "destination",
    holds: (_, rule, facts) =>
      rule.destination?.some((network) => holdsAddress(network, facts.destination)) ?? true,
  },
  {
    name: "trust",
    holds: (_, rule, facts) => rule.trust === undefined || hasTrust(rule.trust, rule.action, facts),
  },
];

function hasTrust(trust: Trust, action: Action, { established, tag }: PacketFacts): boolean {
  switch (trust) {
    case "established":
      return established;
    case "lone":
      return !established;
    case "verified":
    case "invalid":
      // Where nobody looked the condition counts as met if that enforces: what ends the check opens no door.
      return tag === trust || (tag === "unchecked" && action !== "accept");
  }
}

function hasDirection(policy: Policy, rule: PolicyRule, facts: PacketFacts): boolean {
  if (rule.direction === undefined) return true;
  return isOneOf(policy.outside, rule.direction === "outbound" ? facts.leavesBy : facts.arrivesOn);
}

function isOneOf(wanted: readonly string[] | undefined, name: string | undefined): boolean {
  return wanted === undefined || (name !== undefined && wanted.includes(name));
}
