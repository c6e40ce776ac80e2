/** Patterns for files, for shells that expand none: `*`, `?` and `**` (Node 20 has no fs.glob). */
import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";

/** Whether a name holds a character that makes it a pattern. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** Files that a pattern matches, sorted; `*` and `?` stay within one folder, `**` does not. */
export function findByPattern(pattern: string): string[] {
  const segments = pattern.replaceAll(sep, "/").split("/");
  const firstPattern = segments.findIndex(isPattern);
  const start = segments.slice(0, firstPattern).join("/");
  const base = start === "" ? (pattern.startsWith("/") ? "/" : ".") : start;
  if (!existsSync(base)) return [];
  const rest = segments.slice(firstPattern);
  const expression = new RegExp(
    `^${rest.map(segmentExpression).join("/").replaceAll("(?:.*/)?/", "(?:.*/)?")}$`,
    "u",
  );
  const deep = rest.length > 1;
  return readdirSync(base, { recursive: deep, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => expression.test(relativeTo(base, path)))
    .sort();
}

function relativeTo(base: string, path: string): string {
  const plain = path.replaceAll(sep, "/");
  const start = base === "." ? "" : base.endsWith("/") ? base : `${base.replace(/^\.\//, "")}/`;
  return plain.startsWith(start) ? plain.slice(start.length) : plain;
}

function segmentExpression(segment: string): string {
  if (segment === "**") return "(?:.*/)?";
  return segment
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**", "*")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
}
