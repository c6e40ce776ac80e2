import { expect, test } from "vitest";
import { renewalFor, rulesetFor } from "../../live-agent/enforcement/ruleset.ts";
import type { EnforcementSettings } from "../../live-agent/enforcement/enforcement-settings.ts";
import { planElapsed } from "../../live-agent/enforcement/elapsed-plan.ts";
import { decide } from "../../policy/decide.ts";
import { readPacketFacts } from "../../policy/packet-facts.ts";
import type { Action } from "../../policy/policy.ts";
import { seededRandom } from "../fuzz/random.ts";
import type { Random } from "../fuzz/random.ts";
import { policyOf } from "../policy/policy-support.ts";
import { parseAddress } from "../../wire/address.ts";
import { passPacket } from "../support/rule-machine.ts";
import { markOption, tcpPacket } from "../support/segment.ts";

const compiledAt = 1_700_000_000;
const settings: EnforcementSettings = {
  hooks: ["FORWARD"],
  markShift: 22,
  log: { group: 7 },
  leaseSeconds: 60,
};
const ip = { source: "10.1.0.2", destination: "10.2.0.2" };
const path = { arrivesOn: "lan0", leavesBy: "wan0", established: true };
const leak = { category: 2, activity: 1 };

/** How much each action holds back. */
const strictness: Readonly<Record<Action, number>> = { accept: 0, strip: 1, alter: 2, reject: 3, drop: 3 };

function rulesOf(random: Random): object[] {
  return Array.from({ length: 1 + random.below(4) }, (_, index) => {
    const atLeast = random.pick([0, 0, 30, 300, 3600]);
    const lessThan = random.pick([0, atLeast + 60, atLeast + 600, atLeast + 7200]);
    return {
      name: `rule-${index}`,
      category: [random.pick([1, 2])],
      elapsed: { atLeast, ...(lessThan === 0 ? {} : { lessThan }) },
      action: random.pick(["accept", "drop", "reject", "alter", "strip"]),
    };
  });
}

test(
  "whatever the policy and however long the agent is dead, rules hold back at least what decide() does",
  { timeout: 240_000 },
  () => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round++) {
      const policy = policyOf(rulesOf(random));
      const ruleset = rulesetFor(policy, settings, 4, compiledAt);
      for (let packet = 0; packet < 20; packet++) {
        const time = compiledAt + 61 + random.pick([0, 1, 30, 300, 3600, 86_400, 10_000_000]);
        const records = Array.from({ length: 1 + random.below(3) }, () => ({
          detectedAt:
            time - random.pick([-100, 0, 29, 30, 59, 60, 299, 300, 600, 3600, 4000, 8000, 1_000_000]),
          category: random.pick([1, 2]),
          activity: 1,
        }));
        const octets = tcpPacket(ip, { sourcePort: 1, destinationPort: 2, options: markOption(records) });
        const facts = readPacketFacts(octets, path, policy);
        const verdict = facts && decide(policy, facts, time);
        const outcome = passPacket(ruleset, { ...path, ...addresses, octets, time });
        const action = (outcome.label?.split(":")[1] ?? "accept") as Action;
        const situation = JSON.stringify({ rules: policy.rules, records, time, verdict, outcome });
        expect(strictness[action], situation).toBeGreaterThanOrEqual(strictness[verdict?.action ?? "accept"]);
      }
    }
  },
);

const addresses = { source: parseAddress(ip.source), destination: parseAddress(ip.destination) };

test("an hour after the agent was killed, a new detection is still dropped", () => {
  const policy = policyOf([
    { name: "fresh", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop" },
  ]);
  const ruleset = rulesetFor(policy, settings, 4, compiledAt);
  const time = compiledAt + 3600;
  const options = markOption([{ detectedAt: time, ...leak }]);
  const octets = tcpPacket(ip, { sourcePort: 1, destinationPort: 2, options });
  expect(passPacket(ruleset, { ...path, ...addresses, octets, time })).toMatchObject({
    label: "tattle:drop:fresh",
    dropped: true,
  });
});

test.each([
  // Constants stay where they hold back more with time; elsewhere the lease ends them.
  [
    "drop",
    { lessThan: 600 },
    [{ when: "always", drops: false, times: { first: 1_699_999_401, last: 0xffffffff } }],
  ],
  [
    "drop",
    { atLeast: 600 },
    [
      { when: "during lease", drops: false, times: { first: 0, last: 1_699_999_400 } },
      { when: "after lease", drops: false, times: { first: 0, last: 0xffffffff } },
    ],
  ],
  ["accept", { atLeast: 600 }, [{ when: "always", drops: false, times: { first: 0, last: 1_699_999_400 } }]],
  [
    "accept",
    { lessThan: 600 },
    [{ when: "during lease", drops: false, times: { first: 1_699_999_401, last: 0xffffffff } }],
  ],
  [
    "strip",
    { lessThan: 600 },
    [
      { when: "during lease", drops: false, times: { first: 1_699_999_401, last: 0xffffffff } },
      { when: "after lease", drops: true, times: { first: 1_699_999_401, last: 0xffffffff } },
    ],
  ],
])("%s with elapsed %j", (action, elapsed, plans) => {
  const [rule] = policyOf([{ name: "one", elapsed, action }]).rules;
  expect(planElapsed(rule!, compiledAt)).toEqual(plans);
});

test("a renewal holds the chains of conditions and nothing that counts", () => {
  const policy = policyOf([{ name: "fresh", elapsed: { lessThan: 600 }, action: "drop" }]);
  const renewal = renewalFor(policy, settings, 4, compiledAt);
  expect(renewal?.tables.flatMap((table) => table.chains.map((chain) => chain.name))).toEqual([
    "TATTLE-RULES",
    "TATTLE-RULES-AUTH",
  ]);
  expect(JSON.stringify(renewal)).not.toMatch(/NFLOG|comment|-j MARK/);
  expect(renewalFor(policyOf([{ name: "any", action: "drop" }]), settings, 4, compiledAt)).toBeUndefined();
});
