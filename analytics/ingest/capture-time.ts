/** Times as the database holds them: microseconds since 1970, from 1970 to the end of year 9999. */

/** The last second of year 9999: the latest that every program at the other end can show. */
const latest = Date.UTC(9999, 11, 31, 23, 59, 59) * 1000;

/** A time that any capture may claim, brought within what the database holds. */
export function withinDatabase(microseconds: number): number {
  // Not a number, or before 1970, which only a negative offset of an interface can say.
  if (!(microseconds >= 0)) return 0;
  return microseconds > latest ? latest : Math.floor(microseconds);
}

/** Writes a time, or another whole number below 2^63, as two words into row `row` of a 64-bit column. */
export function setWide(column: Uint32Array, row: number, value: number): void {
  const low = value >>> 0;
  column[row * 2] = low;
  column[row * 2 + 1] = (value - low) / 2 ** 32;
}
