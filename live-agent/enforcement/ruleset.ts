/**
 * The rules that a policy wants in the kernel, as plain data: chains of our own and the jumps that lead to them.
 * Rules are text in the notation and order of iptables-save, so that wanted and present can be compared as text.
 */
import type { Policy } from "../../policy/policy.ts";
import { PolicyError } from "../../policy/policy-error.ts";
import type { Ruleset, Table } from "./chains.ts";
import type { EnforcementSettings, Hook } from "./enforcement-settings.ts";
import { findChains } from "./find-chains.ts";
import { fieldValue, orders } from "./packet-place.ts";
import type { Family } from "./packet-place.ts";
import { conditionChains } from "./condition-chains.ts";
import { chainNames } from "./chain-names.ts";
import { verdictChains } from "./verdict-chains.ts";

/**
 * The rules for one family at `now`, whole seconds since 1970.
 * @throws PolicyError if a rule cannot work at these hooks.
 */
export function rulesetFor(
  policy: Policy,
  settings: EnforcementSettings,
  family: Family,
  now: number,
): Ruleset {
  refuseImpossible(policy, settings);
  const { markShift, hooks } = settings;
  const mangle: Table = {
    name: "mangle",
    chains: [
      ...findChains(policy, settings, family),
      ...conditionChains(policy, settings, family, now),
      ...verdictChains(policy, settings, family),
    ],
    jumps: hooks.map((from) => ({ from, rule: `-p tcp -j ${chainNames.entry}` })),
  };
  if (!policy.rules.some((rule) => rule.action === "reject")) return { family, tables: [mangle] };
  const isOrdered = `-p tcp -m mark --mark ${fieldValue(orders.reject, markShift)}`;
  const filter: Table = {
    name: "filter",
    chains: [{ name: chainNames.reject, rules: ["-p tcp -j REJECT --reject-with tcp-reset"] }],
    // The reject target works in the filter table only, so the verdict travels there in the packet mark.
    jumps: hooks.map((from) => ({ from, rule: `${isOrdered} -j ${chainNames.reject}` })),
  };
  return { family, tables: [withoutEscape(mangle, isOrdered, hooks), filter] };
}

/** Other programs flush the filter table; a packet that was to be rejected then goes no further than this. */
function withoutEscape(mangle: Table, isOrdered: string, hooks: readonly Hook[]): Table {
  if (!hooks.includes("FORWARD")) return mangle;
  const jump = { from: "POSTROUTING", rule: `${isOrdered} -j ${chainNames.unrejected}` };
  const chain = { name: chainNames.unrejected, rules: ["-j DROP"] };
  return { ...mangle, chains: [...mangle.chains, chain], jumps: [...mangle.jumps, jump] };
}

/** The chains that hold time constants, and no counters of verdicts; none if the policy has no such condition. */
export function renewalFor(
  policy: Policy,
  settings: EnforcementSettings,
  family: Family,
  now: number,
): Ruleset | undefined {
  if (!policy.rules.some((rule) => rule.elapsed)) return undefined;
  const chains = conditionChains(policy, settings, family, now);
  return { family, tables: [{ name: "mangle", chains, jumps: [] }] };
}

function refuseImpossible(policy: Policy, settings: EnforcementSettings): void {
  if (!settings.hooks.includes("INPUT") || settings.hooks.length > 1) return;
  for (const [index, rule] of policy.rules.entries()) {
    const field = rule.leavesBy ? "leavesBy" : rule.direction === "outbound" ? "direction" : undefined;
    if (field) {
      throw new PolicyError(
        `policy "${policy.name}": rules[${index}].${field}: packets that a host receives leave by no interface; use arrivesOn, or enforce on a router`,
      );
    }
  }
}
