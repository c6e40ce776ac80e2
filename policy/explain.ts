/** Why a verdict is what it is: each rule up to the one that decides, and what kept those before it from deciding. */
import { elapsedSeconds } from "./elapsed.ts";
import { decide, hasCode, hasElapsed, matchesRecord, pathConditions } from "./decide.ts";
import type { Verdict } from "./decide.ts";
import type { PacketFacts } from "./packet-facts.ts";
import type { Policy, PolicyRule } from "./policy.ts";

export interface RuleExplanation {
  readonly name: string;
  readonly matches: boolean;
  /** Conditions that do not hold, and why; none if the rule matches. */
  readonly reasons: readonly string[];
}

export interface Explanation {
  readonly verdict: Verdict;
  /** In order, up to the rule that matches. Not looked at for trusted networks and the never-block list. */
  readonly rules: readonly RuleExplanation[];
}

/** The verdict at `now`, whole seconds since 1970, with its reasons. */
export function explain(policy: Policy, facts: PacketFacts, now: number): Explanation {
  const explained = policy.rules.map((rule) => explainRule(policy, rule, facts, now));
  const deciding = explained.findIndex((rule) => rule.matches);
  const rules = deciding < 0 ? explained : explained.slice(0, deciding + 1);
  return { verdict: decide(policy, facts, now), rules };
}

function explainRule(policy: Policy, rule: PolicyRule, facts: PacketFacts, now: number): RuleExplanation {
  const path = pathConditions
    .filter((condition) => !condition.holds(policy, rule, facts))
    .map((condition) => `${condition.name} does not hold`);
  const records = facts.records.some((record) => matchesRecord(rule, record, now))
    ? []
    : explainRecords(rule, facts, now);
  const reasons = [...path, ...records];
  return { name: rule.name, matches: reasons.length === 0, reasons };
}

function explainRecords(rule: PolicyRule, facts: PacketFacts, now: number): string[] {
  if (facts.records.length === 0) return ["the packet is not marked"];
  return facts.records.map((record, index) => {
    const place = `record ${index + 1} (${record.category}/${record.activity})`;
    const code = hasCode(rule, record) ? [] : ["its activity is another"];
    const elapsed = elapsedSeconds(record.detectedAt, now);
    const time = hasElapsed(rule, record, now) ? [] : [`its detection was ${elapsed} s ago`];
    return `${place}: ${[...code, ...time].join(", ")}`;
  });
}
