/** Times and spans as people write and read them. All times are UTC. */
import { CliError } from "./cli-error.ts";

/** `2026-05-04 09:30:00 UTC` of seconds since 1970. */
export function formatTime(seconds: number): string {
  return `${formatInstant(seconds).slice(0, 19).replace("T", " ")} UTC`;
}

/** ISO 8601 to the millisecond, for programs; an empty text for a time that no calendar holds. */
export function formatInstant(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** The two largest units of a span: `3 d 4 h`, `12 m 5 s`, `0 s`. */
export function formatSpan(seconds: number): string {
  const total = Math.floor(Math.abs(seconds));
  const sign = seconds <= -1 ? "-" : "";
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "m"],
    [total % 60, "s"],
  ];
  const first = Math.max(
    0,
    parts.findIndex(([count]) => count > 0),
  );
  if (total === 0) return "0 s";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return sign + shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/**
 * Seconds since 1970 of a time that somebody typed: ISO 8601 (UTC unless it says otherwise), or seconds since 1970.
 * @throws CliError
 */
export function parseTime(text: string, option: string): number {
  if (/^\d{1,11}(\.\d+)?$/.test(text)) return Number(text);
  const iso =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i.exec(
      text,
    );
  const zone = /^(z|utc)?$/i.test(iso?.[3] ?? "") ? "Z" : (iso?.[3] ?? "Z");
  const time = iso ? Date.parse(`${iso[1] ?? ""}T${iso[2] ?? "00:00"}${zone}`) : NaN;
  if (Number.isNaN(time))
    throw new CliError(
      `${option}: expected a time such as 2026-05-04T09:30:00Z or seconds since 1970, got "${text}"`,
    );
  return time / 1000;
}
