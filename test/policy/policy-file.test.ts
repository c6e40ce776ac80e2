import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { policyJsonSchema } from "../../policy/policy-schema.ts";
import { policyOf, problemOf } from "./policy-support.ts";

const rule = { name: "leaks", action: "drop" };
const file = (differences: object): object => ({ version: 1, name: "test", rules: [rule], ...differences });
const withRule = (differences: object): object =>
  file({ rules: [rule, { ...rule, name: "second", ...differences }] });

test.each([
  [[], "policy.json: expected an object, got []"],
  [file({ version: 2 }), "policy.json: version: unknown version 2; one of 1"],
  [
    withRule({ action: "dropp" }),
    'policy.json: rules[1].action: unknown action "dropp"; one of accept, drop, reject, alter, strip',
  ],
  [
    withRule({ categroy: ["leak"] }),
    'policy.json: rules[1]: unknown key "categroy"; one of name, description, category, activity, severity, elapsed, direction, arrivesOn, leavesBy, destination, trust, action, mirror, notify',
  ],
  [
    withRule({ category: ["leaks"] }),
    'policy.json: rules[1].category[0]: unknown category "leaks"; one of malware, leak, operator-error, suspicious, botnet, attack, or 0 to 255',
  ],
  [
    withRule({ activity: ["operator-error/none"] }),
    /^policy\.json: rules\[1\]\.activity\[0\]: unknown activity "operator-error\/none"; one of operator-error\/[a-z-]+/,
  ],
  [
    withRule({ severity: ["hgih"] }),
    'policy.json: rules[1].severity[0]: unknown severity "hgih"; one of info, low, medium, high, critical',
  ],
  [
    withRule({ elapsed: { atLeast: 60, lessThan: 60 } }),
    "policy.json: rules[1].elapsed: lessThan is 60, expected more than atLeast, which is 60",
  ],
  [
    withRule({ destination: ["10.0.0.1/8"] }),
    'policy.json: rules[1].destination[0]: "10.0.0.1/8" has bits set behind its prefix; the network is 10.0.0.0/8; expected one such as 10.0.0.0/8, fd00::/8 or 10.1.2.3',
  ],
  [withRule({ name: "leaks" }), 'policy.json: rules[1].name: duplicate name "leaks"'],
  [
    withRule({ name: "default" }),
    'policy.json: rules[1].name: "default" is reserved, as are default, trusted-network, never-block, unstrippable, unreadable',
  ],
  [
    withRule({ arrivesOn: ["eth0; reboot"] }),
    'policy.json: rules[1].arrivesOn[0]: "eth0; reboot" is not allowed here; expected names of interfaces',
  ],
  [
    withRule({ mirror: true }),
    "policy.json: rules[1].mirror: needs mirrorTo with the address of the analysis host",
  ],
  [
    withRule({ action: "alter" }),
    "policy.json: rules[1].action: alter needs outside with the interfaces across the border",
  ],
  [file({ kinds: [252] }), "policy.json: kinds[0]: 252 is none of the allowed values; one of 253, 254"],
  [
    withRule({ category: ["malware"], activity: ["leak/1"] }),
    "policy.json: rules[1]: no activity satisfies its category, activity and severity together",
  ],
])("%j is refused", (content, problem) => {
  const actual = problemOf(content);
  if (problem instanceof RegExp) expect(actual).toMatch(problem);
  else expect(actual).toBe(problem);
});

test("names and numbers of the code book mean the same", () => {
  const [byName] = policyOf([{ ...rule, category: ["leak"], severity: ["critical", "high"] }]).rules;
  const [byNumber] = policyOf([{ ...rule, category: [2], severity: ["high", "critical"] }]).rules;
  expect(byName?.codes).toEqual(byNumber?.codes);
});

test("the published schema is the one that the code checks with", () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL("../../policy/policy.schema.json", import.meta.url), "utf8"),
  );
  expect(published).toEqual(policyJsonSchema());
});
