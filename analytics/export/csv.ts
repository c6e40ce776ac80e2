/**
 * Comma-separated values (RFC 4180): CR LF, quotes where they are needed, UTF-8 without a mark. A time has a second
 * column with seconds since 1970. Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP,
 * CSV injection); control characters and such that turn text around are written as \u{1b}.
 */
import { isInstant, isoOf, secondsOf } from "./row.ts";
import type { Cell, ExportRow } from "./row.ts";

const unsafe = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Also behind spaces, and in the full width of East Asian text. */
const formula = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/u;

export function csvHeader(columns: readonly string[], instants: ReadonlySet<string>): string {
  return `${columns.flatMap((name) => (instants.has(name) ? [name, `${name}_epoch`] : [name])).join(",")}\r\n`;
}

export function csvLine(row: ExportRow, columns: readonly string[], instants: ReadonlySet<string>): string {
  const fields = columns.flatMap((name) => {
    const cell = row[name] ?? null;
    if (!instants.has(name)) return [field(cell)];
    return isInstant(cell) ? [isoOf(cell), String(secondsOf(cell))] : ["", ""];
  });
  return `${fields.join(",")}\r\n`;
}

function field(cell: Cell): string {
  if (cell === null) return "";
  if (isInstant(cell)) return isoOf(cell);
  if (typeof cell !== "string") return String(cell);
  const text = cell.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  const defused = formula.test(text) ? `'${text}` : text;
  return /[",]|^\s|\s$/u.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}
