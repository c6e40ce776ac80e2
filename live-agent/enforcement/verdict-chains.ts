/**
 * The chains of the verdicts: copy, log, count, act. A chain per rule, kept while conditions are renewed, so its
 * counters are the exact totals, whatever was sampled out of the events.
 */
import { reservedRuleNames } from "../../policy/policy.ts";
import type { Policy, PolicyRule } from "../../policy/policy.ts";
import { returnGateway, returnInterface } from "./alter-at-host.ts";
import { chainNames } from "./chain-names.ts";
import { keepsRecordlessInside } from "./find-chains.ts";
import type { Family } from "./packet-place.ts";
import { dropRules, reportRules } from "./report-rules.ts";
import { clearField, networkRules, whenMatched } from "./rule-text.ts";
import type { Chain } from "./chains.ts";
import type { EnforcementSettings } from "./enforcement-settings.ts";
import { isForeignHere, isHeaderCut, placeOf } from "./walk-programs.ts";

/** The chains in which packets end; `unstrippable` only if something is stripped. */
export function verdictChains(policy: Policy, settings: EnforcementSettings, family: Family): Chain[] {
  const compilation = { policy, settings, family };
  const strips = policy.stripAtEgress || policy.rules.some((rule) => rule.action === "strip");
  return [
    ...unmarkedChains(compilation),
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

/** A packet without a mark that a rule could match; at the border its mark without records goes. */
function unmarkedChains(compilation: Compilation): Chain[] {
  const { policy, settings, family } = compilation;
  const clear = clearField(settings.markShift);
  if (!keepsRecordlessInside(policy)) return [{ name: chainNames.unmarked, rules: [clear] }];
  const leaving = [...new Set(policy.outside)].map((name) => `-o ${name} -g ${chainNames.bare}`);
  const strip = [stripRule(policy), clear];
  const asIs = `-g ${chainNames.cleared}`;
  return [
    { name: chainNames.unmarked, rules: [...leaving, clear] },
    { name: chainNames.cleared, rules: [clear] },
    {
      name: chainNames.bareFound,
      rules: [
        ...networkRules(policy.trustedNetworks, family, asIs, "destination"),
        ...networkRules(policy.neverBlock, family, `-g ${chainNames.bareAsIs}`, "both"),
        ...foreignRules(compilation, "", chainNames.unstrippable),
        ...strip,
      ],
    },
    {
      name: chainNames.bareAsIs,
      rules: [...foreignRules(compilation, "", chainNames.cleared), ...strip],
    },
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
      return [...alterChains(compilation, rule.name, index, copy), ...fallback];
  }
}

function alterChains(
  compilation: Compilation,
  rule: string,
  index: number,
  copy: readonly string[],
): Chain[] {
  const { policy, settings, family } = compilation;
  const outside = [...new Set(policy.outside)];
  const [isRouter, isHost] = [settings.hooks.includes("FORWARD"), settings.hooks.includes("INPUT")];
  const isForHost = isRouter ? "-m addrtype --dst-type LOCAL " : "";
  const leaving = isRouter ? outside.map((name) => `-o ${name} -g ${chainNames.alter(index)}`) : [];
  const staying = isHost
    ? outside.map((name) => `-i ${name} ${isForHost}-g ${chainNames.alterAtHost(index)}`)
    : [];
  const chains: Chain[] = [
    {
      name: chainNames.verdict(index),
      // Nothing zeroes payloads on other interfaces, so there they get no further (policy/decide.ts).
      rules: [...copy, ...leaving, ...staying, ...dropRules(settings, rule)],
    },
  ];
  if (isRouter) {
    chains.push({ name: chainNames.alter(index), rules: passRules(compilation, "alter", rule) });
  }
  if (isHost) {
    const returns = outside.map(
      (name, place) => `-i ${name} -j TEE --gateway ${returnGateway[family]} --oif ${returnInterface(place)}`,
    );
    const rules = [...reportRules(settings, "alter", rule), ...returns, "-j DROP"];
    chains.push({ name: chainNames.alterAtHost(index), rules });
  }
  return chains;
}

function stripRules(compilation: Compilation, rule: string): string[] {
  return [
    ...foreignRules(compilation, "", chainNames.unstrippable),
    ...reportRules(compilation.settings, "strip", rule),
    stripRule(compilation.policy),
  ];
}
