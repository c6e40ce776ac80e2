/** One JSON object a line. A time is ISO 8601 in UTC, and has a second member with seconds since 1970. */
import { isInstant, isoOf, secondsOf } from "./row.ts";
import type { ExportRow } from "./row.ts";

export function ndjsonLine(row: ExportRow): string {
  const members = Object.entries(row).flatMap(([name, cell]): [string, unknown][] =>
    isInstant(cell)
      ? [
          [name, isoOf(cell)],
          [`${name}_epoch`, secondsOf(cell)],
        ]
      : [[name, cell]],
  );
  return jsonLine(Object.fromEntries(members));
}

/**
 * A value on one line. Control characters, and such that end lines for some programs or turn text around, are escaped:
 * names come from packets, and a log is looked at in terminals.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value);
  const escaped = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
  return `${escaped}\n`;
}
