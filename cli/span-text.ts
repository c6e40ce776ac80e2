/** Spans of time on the command line. */
import { CliError } from "./cli-error.ts";

const unitSeconds: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };
const longestSeconds = 10 * 365 * 86_400;

/**
 * Seconds of `90`, `90s`, `15m`, `8h` or `2d`.
 * @throws CliError
 */
export function parseSpan(text: string, option: string): number {
  const found = /^(\d{1,9})([smhd]?)$/.exec(text);
  const seconds = Number(found?.[1] ?? NaN) * (unitSeconds[found?.[2] ?? ""] ?? NaN);
  if (seconds >= 1 && seconds <= longestSeconds) return seconds;
  throw new CliError(`${option}: expected a span such as 90s, 15m, 8h or 2d, got "${text}"`);
}
