/** Reads a policy from parsed JSON: the edge at which it is checked. Every error names the path and the allowed values. */
import type * as z from "zod";
import { parseAddress } from "../wire/address.ts";
import { defaultAuthenticatedExid } from "../wire/authenticated-format.ts";
import { findCategory, resolveActivity } from "../wire/code-book.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { tcpMarkKinds } from "../wire/mark-format.ts";
import {
  categoryRange,
  codeOf,
  everyCode,
  intersectRanges,
  severityRanges,
  uniteRanges,
} from "./code-range.ts";
import type { CodeRange } from "./code-range.ts";
import type { ElapsedRange } from "./elapsed.ts";
import { parseNetwork } from "./network.ts";
import type { Network } from "./network.ts";
import { reservedRuleNames } from "./policy.ts";
import type { Policy, PolicyRule } from "./policy.ts";
import { PolicyError } from "./policy-error.ts";
import { describeIssue } from "./policy-issue.ts";
import { policySchema } from "./policy-schema.ts";
import type { PolicyFile, RuleFile } from "./policy-schema.ts";

/** Fails at a path of the file. */
type Fail = (path: string, problem: string) => never;

/**
 * The policy in `json`, as JSON.parse gave it; names are the code book's. `file` stands in front of every error.
 * @throws PolicyError
 */
export function parsePolicy(json: unknown, file: string, book: CodeBook): Policy {
  const fail: Fail = (path, problem) => {
    throw new PolicyError(`${file}: ${path === "" ? "" : `${path}: `}${problem}`);
  };
  const parsed = policySchema.safeParse(json);
  if (!parsed.success) return failOnIssue(fail, parsed.error, json);
  const content = parsed.data;
  const policy: Policy = {
    name: content.name,
    kinds: [...new Set(content.kinds ?? tcpMarkKinds)],
    ...(content.exid === undefined ? {} : { exid: content.exid }),
    authenticatedExid: content.authenticatedExid ?? defaultAuthenticatedExid,
    outside: content.outside ?? [],
    trustedNetworks: readNetworks(fail, "trustedNetworks", content.trustedNetworks ?? []),
    neverBlock: readNetworks(fail, "neverBlock", content.neverBlock ?? []),
    stripAtEgress: content.stripAtEgress ?? false,
    unreadable: content.unreadable ?? "accept",
    mirrorTo: readMirror(fail, content.mirrorTo ?? {}),
    rules: content.rules.map((rule, index) => readRule(fail, `rules[${index}]`, rule, book)),
  };
  refuseContradictions(fail, policy);
  return policy;
}

function failOnIssue(fail: Fail, error: z.ZodError, json: unknown): never {
  const [issue] = error.issues;
  if (!issue) return fail("", "not a policy");
  const { path, problem } = describeIssue(issue, json);
  return fail(path, problem);
}

function readNetworks(fail: Fail, path: string, texts: readonly string[]): Network[] {
  return texts.map((text, index) => {
    try {
      return parseNetwork(text);
    } catch (error) {
      const problem = error instanceof RangeError ? error.message : `unknown network ${JSON.stringify(text)}`;
      return fail(`${path}[${index}]`, `${problem}; expected one such as 10.0.0.0/8, fd00::/8 or 10.1.2.3`);
    }
  });
}

function readMirror(fail: Fail, mirrorTo: NonNullable<PolicyFile["mirrorTo"]>): Policy["mirrorTo"] {
  for (const [version, octets] of [
    ["ipv4", 4],
    ["ipv6", 16],
  ] as const) {
    const text = mirrorTo[version];
    if (text !== undefined && addressOctets(text) !== octets) {
      fail(
        `mirrorTo.${version}`,
        `expected an ${version === "ipv4" ? "IPv4" : "IPv6"} address, got "${text}"`,
      );
    }
  }
  const { ipv4, ipv6 } = mirrorTo;
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}

function addressOctets(text: string): number {
  try {
    return parseAddress(text).length;
  } catch {
    return 0;
  }
}

function readRule(fail: Fail, path: string, rule: RuleFile, book: CodeBook): PolicyRule {
  const { name, direction, arrivesOn, leavesBy, trust, action } = rule;
  const elapsed = readElapsed(fail, `${path}.elapsed`, rule);
  return {
    name,
    codes: readCodes(fail, path, rule, book),
    ...(elapsed && { elapsed }),
    ...(direction && { direction }),
    ...(arrivesOn && { arrivesOn }),
    ...(leavesBy && { leavesBy }),
    ...(rule.destination && { destination: readNetworks(fail, `${path}.destination`, rule.destination) }),
    ...(trust && { trust }),
    action,
    mirror: rule.mirror ?? false,
    notify: rule.notify ?? false,
  };
}

function readCodes(fail: Fail, path: string, rule: RuleFile, book: CodeBook): readonly CodeRange[] {
  const sets: (readonly CodeRange[])[] = [];
  if (rule.category) {
    const at = (index: number): string => `${path}.category[${index}]`;
    sets.push(rule.category.map((category, index) => readCategory(fail, at(index), category, book)));
  }
  if (rule.activity) {
    const at = (index: number): string => `${path}.activity[${index}]`;
    sets.push(rule.activity.map((activity, index) => readActivity(fail, at(index), activity, book)));
  }
  if (rule.severity) sets.push(severityRanges(book, rule.severity));
  const codes = sets.map(uniteRanges).reduce<readonly CodeRange[]>(intersectRanges, everyCode);
  if (codes.length === 0) fail(path, "no activity satisfies its category, activity and severity together");
  return codes;
}

function readCategory(fail: Fail, path: string, category: string | number, book: CodeBook): CodeRange {
  const text = String(category);
  const code = /^\d{1,3}$/.test(text)
    ? Number(text)
    : book.categories.find((entry) => entry.name === text)?.code;
  if (code === undefined || code > 255) {
    const names = book.categories.map((entry) => entry.name).join(", ");
    return fail(path, `unknown category ${JSON.stringify(category)}; one of ${names}, or 0 to 255`);
  }
  return categoryRange(code);
}

function readActivity(fail: Fail, path: string, text: string, book: CodeBook): CodeRange {
  const found = resolveActivity(book, text);
  if (!found) return fail(path, `unknown activity ${JSON.stringify(text)}; ${allowedActivities(book, text)}`);
  const code = codeOf(found.category, found.activity);
  return { first: code, last: code };
}

function allowedActivities(book: CodeBook, text: string): string {
  const [categoryText = ""] = text.split("/");
  const named = book.categories.find((entry) => entry.name === categoryText);
  const category =
    named ?? (/^\d+$/.test(categoryText) ? findCategory(book, Number(categoryText)) : undefined);
  if (!category)
    return `one of ${book.categories.map((entry) => `${entry.name}/…`).join(", ")}, or numbers as 2/1`;
  const names = category.activities.map((entry) => `${category.name}/${entry.name}`).join(", ");
  return `one of ${names}, or numbers as ${category.code}/1`;
}

function readElapsed(fail: Fail, path: string, rule: RuleFile): ElapsedRange | undefined {
  if (!rule.elapsed) return undefined;
  const { atLeast = 0, lessThan } = rule.elapsed;
  if (lessThan !== undefined && lessThan <= atLeast) {
    return fail(path, `lessThan is ${lessThan}, expected more than atLeast, which is ${atLeast}`);
  }
  if (atLeast === 0 && lessThan === undefined) return undefined;
  return { atLeast, ...(lessThan === undefined ? {} : { lessThan }) };
}

function refuseContradictions(fail: Fail, policy: Policy): void {
  const reserved: readonly string[] = Object.values(reservedRuleNames);
  const seen = new Set<string>();
  if (policy.exid === policy.authenticatedExid) {
    fail("exid", `${policy.exid} is that of authenticated marks; set another authenticatedExid`);
  }
  for (const [index, rule] of policy.rules.entries()) {
    const path = `rules[${index}]`;
    if (seen.has(rule.name)) fail(`${path}.name`, `duplicate name "${rule.name}"`);
    if (reserved.includes(rule.name)) {
      fail(`${path}.name`, `"${rule.name}" is reserved, as are ${reserved.join(", ")}`);
    }
    seen.add(rule.name);
    if (rule.mirror && policy.mirrorTo.ipv4 === undefined && policy.mirrorTo.ipv6 === undefined) {
      fail(`${path}.mirror`, "needs mirrorTo with the address of the analysis host");
    }
    if (policy.outside.length > 0) continue;
    if (rule.direction) fail(`${path}.direction`, "needs outside with the interfaces across the border");
    if (rule.action === "alter")
      fail(`${path}.action`, "alter needs outside with the interfaces across the border");
  }
  if (policy.stripAtEgress && policy.outside.length === 0) {
    fail("stripAtEgress", "needs outside with the interfaces across the border");
  }
}
