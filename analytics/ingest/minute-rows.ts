/**
 * Sums per minute while a capture is walked. Each series keeps the minute that it is in; when a packet belongs to
 * another one, the sum becomes a row. Packets out of order only make one row more: the rows are additive.
 */
import { PagedRows } from "./paged-rows.ts";
import type { WalkMemory } from "./walk-memory.ts";

const microsecondsPerMinute = 60_000_000;

/** Whole minutes since 1970 of a time in microseconds; below 2^32 for every time that a database holds. */
export function minuteOf(time: number): number {
  return Math.floor(time / microsecondsPerMinute);
}

export function minuteStart(minute: number): number {
  return minute * microsecondsPerMinute;
}

/** First and last are microseconds since 1970. */
export type MinuteRow = (
  series: number,
  minute: number,
  first: number,
  last: number,
  packets: number,
  octets: number,
) => void;

/** Minute + 1 (0: empty), first and last within it in microseconds, packets, octets (low, high). */
const rowWords = 6;

export class MinuteSums {
  readonly #memory: WalkMemory;
  readonly #words: Uint32Array;
  readonly #rows: PagedRows;
  readonly #emit: MinuteRow;

  constructor(memory: WalkMemory, emit: MinuteRow) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#rows = new PagedRows(memory, rowWords);
    this.#emit = emit;
  }

  /** Counts packets of one series, seen in this minute from `first` to `last` (microseconds within it). */
  add(series: number, minute: number, first: number, last: number, packets: number, octets: number): void {
    const at = this.#rows.place(series);
    const rows = this.#words;
    if (rows[at] !== minute + 1) {
      this.#flush(series);
      rows[at] = minute + 1;
      rows[at + 1] = first;
      rows[at + 2] = last;
      rows[at + 3] = 0;
      rows[at + 4] = 0;
      rows[at + 5] = 0;
    } else {
      if (first < (rows[at + 1] ?? 0)) rows[at + 1] = first;
      if (last > (rows[at + 2] ?? 0)) rows[at + 2] = last;
    }
    rows[at + 3] = (rows[at + 3] ?? 0) + packets;
    const low = (rows[at + 4] ?? 0) + octets;
    rows[at + 4] = low;
    if (low > 0xffffffff) rows[at + 5] = (rows[at + 5] ?? 0) + 1;
  }

  /** Hands over what has not become a row yet. */
  finish(): void {
    const { end, rowsPerPage } = this.#rows;
    for (let page = 0; page < end; page += rowsPerPage) {
      this.#memory.nextTurn();
      if (!this.#rows.holds(page)) continue;
      for (let series = page; series < page + rowsPerPage; series++) this.#flush(series);
    }
  }

  #flush(series: number): void {
    const at = this.#rows.place(series);
    const rows = this.#words;
    const next = rows[at] ?? 0;
    if (next === 0) return;
    rows[at] = 0;
    const start = (next - 1) * microsecondsPerMinute;
    const octets = (rows[at + 5] ?? 0) * 2 ** 32 + (rows[at + 4] ?? 0);
    const first = start + (rows[at + 1] ?? 0);
    const last = start + (rows[at + 2] ?? 0);
    this.#emit(series, next - 1, first, last, rows[at + 3] ?? 0, octets);
  }
}
