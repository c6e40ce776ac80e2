/**
 * The chains of the verdicts: copy, log, count, act. A chain per rule, kept while conditions are renewed, so its
 * counters are the exact totals, whatever was sampled out of the events.
 */
import { reservedRuleNames } from "../../policy/policy.ts";
import type { Policy, PolicyRule } from "../../policy/policy.ts";
import { chainNames } from "./chain-names.ts";
import type { Family } from "./packet-place.ts";
import { dropRules, reportRules } from "./report-rules.ts";
import { clearField, whenMatched } from "./rule-text.ts";
import type { Chain, EnforcementSettings } from "./ruleset.ts";
import { isForeignHere, isHeaderCut, placeOf } from "./walk-programs.ts";

/** The chains in which packets end; `unstrippable` only if something is stripped. */
export function verdictChains(policy: Policy, settings: EnforcementSettings, family: Family): Chain[] {
  const compilation = { policy, settings, family };
  const strips = policy.stripAtEgress || policy.rules.some((rule) => rule.action === "strip");
  return [
    { name: chainNames.unmarked, rules: [clearField(settings.markShift)] },
    { name: chainNames.trusted, rules: reportRules(settings, "accept", reservedRuleNames.trusted) },
    ...neverBlockChains(compilation),
    {
      name: chainNames.default,
      rules: passRules(compilation, "accept", reservedRuleNames.default),
    },
    ...policy.rules.flatMap((rule, index) => ruleChains(compilation, rule, index)),
    ...(strips
      ? [{ name: chainNames.unstrippable, rules: dropRules(settings, reservedRuleNames.unstrippable) }]
      : []),
  ];
}

interface Compilation {
  readonly policy: Policy;
  readonly settings: EnforcementSettings;
  readonly family: Family;
}

/** A packet that goes on: at the border without its mark, if the policy keeps marks inside. */
function passRules(
  compilation: Compilation,
  action: "accept" | "alter",
  rule: string,
  whereUnstrippable: string = chainNames.unstrippable,
): string[] {
  const { policy, settings } = compilation;
  const outside = policy.stripAtEgress ? [...new Set(policy.outside)] : [];
  return [
    ...outside.flatMap((name) => foreignRules(compilation, `-o ${name} `, whereUnstrippable)),
    ...reportRules(settings, action, rule),
    ...outside.map((name) => `-o ${name} ${stripRule(policy)}`),
  ];
}

function foreignRules(
  { policy, settings, family }: Compilation,
  condition: string,
  whereUnstrippable: string,
): string[] {
  const place = placeOf(policy, settings, family);
  return [
    `${condition}${whenMatched(isHeaderCut(place), `-g ${whereUnstrippable}`)}`,
    `${condition}-j ${chainNames.foreign}`,
    `${condition}${whenMatched(isForeignHere(place), `-g ${whereUnstrippable}`)}`,
  ];
}

function stripRule(policy: Policy): string {
  return `-p tcp -j TCPOPTSTRIP --strip-options ${policy.kinds.toSorted((a, b) => a - b).join(",")}`;
}

function neverBlockChains(compilation: Compilation): Chain[] {
  const { policy, settings } = compilation;
  const name = reservedRuleNames.neverBlock;
  const rules = passRules(compilation, "accept", name, chainNames.neverBlockAsIs);
  return [
    { name: chainNames.neverBlock, rules },
    ...(policy.stripAtEgress
      ? [{ name: chainNames.neverBlockAsIs, rules: reportRules(settings, "accept", name) }]
      : []),
  ];
}

function ruleChains(compilation: Compilation, rule: PolicyRule, index: number): Chain[] {
  const { policy, settings, family } = compilation;
  const gateway = family === 4 ? policy.mirrorTo.ipv4 : policy.mirrorTo.ipv6;
  const copy = rule.mirror && gateway !== undefined ? [`-j TEE --gateway ${gateway}`] : [];
  const fallback: Chain[] =
    rule.elapsed && (rule.action === "alter" || rule.action === "strip")
      ? [{ name: chainNames.fallback(index), rules: [...copy, ...dropRules(settings, rule.name)] }]
      : [];
  const name = chainNames.verdict(index);
  switch (rule.action) {
    case "accept":
      return [{ name, rules: [...copy, ...passRules(compilation, "accept", rule.name)] }];
    case "drop":
      return [{ name, rules: [...copy, ...dropRules(settings, rule.name)] }];
    case "reject":
      return [{ name, rules: [...copy, ...reportRules(settings, "reject", rule.name)] }];
    case "strip":
      return [{ name, rules: [...copy, ...stripRules(compilation, rule.name)] }, ...fallback];
    case "alter":
      return [
        {
          name,
          rules: [
            ...copy,
            ...[...new Set(policy.outside)].map((outside) => `-o ${outside} -g ${chainNames.alter(index)}`),
            // Nothing zeroes payloads on other interfaces, so there they do not leave (policy/decide.ts).
            ...dropRules(settings, rule.name),
          ],
        },
        { name: chainNames.alter(index), rules: passRules(compilation, "alter", rule.name) },
        ...fallback,
      ];
  }
}

function stripRules(compilation: Compilation, rule: string): string[] {
  return [
    ...foreignRules(compilation, "", chainNames.unstrippable),
    ...reportRules(compilation.settings, "strip", rule),
    stripRule(compilation.policy),
  ];
}
