import { expect, test } from "vitest";
import { explain } from "../../policy/explain.ts";
import { factsOf, policyOf } from "./policy-support.ts";

const now = 1_700_000_000;
const leak = { detectedAt: now - 700, category: 2, activity: 1 };
const malware = { detectedAt: now - 60, category: 1, activity: 1 };

test("each rule before the deciding one says what kept it from deciding", () => {
  const policy = policyOf([
    { name: "fresh-leak", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop" },
    { name: "inbound", direction: "inbound", trust: "lone", action: "drop" },
    { name: "any-leak", category: ["leak"], action: "reject" },
    { name: "never-asked", action: "accept" },
  ]);
  expect(explain(policy, factsOf([leak, malware]), now)).toEqual({
    verdict: { action: "reject", rule: "any-leak", stripped: false, mirror: false, notify: false },
    rules: [
      {
        name: "fresh-leak",
        matches: false,
        reasons: ["record 1 (2/1): its detection was 700 s ago", "record 2 (1/1): its activity is another"],
      },
      { name: "inbound", matches: false, reasons: ["direction does not hold", "trust does not hold"] },
      { name: "any-leak", matches: true, reasons: [] },
    ],
  });
});

test("an unmarked packet is none of a rule's business", () => {
  const { verdict, rules } = explain(policyOf([{ name: "any", action: "drop" }]), factsOf([]), now);
  expect(verdict).toEqual({ action: "accept", stripped: false, mirror: false, notify: false });
  expect(rules).toEqual([{ name: "any", matches: false, reasons: ["the packet is not marked"] }]);
});
