/** Times and spans as people read them. All times are UTC, and say so. */

/** `2026-05-04 18:00:00 UTC` of seconds since 1970. */
export function formatTime(seconds: number): string {
  return `${formatPlainTime(seconds)} UTC`;
}

/** `2026-05-04 18:00:00`, where UTC stands beside it. */
export function formatPlainTime(seconds: number): string {
  return instant(seconds).slice(0, 19).replace("T", " ");
}

/** `2026-05-04T18:00:00Z`, for addresses and time elements. */
export function formatInstant(seconds: number): string {
  return `${instant(seconds).slice(0, 19)}Z`;
}

function instant(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? "at no date that a calendar knows" : date.toISOString();
}

const units: readonly (readonly [number, string])[] = [
  [365 * 86_400, "y"],
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** The two largest units of a span: `3 d 4 h`, `12 min 5 s`, `0 s`; a minus in front of a negative one. */
export function formatSpan(seconds: number): string {
  let rest = Math.floor(Math.abs(seconds));
  const parts: string[] = [];
  for (const [size, unit] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return `${seconds <= -1 ? "−" : ""}${parts.length === 0 ? "0 s" : parts.join(" ")}`;
}

/** Seconds since 1970 of `2026-05-04 18:00[:00]` in UTC, with or without a T, Z or UTC; undefined if it is no time. */
export function parseTime(text: string): number | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(?:Z|UTC)?$/i.exec(text.trim());
  const time = parts ? Date.parse(`${parts[1] ?? ""}T${parts[2] ?? ""}Z`) : Number.NaN;
  return Number.isNaN(time) ? undefined : time / 1000;
}
