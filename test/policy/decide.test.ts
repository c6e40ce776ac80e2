import { expect, test } from "vitest";
import { decide } from "../../policy/decide.ts";
import { detectionTimes } from "../../policy/elapsed.ts";
import { parsePolicy } from "../../policy/policy-file.ts";
import { parseAddress } from "../../wire/address.ts";
import { codeBook, defaultPolicyFile, factsOf, policyOf } from "./policy-support.ts";

const now = 1_700_000_000;
const leak = { detectedAt: now - 60, category: 2, activity: 1 };
const malware = { detectedAt: now - 7200, category: 1, activity: 1 };

test("the shipped default only observes", () => {
  const policy = parsePolicy(defaultPolicyFile, "policy.default.json", codeBook);
  expect(decide(policy, factsOf([leak, malware]), now)).toEqual({
    action: "accept",
    rule: "default",
    stripped: false,
    mirror: false,
    notify: false,
  });
});

test("the first rule that matches decides, whatever comes after", () => {
  const policy = policyOf([
    { name: "malware", category: ["malware"], action: "accept", notify: true },
    { name: "leaks", category: ["leak"], action: "drop" },
  ]);
  expect(decide(policy, factsOf([leak, malware]), now)).toMatchObject({
    action: "accept",
    rule: "malware",
    notify: true,
  });
  expect(decide(policy, factsOf([leak]), now)).toMatchObject({
    action: "drop",
    rule: "leaks",
    notify: false,
  });
});

test("conditions met by different records do not add up to a match", () => {
  const policy = policyOf([
    { name: "fresh-malware", category: ["malware"], elapsed: { lessThan: 600 }, action: "drop" },
  ]);
  expect(decide(policy, factsOf([leak, malware]), now).action).toBe("accept");
  expect(decide(policy, factsOf([{ ...malware, detectedAt: now - 599 }]), now).action).toBe("drop");
  expect(decide(policy, factsOf([{ ...malware, detectedAt: now - 600 }]), now).action).toBe("accept");
});

test("a detection in the future counts as just made", () => {
  const policy = policyOf([{ name: "fresh", elapsed: { lessThan: 1 }, action: "drop" }]);
  expect(decide(policy, factsOf([{ ...leak, detectedAt: now + 100_000 }]), now).action).toBe("drop");
  expect(detectionTimes({ atLeast: 0, lessThan: 60 }, now)).toEqual({ first: now - 59, last: 0xffffffff });
  expect(detectionTimes({ atLeast: 60 }, now)).toEqual({ first: 0, last: now - 60 });
  expect(detectionTimes({ atLeast: 60 }, 30)).toBeUndefined();
});

test("packets to a trusted network keep their marks and pass every rule", () => {
  const policy = policyOf([{ name: "all", action: "drop" }], {
    trustedNetworks: ["192.0.2.0/24"],
    stripAtEgress: true,
  });
  expect(decide(policy, factsOf([leak]), now)).toMatchObject({
    action: "accept",
    rule: "trusted-network",
    stripped: false,
  });
  expect(decide(policy, factsOf([leak], { destination: parseAddress("192.0.3.9") }), now).action).toBe(
    "drop",
  );
});

test("a host on the never-block list passes, but its marks stay inside", () => {
  const policy = policyOf([{ name: "all", action: "drop" }], {
    neverBlock: ["10.1.0.2"],
    stripAtEgress: true,
  });
  expect(decide(policy, factsOf([leak]), now)).toMatchObject({
    action: "accept",
    rule: "never-block",
    stripped: true,
  });
  const foreign = factsOf([leak], { isStrippable: false });
  expect(decide(policy, foreign, now)).toMatchObject({ action: "accept", stripped: false });
});

test("a mark beside a foreign option of its kind is dropped at egress, not stripped", () => {
  const policy = policyOf([], { stripAtEgress: true });
  expect(decide(policy, factsOf([leak]), now)).toMatchObject({
    action: "accept",
    rule: "default",
    stripped: true,
  });
  const foreign = factsOf([leak], { isStrippable: false });
  expect(decide(policy, foreign, now)).toMatchObject({ action: "drop", rule: "unstrippable" });
  expect(decide(policy, { ...foreign, leavesBy: "lan1" }, now)).toMatchObject({
    action: "accept",
    stripped: false,
  });
});

test("a mark without records matches no rule and is not told, but stays inside", () => {
  const rules = [{ name: "all", action: "drop" }];
  const policy = policyOf(rules, { stripAtEgress: true, trustedNetworks: ["198.51.100.0/24"] });
  const facts = factsOf([], { isRecordless: true });
  expect(decide(policy, facts, now)).toEqual({
    action: "accept",
    stripped: true,
    mirror: false,
    notify: false,
  });
  expect(decide(policyOf(rules), facts, now).stripped).toBe(false);
  expect(decide(policy, { ...facts, leavesBy: "lan1" }, now).stripped).toBe(false);
  const trusted = { ...facts, destination: parseAddress("198.51.100.7") };
  expect(decide(policy, trusted, now).stripped).toBe(false);
  const foreign = { ...facts, isStrippable: false };
  expect(decide(policy, foreign, now)).toMatchObject({ action: "drop", rule: "unstrippable" });
});

test("a payload that nothing can zero does not leave", () => {
  const policy = policyOf([{ name: "zero", action: "alter" }]);
  expect(decide(policy, factsOf([leak]), now)).toMatchObject({ action: "alter", rule: "zero" });
  expect(decide(policy, factsOf([leak], { leavesBy: "lan1" }), now)).toMatchObject({
    action: "drop",
    rule: "zero",
  });
  // For this host: the interface that it came by counts.
  const { leavesBy: _, ...staying } = factsOf([leak]);
  expect(decide(policy, { ...staying, arrivesOn: "wan0" }, now)).toMatchObject({ action: "alter" });
  expect(decide(policy, { ...staying, arrivesOn: "lan0" }, now)).toMatchObject({ action: "drop" });
});

test("direction, interfaces, destination and trust must all hold", () => {
  const policy = policyOf([
    {
      name: "out",
      direction: "outbound",
      arrivesOn: ["lan0"],
      destination: ["192.0.2.0/24", "2001:db8::/32"],
      trust: "lone",
      action: "drop",
    },
  ]);
  const lone = factsOf([leak], { established: false });
  expect(decide(policy, lone, now).action).toBe("drop");
  expect(decide(policy, { ...lone, established: true }, now).action).toBe("accept");
  expect(decide(policy, { ...lone, leavesBy: "lan1" }, now).action).toBe("accept");
  expect(decide(policy, { ...lone, arrivesOn: "lan1" }, now).action).toBe("accept");
  expect(decide(policy, { ...lone, destination: parseAddress("198.51.100.1") }, now).action).toBe("accept");
  expect(decide(policy, { ...lone, destination: parseAddress("2001:db8::1") }, now).action).toBe("drop");
});

test("verified and invalid are about the tag; where nobody looked they are met if that enforces", () => {
  const policy = policyOf([
    { name: "forged", trust: "invalid", action: "accept" },
    { name: "sure", trust: "verified", action: "drop" },
  ]);
  const rules = (["verified", "invalid", "no-key", "none", "unchecked"] as const).map(
    (tag) => decide(policy, factsOf([leak], { tag }), now).rule,
  );
  expect(rules).toEqual(["sure", "forged", "default", "default", "sure"]);
});

test("activities that the code book does not know are medium, and severities cover all 65,536 codes once", () => {
  const policy = policyOf([{ name: "medium", severity: ["medium"], action: "drop" }]);
  expect(decide(policy, factsOf([{ ...leak, category: 250, activity: 9 }]), now).action).toBe("drop");
  expect(decide(policy, factsOf([{ ...leak, category: 1, activity: 1 }]), now).action).toBe("accept");
  const covered = ["info", "low", "medium", "high", "critical"].flatMap((severity) => {
    try {
      return policyOf([{ name: "one", severity: [severity], action: "drop" }]).rules[0]?.codes ?? [];
    } catch {
      return [];
    }
  });
  expect(covered.reduce((sum, range) => sum + range.last - range.first + 1, 0)).toBe(65_536);
});
