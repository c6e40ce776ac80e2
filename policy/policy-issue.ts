/** What a failed check of the policy's form means, in the words of how the project's errors read. */
import type * as z from "zod";

type Issue = z.core.$ZodIssue;

export interface PlacedProblem {
  /** As `rules[2].action`. */
  readonly path: string;
  readonly problem: string;
}

/** Where an issue is in `json` and what is wrong there. */
export function describeIssue(issue: Issue, json: unknown): PlacedProblem {
  const value = show(valueAt(json, issue.path));
  const path = formatPath(issue.path);
  const name = String(issue.path.findLast((part) => typeof part === "string") ?? "value");
  switch (issue.code) {
    case "invalid_value":
      return { path, problem: `unknown ${name} ${value}; one of ${issue.values.map(String).join(", ")}` };
    case "unrecognized_keys":
      return { path, problem: `unknown key ${show(issue.keys[0])}${known(path)}` };
    case "invalid_type":
      return { path, problem: `expected ${article(issue.expected)}, got ${value}` };
    case "too_small":
      return {
        path,
        problem: `expected ${bound(issue.origin, "at least", Number(issue.minimum))}, got ${value}`,
      };
    case "too_big":
      return {
        path,
        problem: `expected ${bound(issue.origin, "at most", Number(issue.maximum))}, got ${value}`,
      };
    case "invalid_union":
      return { path, problem: `${value} is none of the allowed values${allowedIn(issue)}` };
    case "invalid_format":
      return { path, problem: `${value} is not allowed here; expected ${formats[name] ?? issue.format}` };
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return { path, problem: `${issue.message}, got ${value}` };
  }
}

const formats: Readonly<Record<string, string>> = {
  name: "1 to 40 of a-z, 0-9 and -, a letter first",
  outside: "names of interfaces",
  arrivesOn: "names of interfaces",
  leavesBy: "names of interfaces",
};

function known(path: string): string {
  const keys = path === "" ? topKeys : /^rules\[\d+\]$/.test(path) ? ruleKeys : undefined;
  return keys ? `; one of ${keys}` : "";
}

const topKeys =
  "version, name, kinds, exid, authenticatedExid, outside, trustedNetworks, neverBlock, stripAtEgress, unreadable, mirrorTo, rules";
const ruleKeys =
  "name, description, category, activity, severity, elapsed, direction, arrivesOn, leavesBy, destination, trust, action, mirror, notify";

function article(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    array: "a list",
    object: "an object",
    int: "a whole number",
  };
  return words[expected] ?? `a ${expected}`;
}

function bound(origin: string, limit: string, number: number): string {
  const unit = origin === "string" ? " characters" : origin === "array" ? " entries" : "";
  return `${limit} ${number}${unit}`;
}

function allowedIn(issue: Extract<Issue, { code: "invalid_union" }>): string {
  const values = issue.errors.flat().flatMap((inner) => (inner.code === "invalid_value" ? inner.values : []));
  return values.length === 0 ? "" : `; one of ${values.map(String).join(", ")}`;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    json,
  );
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}
