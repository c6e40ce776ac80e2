/** Comma-separated values (RFC 4180) that a spreadsheet shows and never runs. */
import { printable } from "./printable.ts";

export type CsvValue = string | number | boolean | undefined;

/** A table with a header line; lines end with CR LF. */
export function formatCsv(header: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  return [header, ...rows].map((row) => `${row.map(formatField).join(",")}\r\n`).join("");
}

function formatField(value: CsvValue): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = printable(value);
  // A cell that begins like this is a formula to Excel, LibreOffice and Google Sheets; an apostrophe makes it text.
  const defused = /^\s*[=+\-@]/u.test(text) ? `'${text}` : text;
  return /[",]|^\s|\s$/u.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}
