/**
 * Conditions on elapsed time as constants that the agent renews, and what they become when it does not. Bounds that age
 * fail towards enforcement: a dead agent never opens a door. After the lease, which the kernel's own clock ends
 * (xt_time), a rule whose constants have aged the wrong way is replaced:
 *
 *     action         newer than (lessThan)             older than (atLeast)
 *     drop, reject   constants stay: they hold more    lifted: any age is enough
 *     accept         never matches                     constants stay: they hold less
 *     alter, strip   drops, whatever its age           drops, whatever its age
 */
import { detectionTimes, everyTime, lastSecond } from "../../policy/elapsed.ts";
import type { DetectionTimes } from "../../policy/elapsed.ts";
import type { PolicyRule } from "../../policy/policy.ts";

/** Renewal moves the constants; what is decided by them is at most this old while the agent lives. */
export const defaultRenewalSeconds = 15;
/** Three renewals may fail before the rules fall back. */
export const defaultLeaseSeconds = 60;

export interface ElapsedPlan {
  /** Detection times that match; absent: none does. */
  readonly times?: DetectionTimes;
  /** In force until the lease ends, after it, or always. */
  readonly when: "always" | "during lease" | "after lease";
  /** Whether the packet is dropped in place of the rule's own action. */
  readonly drops: boolean;
}

/** What stands for the rule's condition on elapsed time, compiled at `now`. */
export function planElapsed(rule: PolicyRule, now: number): ElapsedPlan[] {
  const { elapsed } = rule;
  if (!elapsed) return [{ times: everyTime, when: "always", drops: false }];
  const times = detectionTimes(elapsed, now);
  const exact = (when: ElapsedPlan["when"]): ElapsedPlan => ({ ...(times && { times }), when, drops: false });
  const widened = { first: detectionTimes({ ...elapsed, atLeast: 0 }, now)?.first ?? 0, last: lastSecond };
  switch (rule.action) {
    case "accept":
      return [exact(elapsed.lessThan === undefined ? "always" : "during lease")];
    case "drop":
    case "reject":
      if (elapsed.atLeast === 0) return [exact("always")];
      return [exact("during lease"), { times: widened, when: "after lease", drops: false }];
    case "alter":
    case "strip":
      return [exact("during lease"), { times: widened, when: "after lease", drops: true }];
  }
}
