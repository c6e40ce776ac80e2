import { expect, test } from "vitest";
import type { EnforcementSettings } from "../../live-agent/enforcement/enforcement-settings.ts";
import { tagFindings } from "../../live-agent/enforcement/packet-place.ts";
import { rulesetFor } from "../../live-agent/enforcement/ruleset.ts";
import { decide } from "../../policy/decide.ts";
import { readPacketFacts } from "../../policy/packet-facts.ts";
import { seededRandom } from "../fuzz/random.ts";
import { policyOf } from "../policy/policy-support.ts";
import { passPacket } from "../support/rule-machine.ts";
import { randomMarkedPacket } from "../support/marked-packets.ts";
import { samplePolicies } from "../support/sample-policies.ts";

const now = 1_700_000_000;
const settings: EnforcementSettings = {
  hooks: ["FORWARD"],
  markShift: 22,
  log: { group: 7 },
  leaseSeconds: 60,
};
const routes = [
  { source: "10.1.0.2", destination: "10.2.0.2" },
  { source: "10.1.0.3", destination: "10.2.0.2" },
  { source: "10.1.0.2", destination: "10.2.0.4" },
  { source: "10.1.0.2", destination: "10.2.0.3" },
  { source: "10.1.0.2", destination: "10.1.0.9" },
  { source: "fd01::2", destination: "fd02::2" },
  { source: "fd01::3", destination: "fd02::2" },
  { source: "fd01::2", destination: "fd02::3" },
];
const tags = ["unchecked", "verified", "invalid", "no-key"] as const;
const orderBits: Readonly<Record<string, number>> = { alter: 0xffc00000, reject: 0xff800000 };
const paths = [
  { arrivesOn: "lan0", leavesBy: "wan0", established: true },
  { arrivesOn: "wan0", leavesBy: "lan0", established: false },
];

test.each(samplePolicies.map((sample, index) => ({ ...sample, number: String(index + 1), index })))(
  "chains of sample policy $number do with 5,000 packets what decide() says",
  ({ rules, settings: policySettings, index }) => {
    const policy = policyOf(rules, policySettings);
    const rulesets = { 4: rulesetFor(policy, settings, 4, now), 6: rulesetFor(policy, settings, 6, now) };
    const random = seededRandom(index + 1);
    const labels = new Map<string, number>();
    for (let number = 0; number < 5_000; number++) {
      const octets = randomMarkedPacket({
        random,
        routes,
        now,
        number,
        fragments: true,
        ...(policy.exid === undefined ? {} : { exid: policy.exid }),
      });
      const path = random.pick(paths);
      const version = (octets[0] ?? 0) >> 4 === 4 ? 4 : 6;
      const addresses =
        version === 4
          ? { source: octets.slice(12, 16), destination: octets.slice(16, 20) }
          : { source: octets.slice(8, 24), destination: octets.slice(24, 40) };
      // What the program at ingress would have found, in the two bits below the chains' field.
      const tag = random.pick(tags);
      const packetMark = tagFindings[tag === "no-key" ? "noKey" : tag] << 20;
      const outcome = passPacket(rulesets[version], { ...path, ...addresses, octets, time: now, packetMark });
      const facts = readPacketFacts(octets, path, policy, tag === "unchecked" ? undefined : () => tag);
      const verdict = facts && decide(policy, facts, now);
      const label = verdict?.rule === undefined ? undefined : `tattle:${verdict.action}:${verdict.rule}`;
      labels.set(label ?? "none", (labels.get(label ?? "none") ?? 0) + 1);
      const expected = {
        label,
        dropped: verdict?.action === "drop",
        rejected: verdict?.action === "reject",
        stripped: verdict?.stripped ?? false,
        packetMark: packetMark + (orderBits[verdict?.action ?? "accept"] ?? 0),
      };
      const { label: said, dropped, rejected, stripped, packetMark: left } = outcome;
      expect(
        { label: said, dropped, rejected, stripped, packetMark: left },
        Buffer.from(octets).toString("hex"),
      ).toEqual(expected);
    }
    // Every rule must have decided something, or the packets prove little.
    for (const rule of policy.rules) {
      expect(
        [...labels.keys()].some((label) => label.endsWith(`:${rule.name}`)),
        rule.name,
      ).toBe(true);
    }
  },
);
