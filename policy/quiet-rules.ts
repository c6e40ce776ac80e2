/** Rules that stop what they would tell people about. */
import type { Policy, PolicyRule } from "./policy.ts";

/**
 * Rules that are to tell people, and that stop a connection from its first packet on: nobody ever answers that packet, so it
 * is lone, and a lone packet, which anybody can forge, tells people nothing. They do hear of connections that were open before.
 */
export function quietRules(policy: Policy): readonly PolicyRule[] {
  return policy.rules.filter(
    ({ notify, action, trust }) =>
      notify && (action === "drop" || action === "reject") && (trust === undefined || trust === "lone"),
  );
}
