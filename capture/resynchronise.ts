/**
 * Where reading can go on behind a damaged record. A record's payload may hold whole capture records, planted or by
 * chance, so one chain of plausible headers proves nothing. What proves is agreement: the damaged record ends somewhere
 * within the largest record's length, so the true chain begins there; where every chain that begins there and stays
 * plausible has run into one and the same record, that record is true. The frames before it are the gap.
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

/** Captures of larger records than this are not searched. */
const largestWindow = 4 * usualSnapLength;

/** Octets behind damage that have to be in the buffer for a search; 0 if there can be none. */
export function searchOctets(walker: RecordWalker): number {
  return walker.largestRecord > largestWindow ? 0 : walker.largestRecord + proofOctets;
}

/**
 * The first record behind the damage at `start` that every plausible reading agrees on, or `start` if there is none.
 * `[start, end)` holds `searchOctets`, or `isLast` is true and the capture ends at `end`.
 */
export function findResumption(walker: RecordWalker, start: number, end: number, isLast: boolean): number {
  const window = start + walker.largestRecord;
  // One reading is that the damaged record is the last one.
  if (end <= window) return start;
  const survivors = findSurvivors(walker, start, end);
  const agreed = meetingPlace(walker, survivors, start, window, end);
  if (agreed === start || walker.hidesState(start, agreed)) return start;
  return isProven(walker, agreed, end, isLast) ? agreed : start;
}

/** 1 for each place from which a chain of plausible records leads to the end. Backwards, so each place is asked once. */
function findSurvivors(walker: RecordWalker, start: number, end: number): Uint8Array {
  const survivors = new Uint8Array(end - start);
  const { alignment } = walker;
  for (let at = start + Math.floor((end - start - 1) / alignment) * alignment; at > start; at -= alignment) {
    const next = walker.plausibleEnd(at, end);
    // A record that is cut at the end may be one.
    const survives = next >= end || (next > 0 && survivors[next - start] === 1);
    if (survives) survivors[at - start] = 1;
  }
  return survivors;
}

/** Advances the rearmost of the chains that begin up to `window` until all have met; `start` if they never do. */
function meetingPlace(
  walker: RecordWalker,
  survivors: Uint8Array,
  start: number,
  window: number,
  end: number,
): number {
  const heads = survivors.slice();
  heads.fill(0, window - start + 1);
  let count = heads.reduce((sum, head) => sum + head, 0);
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
function isProven(walker: RecordWalker, at: number, end: number, isLast: boolean): boolean {
  let next = at;
  for (let records = 0; records < proofRecords; records++) {
    if (next === end) return isLast;
    if (next > end) return false;
    next = walker.plausibleEnd(next, end);
  }
  return true;
}
