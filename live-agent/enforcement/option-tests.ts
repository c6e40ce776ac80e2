/**
 * Pieces of programs about one option, whose kind octet is `at` behind X: is it a mark, is it someone else's.
 * The same rules as wire/mark.ts, in classic BPF.
 */
import { maximumRecords, recordOctets, registeredLowExids } from "../../wire/mark-format.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import {
  add,
  addX,
  copyAToX,
  jump,
  jumpIfEqual,
  jumpIfEqualToX,
  jumpIfGreater,
  loadHalfAtX,
  loadOctetAtX,
  loadXCell,
  multiply,
  storeCell,
  storeXCell,
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

/**
 * Goes to `isMark` if the option is a mark with the experiment identifier, else to `isNot`. Cell 15 is used; X is kept.
 * The caller has excluded marks without one, which come first (wire/mark.ts).
 */
export function jumpIfExidMark(exid: number, at: number, isMark: string, isNot: string): Line[] {
  return [
    loadOctetAtX(at + 1),
    jumpIfGreater(exidHeader, undefined, isNot),
    loadHalfAtX(at + 2),
    jumpIfEqual(exid, undefined, isNot),
    // 5 + 6 x count is compared with the length; a count of 0 makes 5, which is excluded above.
    storeXCell(14),
    loadOctetAtX(at + 1),
    storeCell(15),
    loadOctetAtX(at + 4),
    multiply(recordOctets),
    add(exidHeader),
    loadXCell(15),
    jumpIfEqualToX("exid mark"),
    loadXCell(14),
    jump(isNot),
    "exid mark",
    loadXCell(14),
    jump(isMark),
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
  const exid = selection.exid === undefined ? [] : [jumpIfEqual(selection.exid, isOurs)];
  return [
    loadOctetAtX(at + 1),
    jumpIfGreater(2, undefined, isForeign),
    ...jumpIfPlainMark(at, isOurs),
    loadOctetAtX(at + 1),
    jumpIfGreater(3, undefined, "count"),
    loadHalfAtX(at + 2),
    ...exid,
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
