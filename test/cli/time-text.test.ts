import { describe, expect, test } from "vitest";
import { formatCount, formatOctets } from "../../cli/octets-text.ts";
import { formatInstant, formatSpan, formatTime, parseTime } from "../../cli/time-text.ts";

const halfPastNine = Date.UTC(2026, 4, 4, 9, 30) / 1000;

describe("a time that somebody typed", () => {
  test.each([
    ["2026-05-04T09:30:00Z", halfPastNine],
    ["2026-05-04 09:30", halfPastNine],
    ["2026-05-04 09:30:00 UTC", halfPastNine],
    ["2026-05-04T18:30:00+09:00", halfPastNine],
    ["2026-05-04T09:30:00.250Z", halfPastNine + 0.25],
    ["2026-05-04", Date.UTC(2026, 4, 4) / 1000],
    ["1777887000", 1_777_887_000],
  ])("%s is read, as UTC unless it says otherwise", (text, seconds) => {
    expect(parseTime(text, "--as-of")).toBe(seconds);
  });

  test.each(["noon", "", "2026-13-01", "04.05.2026", "-5", "1e9", "2026-05-04T09:30:00Z; DROP"])(
    "%j is refused",
    (text) => {
      expect(() => parseTime(text, "--as-of")).toThrow(
        `--as-of: expected a time such as 2026-05-04T09:30:00Z or seconds since 1970, got "${text}"`,
      );
    },
  );
});

describe("what is shown", () => {
  test("times are UTC to the second, and ISO 8601 for programs", () => {
    expect(formatTime(halfPastNine)).toBe("2026-05-04 09:30:00 UTC");
    expect(formatInstant(halfPastNine + 0.25)).toBe("2026-05-04T09:30:00.250Z");
    expect(formatInstant(1e20)).toBe("");
  });

  test.each([
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 m"],
    [3725, "1 h 2 m"],
    [3600 * 24 * 3 + 59, "3 d"],
    [-90, "-1 m 30 s"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(formatSpan(seconds)).toBe(text);
  });

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [999_600, "1.0 MB"],
    [99_960, "100 kB"],
    [3_290_000_000, "3.3 GB"],
  ])("%d octets are %s", (octets, text) => {
    expect(formatOctets(octets)).toBe(text);
  });
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1_234_567, "1,234,567"],
])("%d has its thousands apart: %s", (count, text) => {
  expect(formatCount(count)).toBe(text);
});
