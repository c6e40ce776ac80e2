/** A policy in words: what `tattle policy show` prints. */
import { formatNetwork } from "../policy/network.ts";
import type { ElapsedRange } from "../policy/elapsed.ts";
import type { Policy, PolicyRule } from "../policy/policy.ts";
import type { CodeRange } from "../policy/code-range.ts";
import { everyCode } from "../policy/code-range.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { findActivity, findCategory } from "../wire/code-book.ts";
import { formatSpan } from "./time-text.ts";

/** Conditions of a rule in one line; `every mark` if there is none. */
export function describeConditions(rule: PolicyRule, book: CodeBook): string {
  const parts = [
    describeCodes(rule.codes, book),
    rule.elapsed && describeElapsed(rule.elapsed),
    rule.direction,
    rule.arrivesOn && `arrives on ${rule.arrivesOn.join(", ")}`,
    rule.leavesBy && `leaves by ${rule.leavesBy.join(", ")}`,
    rule.destination && `to ${rule.destination.map(formatNetwork).join(", ")}`,
    rule.trust,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "every mark" : parts.join("; ");
}

/** Settings of a policy that are not its rules, a name and a value each. */
export function describeSettings(policy: Policy): [string, string][] {
  const none = "none";
  const mirror = [policy.mirrorTo.ipv4, policy.mirrorTo.ipv6].filter((address) => address !== undefined);
  return [
    ["kinds", policy.kinds.join(", ")],
    ["exid", policy.exid === undefined ? none : `0x${policy.exid.toString(16)}`],
    ["authenticated exid", `0x${policy.authenticatedExid.toString(16)}`],
    ["outside", policy.outside.join(", ") || none],
    ["trusted networks", policy.trustedNetworks.map(formatNetwork).join(", ") || none],
    ["never block", policy.neverBlock.map(formatNetwork).join(", ") || none],
    ["strip at egress", policy.stripAtEgress ? "yes" : "no"],
    ["unreadable", policy.unreadable],
    ["mirror to", mirror.join(", ") || none],
  ];
}

/** The policy as plain values, networks as text. */
export function policyJson(policy: Policy): unknown {
  return {
    ...policy,
    trustedNetworks: policy.trustedNetworks.map(formatNetwork),
    neverBlock: policy.neverBlock.map(formatNetwork),
    rules: policy.rules.map((rule) => ({
      ...rule,
      ...(rule.destination ? { destination: rule.destination.map(formatNetwork) } : {}),
    })),
  };
}

function describeElapsed({ atLeast, lessThan }: ElapsedRange): string {
  if (lessThan === undefined) return `detected ${formatSpan(atLeast)} ago or earlier`;
  if (atLeast === 0) return `detected less than ${formatSpan(lessThan)} ago`;
  return `detected ${formatSpan(atLeast)} to ${formatSpan(lessThan)} ago`;
}

function describeCodes(codes: readonly CodeRange[], book: CodeBook): string | undefined {
  if (codes === everyCode) return undefined;
  const shown = codes.slice(0, 6).map((range) => describeRange(range, book));
  return [...shown, ...(codes.length > 6 ? [`and ${codes.length - 6} more`] : [])].join(", ");
}

function describeRange({ first, last }: CodeRange, book: CodeBook): string {
  if (first === last) return nameCode(first, book);
  const [from, to] = [first >> 8, last >> 8];
  const isWhole = (first & 255) === 0 && (last & 255) === 255;
  if (isWhole && from === to) return `${nameCategory(from, book)}/*`;
  if (isWhole) return `${nameCategory(from, book)} to ${nameCategory(to, book)}`;
  return `${nameCode(first, book)} to ${nameCode(last, book)}`;
}

function nameCategory(category: number, book: CodeBook): string {
  return findCategory(book, category)?.name ?? String(category);
}

function nameCode(code: number, book: CodeBook): string {
  const [category, activity] = [code >> 8, code & 255];
  return `${nameCategory(category, book)}/${findActivity(book, category, activity)?.name ?? activity}`;
}
