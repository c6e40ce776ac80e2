/**
 * Pieces of programs about one option, whose kind octet is `at` behind X: is it a mark, is it someone else's.
 * The same rules as wire/mark.ts, in classic BPF.
 */
import {
  authenticatedLength,
  maximumAuthenticatedRecords,
  shapeBits,
} from "../../wire/authenticated-format.ts";
import {
  maximumOptionOctets,
  maximumRecords,
  recordOctets,
  registeredLowExids,
} from "../../wire/mark-format.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import {
  addX,
  and,
  copyAToX,
  jump,
  jumpIfEqual,
  jumpIfGreater,
  loadHalfAtX,
  loadOctetAtX,
  loadWordAtX,
} from "./classic-bpf.ts";
import type { Line } from "./classic-bpf.ts";

/** Octets before the records of a mark without, and with, an experiment identifier. */
export const plainHeader = 3;
export const exidHeader = 5;

/** Kinds below this are never a mark's; one comparison ends the look at most options. */
export const lowestExperimentalKind = 253;

/** Goes to `ours` if the option is of a mark's kind, else falls through with the kind in A. */
export function jumpIfMarkKind(selection: MarkSelection, at: number, ours: string): Line[] {
  return [loadOctetAtX(at), ...selection.kinds.map((kind) => jumpIfEqual(kind, ours))];
}

/** Length and count of each mark without an experiment identifier, as one 16-bit number. */
const plainShapes = Array.from({ length: maximumRecords }, (_, index) => {
  const count = index + 1;
  return ((plainHeader + recordOctets * count) << 8) | count;
});

/** Goes to `isMark` if length and count of a paper's mark agree, else falls through. */
export function jumpIfPlainMark(at: number, isMark: string): Line[] {
  return [loadHalfAtX(at + 1), ...plainShapes.map((shape) => jumpIfEqual(shape, isMark))];
}

/** Length, ExID and count of each mark with an experiment identifier, as one 32-bit number. */
function exidShapes(exid: number): number[] {
  const most = Math.floor((maximumOptionOctets - exidHeader) / recordOctets);
  return Array.from({ length: most }, (_, index) => {
    const count = index + 1;
    return (exidHeader + recordOctets * count) * 2 ** 24 + exid * 2 ** 8 + count;
  });
}

/** Length, ExID and shape of each authenticated mark with records, as one 32-bit number; `more` is left out of it. */
function authenticatedShapes(exid: number): number[] {
  return Array.from({ length: maximumAuthenticatedRecords }, (_, index) => {
    const count = index + 1;
    return authenticatedLength(count) * 2 ** 24 + exid * 2 ** 8 + (shapeBits.version | (count << 2));
  });
}

/**
 * Goes to `isMark` if the option is a mark with the experiment identifier, else falls through.
 * The caller has excluded marks without one, which come first (wire/mark.ts), and lengths that end before the count.
 */
export function jumpIfExidMark(exid: number, at: number, isMark: string): Line[] {
  return [loadWordAtX(at + 1), ...exidShapes(exid).map((shape) => jumpIfEqual(shape, isMark))];
}

/** The same for authenticated marks that hold records. */
export function jumpIfAuthenticatedMark(exid: number, at: number, isMark: string): Line[] {
  return [
    loadWordAtX(at + 1),
    and(0xffffffff - shapeBits.more),
    ...authenticatedShapes(exid).map((shape) => jumpIfEqual(shape, isMark)),
  ];
}

/** Goes to `isRecordless` if the option is an authenticated mark that holds no records, else falls through. */
export function jumpIfRecordless(exid: number, at: number, isRecordless: string): Line[] {
  const start = authenticatedLength(0) * 2 ** 24 + exid * 2 ** 8 + shapeBits.version;
  return [
    loadWordAtX(at + 1),
    ...[shapeBits.more, shapeBits.clean].map((shape) => jumpIfEqual(start + shape, isRecordless)),
  ];
}

/** Goes to `isMark` if the option is a mark of any version, else to `isNot`. */
export function jumpIfMark(selection: MarkSelection, at: number, isMark: string, isNot: string): Line[] {
  const { exid, authenticatedExid } = selection;
  return [
    ...jumpIfPlainMark(at, isMark),
    loadOctetAtX(at + 1),
    jumpIfGreater(exidHeader, undefined, isNot),
    ...(exid === undefined ? [] : jumpIfExidMark(exid, at, isMark)),
    ...(authenticatedExid === undefined ? [] : jumpIfAuthenticatedMark(authenticatedExid, at, isMark)),
    jump(isNot),
  ];
}

/**
 * Goes to `isForeign` if an option of a mark's kind is someone else's, else to `isOurs` (a mark, or malformed).
 * A length below 2 ends the option list; it goes to `isForeign`, and the caller checks bounds.
 */
export function jumpIfForeign(
  selection: MarkSelection,
  at: number,
  isForeign: string,
  isOurs: string,
): Line[] {
  const identified = [selection.exid, selection.authenticatedExid].filter((exid) => exid !== undefined);
  return [
    loadOctetAtX(at + 1),
    jumpIfGreater(2, undefined, isForeign),
    ...jumpIfPlainMark(at, isOurs),
    loadOctetAtX(at + 1),
    jumpIfGreater(3, undefined, "count"),
    loadHalfAtX(at + 2),
    ...identified.map((exid) => jumpIfEqual(exid, isOurs)),
    ...registeredLowExids.map((registered) => jumpIfEqual(registered, isForeign)),
    "count",
    loadOctetAtX(at + 2),
    jumpIfGreater(maximumRecords, isForeign, isOurs),
  ];
}

/** X moves over the option at X by its length; goes to `stop` if that is below 2. */
export function stepOver(at: number, stop: string): Line[] {
  return [loadOctetAtX(at + 1), jumpIfGreater(1, undefined, stop), addX(), copyAToX()];
}
