/**
 * Programs that find an option of a mark's kind. One program walks a few options from a known position and answers one
 * bit of where that leads; rules put the bits together in the packet mark (packet-place.ts). Sixty-four instructions
 * then hold any header, because a longer walk goes on from where the last one came to.
 */
import type { Policy } from "../../policy/policy.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import {
  addX,
  and,
  assemble,
  assembleMost,
  copyAToX,
  copyXToA,
  jump,
  jumpIfAnyBit,
  jumpIfAtLeast,
  jumpIfAtLeastX,
  jumpIfEqual,
  jumpIfGreater,
  jumpIfGreaterThanX,
  loadCell,
  loadHalf,
  loadOctet,
  loadOctetAtX,
  loadPacketLength,
  loadWordAtX,
  loadXCell,
  match,
  noMatch,
  shiftRight,
  storeCell,
  storeXCell,
  subtractX,
  add,
} from "./classic-bpf.ts";
import type { Line, Program } from "./classic-bpf.ts";
import {
  jumpIfForeign,
  jumpIfMarkKind,
  jumpIfMark,
  jumpIfRecordless,
  lowestExperimentalKind,
  stepOver,
} from "./option-tests.ts";
import {
  moveToPosition,
  optionsOffset,
  pointToPlainTransport,
  pointToPosition,
  pointToTransport,
  tcpOffset,
} from "./packet-place.ts";
import type { Family } from "./packet-place.ts";

export interface Place {
  readonly family: Family;
  /** Lowest bit of the field in the packet mark. */
  readonly shift: number;
  readonly selection: MarkSelection;
}

export function placeOf(policy: Policy, settings: { readonly markShift: number }, family: Family): Place {
  return { family, shift: settings.markShift, selection: policy };
}

/** The shortest mark takes 9 octets of the 40, so it starts here at the latest. */
export const lastMarkPosition = 31;
/** A mark without records takes 14. */
export const lastRecordlessPosition = 26;
/** An option of 2 octets starts here at the latest. */
export const lastOptionPosition = 38;

/**
 * X moves over one option: to `found` if it is of an experimental kind, to `stop` if its length is 1.
 * End-of-list, and a length of 0, stay where they are: A is added as it is, and it is 0.
 */
function step(at: number, name: string, found: string, stop: string): Line[] {
  return [
    loadOctetAtX(at),
    jumpIfAtLeast(lowestExperimentalKind, found),
    jumpIfGreater(1, undefined, name),
    loadOctetAtX(at + 1),
    jumpIfEqual(1, stop),
    name,
    addX(),
    copyAToX(),
  ];
}

function steps(count: number, at: number, found: string, stop: string): Line[] {
  return Array.from({ length: count }, (_, index) => step(at, `move ${index}`, found, stop)).flat();
}

/**
 * Whether a packet may be marked: the first look, which nearly all packets leave at once. IPv6 packets with extension
 * headers, and later fragments, are not looked at here.
 */
export function mayBeMarked(family: Family): Program {
  const at = optionsOffset(family);
  const start =
    family === 4
      ? [loadHalf(6), jumpIfAnyBit(0x1fff, "no")]
      : [loadOctet(6), jumpIfEqual(6, undefined, "no")];
  return assembleMost(6, (count) => [
    ...start,
    ...pointToPlainTransport(family),
    loadOctetAtX(tcpOffset(family) + 12),
    and(0xf0),
    jumpIfGreater(0x50, undefined, "no"),
    // Two no-operations and timestamps, alone (RFC 7323 appendix A): what most segments carry.
    jumpIfEqual(0x80, undefined, "walk"),
    loadWordAtX(at),
    jumpIfEqual(0x0101080a, "no"),
    "walk",
    ...steps(count, at, "yes", "no"),
    // End-of-list: no mark behind it. Anything else: not known yet.
    loadOctetAtX(at),
    jumpIfEqual(0, "no"),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

/** What a walk looks for, and so where it stays: at nothing in particular, at a mark, at a foreign option, at a mark without records. */
export type WalkGoal = "any" | "mark" | "foreign" | "recordless";

const lastPositions: Readonly<Record<WalkGoal, number>> = {
  any: lastMarkPosition,
  mark: lastMarkPosition,
  foreign: lastOptionPosition,
  recordless: lastRecordlessPosition,
};

/**
 * Whether bit `bit` of the position changes when the walk from `start` goes on as far as one program can. The walk
 * stays at `start` if that is its goal or the list ends there, and does not go past what can be a goal.
 */
export function positionBitChanges(place: Place, start: number, goal: WalkGoal, bit: number): Program {
  const at = optionsOffset(place.family);
  const [whenSet, whenClear] = (start & bit) === 0 ? ["yes", "no"] : ["no", "yes"];
  return assembleMost(8, (count) => [
    ...pointToTransport(place.family, place.shift),
    storeXCell(0),
    ...moveToPosition(start),
    ...goalTest(place.selection, goal, at),
    ...steps(count, at, "stop", "stop"),
    "stop",
    copyXToA(),
    loadXCell(0),
    subtractX(),
    jumpIfGreater(lastPositions[goal], "no"),
    jumpIfAnyBit(bit, whenSet, whenClear),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

/** Looks at the option at X: `no` if it is the goal; passes it if it is another of an experimental kind. */
function goalTest(selection: MarkSelection, goal: WalkGoal, at: number): Line[] {
  if (goal === "any") return [];
  const test = testOf(selection, goal, at);
  return [
    ...jumpIfMarkKind(selection, at, "ours"),
    jumpIfAtLeast(lowestExperimentalKind, "over", "walk"),
    "ours",
    ...test,
    "over",
    ...stepOver(at, "no"),
    "walk",
  ];
}

function testOf(selection: MarkSelection, goal: Exclude<WalkGoal, "any">, at: number): Line[] {
  switch (goal) {
    case "foreign":
      return jumpIfForeign(selection, at, "no", "over");
    case "mark":
      return jumpIfMark(selection, at, "no", "over");
    case "recordless": {
      const { authenticatedExid } = selection;
      return authenticatedExid === undefined ? [] : jumpIfRecordless(authenticatedExid, at, "no");
    }
  }
}

/** Whether the option at the position is an authenticated mark without records, whole within the header. */
export function isRecordlessHere(place: Place, authenticatedExid: number): Program {
  const at = optionsOffset(place.family);
  return assemble([
    ...loadHeaderEnd(place),
    ...pointToPosition(place.family, place.shift, 1),
    ...jumpIfMarkKind(place.selection, at, "ours"),
    jump("no"),
    "ours",
    ...jumpIfRecordless(authenticatedExid, at, "shape"),
    jump("no"),
    "shape",
    ...jumpIfWhole(at, "yes", "no"),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

export type MarkVersion = "plain" | "exid" | "authenticated";

/**
 * Whether the option at the position that the packet mark holds is a mark of this version, or a plain one (which is
 * asked for first), whole within the header.
 */
export function isMarkHere(place: Place, version: MarkVersion): Program {
  const at = optionsOffset(place.family);
  const { kinds, exid, authenticatedExid } = place.selection;
  const selection = {
    kinds,
    ...(version === "exid" && exid !== undefined ? { exid } : {}),
    ...(version === "authenticated" && authenticatedExid !== undefined ? { authenticatedExid } : {}),
  };
  return assemble([
    ...loadHeaderEnd(place),
    ...pointToPosition(place.family, place.shift, 1),
    ...jumpIfMarkKind(place.selection, at, "ours"),
    jump("no"),
    "ours",
    ...jumpIfMark(selection, at, "shape", "no"),
    "shape",
    ...jumpIfWhole(at, "yes", "no"),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

/** Whether the option at the position is someone else's, of a mark's kind, whole within the header. */
export function isForeignHere(place: Place): Program {
  const at = optionsOffset(place.family);
  return assemble([
    ...loadHeaderEnd(place),
    ...pointToPosition(place.family, place.shift, 1),
    ...jumpIfMarkKind(place.selection, at, "ours"),
    jump("no"),
    "ours",
    loadOctetAtX(at + 1),
    jumpIfGreater(1, undefined, "no"),
    ...jumpIfForeign(place.selection, at, "foreign", "no"),
    "foreign",
    ...jumpIfWhole(at, "yes", "no"),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

/** Whether the TCP header claims more octets than the packet holds: TCPOPTSTRIP drops such packets, unasked. */
export function isHeaderCut(place: Place): Program {
  return assemble([
    ...loadHeaderEnd(place),
    addX(),
    add(tcpOffset(place.family)),
    copyAToX(),
    loadPacketLength(),
    jumpIfAtLeastX("no"),
    match(),
    "no",
    noMatch(),
  ]);
}

/** Whether nothing can follow the position: end-of-list, or the end of the header. */
export function isListEndHere(place: Place): Program {
  return assemble([
    ...loadHeaderEnd(place),
    ...pointToPosition(place.family, place.shift, 1),
    loadOctetAtX(optionsOffset(place.family)),
    jumpIfEqual(0, "yes"),
    loadXCell(0),
    loadCell(1),
    add(21),
    jumpIfGreaterThanX("yes", "no"),
    "yes",
    match(),
    "no",
    noMatch(),
  ]);
}

/** Cell 0 = length of the TCP header. */
function loadHeaderEnd(place: Place): Line[] {
  return [
    ...pointToTransport(place.family, place.shift),
    loadOctetAtX(tcpOffset(place.family) + 12),
    and(0xf0),
    shiftRight(2),
    storeCell(0),
  ];
}

/** Whether the option at X, at the position in cell 1, ends within the header of cell 0 and within the packet. */
function jumpIfWhole(at: number, isWhole: string, isNot: string): Line[] {
  return [
    loadOctetAtX(at + 1),
    storeCell(2),
    addX(),
    copyAToX(),
    // A load behind the packet's end ends the program without a match.
    loadOctetAtX(at - 1),
    loadXCell(1),
    loadCell(2),
    addX(),
    add(20),
    loadXCell(0),
    jumpIfGreaterThanX(isNot, isWhole),
  ];
}
