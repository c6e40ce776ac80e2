/**
 * Where reading can go on behind a damaged record. A record's payload may hold whole capture records, planted or by
 * chance, so one chain of plausible headers proves nothing. What proves is agreement: the damaged record ends somewhere
 * within the largest record's length, so the true chain begins there; where every chain that begins there and stays
 * plausible has run into one and the same record, that record is true. The frames before it are the gap. A long chain that
 * ends somewhere may be the true one that met further damage, so while there is one, nothing is proven.
 */
import { usualSnapLength } from "./record-walker.ts";
import type { RecordWalker } from "./record-walker.ts";

/**
 * Chains must stay plausible this far behind the place where a damaged record ends at the latest: farther than one
 * payload reaches, so that a planted chain has to cross true records. Further damage within this stretch ends the search.
 */
const proofOctets = 2 * usualSnapLength;

/** Records that must follow the one where all chains agree, unless the capture ends with one of them exactly. */
const proofRecords = 16;

/**
 * A chain that ends before the stretch does is no true one if it is shorter than this part of the window, as planted
 * ones are that fit into a payload, or has fewer records, as by chance. A true one that is as short, between two
 * damages, is followed by another within the window.
 */
const shortPart = 1 / 16;
const fewRecords = 3;

/** Where a chain ends that leads out of the stretch. */
const unbroken = 0xffffffff;

/** Captures of larger records than this are not searched. */
const largestWindow = 4 * usualSnapLength;

/** What of a walker takes part. */
export type ChainWalker = Pick<RecordWalker, "alignment" | "largestRecord" | "plausibleEnd" | "hidesState">;

/** Octets behind damage that have to be in the buffer for a search; 0 if there can be none. */
export function searchOctets(walker: RecordWalker): number {
  return walker.largestRecord > largestWindow ? 0 : walker.largestRecord + proofOctets;
}

/**
 * The first record behind the damage at `start` that every plausible reading agrees on, or `start` if there is none.
 * `[start, end)` holds `searchOctets`, or `isLast` is true and the capture ends at `end`.
 */
export function findResumption(walker: ChainWalker, start: number, end: number, isLast: boolean): number {
  const window = start + walker.largestRecord;
  // One reading is that the damaged record is the last one.
  if (end <= window) return start;
  const chains = findChains(walker, start, end);
  const agreed = meetingPlace(walker, chains, start, window, end);
  if (agreed === start || walker.hidesState(start, agreed)) return start;
  return isProven(walker, agreed, end, isLast) ? agreed : start;
}

interface Chains {
  /** Where the chain of plausible records from each place ends; 0 if there is none. */
  readonly ends: Uint32Array;
  /** How many records it has, no more than `fewRecords`. */
  readonly records: Uint8Array;
}

/** Backwards, so each place is asked once. */
function findChains(walker: ChainWalker, start: number, end: number): Chains {
  const ends = new Uint32Array(end - start);
  const records = new Uint8Array(end - start);
  const { alignment } = walker;
  for (let at = start + Math.floor((end - start - 1) / alignment) * alignment; at > start; at -= alignment) {
    const next = walker.plausibleEnd(at, end);
    if (next === 0) continue;
    // A record that is cut at the end may be one.
    ends[at - start] = next >= end ? unbroken : ends[next - start] || next - start;
    records[at - start] = Math.min(fewRecords, 1 + (records[next - start] ?? 0));
  }
  return { ends, records };
}

/** Advances the rearmost of the chains that begin up to `window` until all have met; `start` if they never do. */
function meetingPlace(
  walker: ChainWalker,
  { ends, records }: Chains,
  start: number,
  window: number,
  end: number,
): number {
  const heads = new Uint8Array(ends.length);
  const short = walker.largestRecord * shortPart;
  let count = 0;
  for (let at = 1; at <= window - start; at++) {
    const chainEnd = ends[at] ?? 0;
    if (chainEnd === unbroken) {
      heads[at] = 1;
      count++;
    } else if (chainEnd - at > short && records[at] === fewRecords) return start;
  }
  let rear = heads.indexOf(1);
  while (count > 1) {
    const next = walker.plausibleEnd(start + rear, end) - start;
    if (next >= heads.length) return start;
    if (heads[next] === 1) count--;
    heads[next] = 1;
    rear = heads.indexOf(1, rear + 1);
  }
  return count === 0 ? start : start + rear;
}

/** Whether enough records follow. */
function isProven(walker: ChainWalker, at: number, end: number, isLast: boolean): boolean {
  let next = at;
  for (let records = 0; records < proofRecords; records++) {
    if (next === end) return isLast;
    if (next > end) return false;
    next = walker.plausibleEnd(next, end);
  }
  return true;
}
