/**
 * A line of a log on disk: a CRC-32 of the JSON in 8 hexadecimal digits, a blank, the JSON, a line feed. What a crash or
 * a full disk cut short fails the check and is told from what was written whole.
 */
import { crc32 } from "node:zlib";

/** The line for a value, its line feed included. */
export function checkedLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

/** The JSON of a line without its line feed, or undefined if the line is not whole. */
export function checkedJson(line: string): string | undefined {
  const json = line.slice(9);
  return line[8] === " " && line.slice(0, 8) === checksum(json) ? json : undefined;
}

/** The value of a line without its line feed, or undefined if the line is not whole. */
export function readCheckedLine(line: string): { readonly value: unknown } | undefined {
  const json = checkedJson(line);
  if (json === undefined) return undefined;
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    // Only a checksum by chance gets here: 1 in 2^32 of damaged lines.
    return undefined;
  }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
