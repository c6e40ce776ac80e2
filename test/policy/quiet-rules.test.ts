/** Rules of which people will not hear, though they were to. */
import { expect, test } from "vitest";
import { quietRules } from "../../policy/quiet-rules.ts";
import { policyOf } from "./policy-support.ts";

const names = (rule: object): string[] =>
  quietRules(policyOf([{ name: "one", category: ["leak"], ...rule }])).map(({ name }) => name);

test.each([
  [{ action: "drop", notify: true }],
  [{ action: "reject", notify: true }],
  [{ action: "drop", notify: true, trust: "lone" }],
])("%j stops the packets that would prove it", (rule) => expect(names(rule)).toEqual(["one"]));

test.each([
  [{ action: "drop", notify: true, trust: "established" }],
  [{ action: "drop", notify: true, trust: "verified" }],
  [{ action: "alter", notify: true }],
  [{ action: "accept", notify: true }],
  [{ action: "drop" }],
])("%j does not", (rule) => expect(names(rule)).toEqual([]));
