/**
 * The chains that hold the policy's conditions, and nothing that counts: with the time constants in them they are
 * replaced at each renewal, while the counters of the verdicts run on.
 */
import { networkVersion } from "../../policy/network.ts";
import { isAboutTag } from "../../policy/policy.ts";
import type { Policy, PolicyRule } from "../../policy/policy.ts";
import { chainNames } from "./chain-names.ts";
import { planElapsed } from "./elapsed-plan.ts";
import type { ElapsedPlan } from "./elapsed-plan.ts";
import { tagValue } from "./packet-place.ts";
import type { Family } from "./packet-place.ts";
import { isUnconditional, recordPrograms } from "./record-programs.ts";
import { matchNetwork, networkRules, trustMatches, whenMatched } from "./rule-text.ts";
import type { Chain } from "./chains.ts";
import type { EnforcementSettings } from "./enforcement-settings.ts";
import { placeOf } from "./walk-programs.ts";
import type { MarkVersion, Place } from "./walk-programs.ts";

/** One chain for each version of the mark that is read. */
export function conditionChains(
  policy: Policy,
  settings: EnforcementSettings,
  family: Family,
  now: number,
): Chain[] {
  const place = placeOf(policy, settings, family);
  const chain = (name: string, version: MarkVersion): Chain => ({
    name,
    rules: [
      ...networkRules(policy.trustedNetworks, family, `-g ${chainNames.trusted}`, "destination"),
      ...networkRules(policy.neverBlock, family, `-g ${chainNames.neverBlock}`, "both"),
      ...policy.rules.flatMap((rule, index) =>
        planElapsed(rule, now).flatMap((plan) =>
          conditionRules({ policy, settings, place, version, now }, rule, index, plan),
        ),
      ),
      `-g ${chainNames.default}`,
    ],
  });
  return [
    chain(chainNames.rules, "plain"),
    ...(policy.exid === undefined ? [] : [chain(chainNames.exidRules, "exid")]),
    chain(chainNames.authenticatedRules, "authenticated"),
  ];
}

interface Compilation {
  readonly policy: Policy;
  readonly settings: EnforcementSettings;
  readonly place: Place;
  readonly version: MarkVersion;
  readonly now: number;
}

/** Every combination of the alternatives that a rule of iptables cannot hold at once. */
function conditionRules(
  compilation: Compilation,
  rule: PolicyRule,
  index: number,
  plan: ElapsedPlan,
): string[] {
  if (!plan.times) return [];
  const target = `-g ${plan.drops ? chainNames.fallback(index) : chainNames.verdict(index)}`;
  const conditions = { codes: rule.codes, times: plan.times };
  const programs: (readonly string[])[] = isUnconditional(conditions)
    ? [[]]
    : recordPrograms(compilation.place, compilation.version, conditions).map((program) => [
        whenMatched(program, "").trimEnd(),
      ]);
  const lease = matchLease(compilation, plan);
  return pathMatches(compilation, rule).flatMap((path) =>
    matchTrust(compilation, rule).flatMap((trust) =>
      programs.map((program) => [...path, ...trust, ...program, ...lease, target].join(" ")),
    ),
  );
}

function pathMatches({ policy, place }: Compilation, rule: PolicyRule): string[][] {
  const arriving = shared(rule.arrivesOn, rule.direction === "inbound" ? policy.outside : undefined);
  const leaving = shared(rule.leavesBy, rule.direction === "outbound" ? policy.outside : undefined);
  const destinations = rule.destination?.filter((network) => networkVersion(network) === place.family);
  const networks = destinations?.map((network) => matchNetwork("-d", network)) ?? [[]];
  return networks.flatMap((network) =>
    matchInterfaces("-i", arriving).flatMap((input) =>
      matchInterfaces("-o", leaving).map((output) => [...network, ...input, ...output]),
    ),
  );
}

/** Names in both lists; an absent list holds every name. */
function shared(
  left: readonly string[] | undefined,
  right: readonly string[] | undefined,
): readonly string[] | undefined {
  return left && right ? left.filter((name) => right.includes(name)) : (left ?? right);
}

function matchInterfaces(flag: "-i" | "-o", names: readonly string[] | undefined): string[][] {
  return names ? [...new Set(names)].map((name) => [`${flag} ${name}`]) : [[]];
}

/** None if no mark of this version can meet it: only authenticated ones have a tag. */
function matchTrust({ version, settings }: Compilation, { trust, action }: PolicyRule): string[][] {
  if (trust === undefined) return [[]];
  if (!isAboutTag(trust)) return trustMatches[trust].map((match) => [match]);
  if (version !== "authenticated") return [];
  return [[`-m mark --mark ${tagValue(trust, action !== "accept", settings.markShift)}`]];
}

/** xt_time holds dates as signed 32-bit seconds. */
const lastDate = "2038-01-19T03:14:07";

function matchLease({ settings, now }: Compilation, plan: ElapsedPlan): string[] {
  const end = now + settings.leaseSeconds;
  switch (plan.when) {
    case "always":
      return [];
    case "during lease":
      return [`-m time --datestop ${date(end)}`];
    case "after lease":
      return [`-m time --datestart ${date(end + 1)} --datestop ${lastDate}`];
  }
}

function date(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}
