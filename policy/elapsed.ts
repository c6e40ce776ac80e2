/** Time since detection: what a policy's conditions are about, and what they are in terms of a record's time. */

/** Seconds since detection: `atLeast` and more, less than `lessThan`. */
export interface ElapsedRange {
  readonly atLeast: number;
  readonly lessThan?: number;
}

/** The last second that a record can hold: 2106-02-07T06:28:15Z. */
export const lastSecond = 0xffffffff;

/** Seconds from a detection to `now`. A detection in the future counts as just made: clocks must not open a door. */
export function elapsedSeconds(detectedAt: number, now: number): number {
  return Math.max(0, now - detectedAt);
}

export function isElapsedWithin(range: ElapsedRange, detectedAt: number, now: number): boolean {
  const elapsed = elapsedSeconds(detectedAt, now);
  return elapsed >= range.atLeast && (range.lessThan === undefined || elapsed < range.lessThan);
}

/** Detection times, both ends included. */
export interface DetectionTimes {
  readonly first: number;
  readonly last: number;
}

export const everyTime: DetectionTimes = { first: 0, last: lastSecond };

/**
 * The detection times whose elapsed time at `now` (whole seconds since 1970) is in the range; undefined if none is.
 * Where the range starts at 0 there is no last time: a future detection counts as just made.
 */
export function detectionTimes(range: ElapsedRange, now: number): DetectionTimes | undefined {
  const first = range.lessThan === undefined ? 0 : Math.max(0, now - range.lessThan + 1);
  const last = range.atLeast === 0 ? lastSecond : now - range.atLeast;
  return first <= last && first <= lastSecond ? { first, last: Math.min(last, lastSecond) } : undefined;
}
