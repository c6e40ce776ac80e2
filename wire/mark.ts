/**
 * The mark: an option of an experimental kind that carries detection records (paper section 3.3, layout in mark-format.ts).
 * Strict rule: an option is a mark only if its length is exactly right for a count of 1 to 6. Everything else of that
 * kind belongs to someone else (TCP Fast Open, AccECN, SMC-R ...) or is malformed; neither is ever acted on.
 */
import { countInShape, isAuthenticatedLength, isWellFormed, tagOctets } from "./authenticated-format.ts";
import { MalformedError } from "./malformed-error.ts";
import {
  futureToleranceSeconds,
  maximumRecords,
  oldestPlausibleSeconds,
  recordOctets,
  registeredLowExids,
} from "./mark-format.ts";

export interface DetectionRecord {
  /** Seconds since 1970-01-01T00:00:00Z, unsigned 32 bit. */
  readonly detectedAt: number;
  readonly category: number;
  readonly activity: number;
}

export interface Mark {
  readonly kind: number;
  /** Experiment identifier (RFC 6994), if the mark carries one. */
  readonly exid?: number;
  readonly records: readonly DetectionRecord[];
}

/** Which header carries the mark. Policy acts on the TCP header only. */
export type Carrier = "tcp" | "ipv4";

/** An option of a mark's kind that is someone else's. */
export const foreignOption = 0;
/** An option that was meant as a mark but breaks the strict rule. */
export const malformedOption = -1;
/** Instead of a count: an authenticated mark that holds no records. */
export const recordlessMark = -2;

/**
 * Number of records (1 to 6) if the option at `option` is a mark, else `foreignOption` or `malformedOption`.
 * Authenticated marks are read if their experiment identifier is given; those without records say nothing of activities.
 * The caller has checked that `length` octets lie within the header and the buffer. No exceptions: this runs per packet.
 */
export function countRecords(
  octets: Uint8Array,
  option: number,
  length: number,
  exid: number | undefined,
  authenticatedExid?: number,
): number {
  if (length < 3) return foreignOption;
  const count = octets[option + 2] ?? 0;
  if (count >= 1 && count <= maximumRecords && length === 3 + recordOctets * count) return count;
  if (length >= 4) {
    const firstWord = (count << 8) | (octets[option + 3] ?? 0);
    if (firstWord === authenticatedExid && isWellFormed(octets, option, length))
      return countInShape(octets[option + 4] ?? 0) || recordlessMark;
    if (firstWord === exid) return countRecordsAfterExid(octets, option, length);
    if (firstWord === authenticatedExid) return malformedOption;
    if (registeredLowExids.includes(firstWord)) return foreignOption;
  }
  return count <= maximumRecords ? malformedOption : foreignOption;
}

function countRecordsAfterExid(octets: Uint8Array, option: number, length: number): number {
  const count = length >= 5 ? (octets[option + 4] ?? 0) : 0;
  return count >= 1 && length === 5 + recordOctets * count ? count : malformedOption;
}

/** Where the first record of a mark begins: records fill the option's end, or stand before the tag. */
export function firstRecord(option: number, length: number, count: number): number {
  return option + length - recordOctets * count - (isAuthenticatedLength(length) ? tagOctets : 0);
}

/**
 * The mark at `offset` of `view`, which must end where the header ends.
 * Returns undefined if the option is someone else's.
 * @throws MalformedError if it breaks the strict rule; offsets are from the start of `view`.
 */
export function decodeMark(view: DataView, offset: number, exid?: number): Mark | undefined {
  const octets = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const length = readLength(view, offset);
  const count = countRecords(octets, offset, length, exid);
  if (count === foreignOption) return undefined;
  if (count === malformedOption) throw explainMalformed(view, offset, length, exid);
  const first = firstRecord(offset, length, count);
  const records = Array.from({ length: count }, (_, index) =>
    decodeRecord(view, first + recordOctets * index),
  );
  const kind = view.getUint8(offset);
  return first === offset + 3 ? { kind, records } : { kind, exid: view.getUint16(offset + 2), records };
}

/** One record; the caller has checked that its 6 octets are there. */
export function decodeRecord(view: DataView, offset: number): DetectionRecord {
  return {
    detectedAt: view.getUint32(offset),
    category: view.getUint8(offset + 4),
    activity: view.getUint8(offset + 5),
  };
}

function readLength(view: DataView, offset: number): number {
  const present = view.byteLength - offset;
  if (present < 2)
    throw new MalformedError(`an option takes at least 2 octets, but ${present} are present`, offset);
  const length = view.getUint8(offset + 1);
  if (length < 2)
    throw new MalformedError(`length is ${length}, but an option takes at least 2 octets`, offset + 1);
  if (length > present) {
    throw new MalformedError(`length is ${length}, but ${present} octets are left in the header`, offset + 1);
  }
  return length;
}

/** Why a malformed option is malformed; the caller knows that it is. */
export function explainMalformed(
  view: DataView,
  offset: number,
  length: number,
  exid?: number,
): MalformedError {
  const afterExid = length >= 4 && view.getUint16(offset + 2) === exid;
  const countAt = afterExid ? offset + 4 : offset + 2;
  const header = afterExid ? 5 : 3;
  if (length < header)
    return new MalformedError(`length is ${length}, but the count octet is missing`, offset + 1);
  const count = view.getUint8(countAt);
  if (count === 0) return new MalformedError(`count is 0, expected 1 to ${maximumRecords}`, countAt);
  if (count > maximumRecords)
    return new MalformedError(`count is ${count}, expected 1 to ${maximumRecords}`, countAt);
  const expected = header + recordOctets * count;
  const records = count === 1 ? "1 record takes" : `${count} records take`;
  return new MalformedError(`length is ${length}, but ${records} ${expected} octets`, offset + 1);
}

/** Octets that a mark of `count` records takes. */
export function markLength(count: number, exid?: number): number {
  return (exid === undefined ? 3 : 5) + recordOctets * count;
}

/** How many records fit into `freeOctets` of option space, 0 to 6. */
export function fittingRecords(freeOctets: number, exid?: number): number {
  const records = Math.floor((freeOctets - markLength(0, exid)) / recordOctets);
  return Math.max(0, Math.min(maximumRecords, records));
}

/**
 * Writes the mark at `offset` and returns its length in octets.
 * @throws RangeError if there are not 1 to 6 records, or a field does not fit its octets.
 */
export function encodeMark(mark: Mark, into: DataView, offset: number): number {
  const count = mark.records.length;
  if (count < 1 || count > maximumRecords)
    throw new RangeError(`a mark holds 1 to ${maximumRecords} records, got ${count}`);
  const length = markLength(count, mark.exid);
  let at = offset;
  into.setUint8(at++, within(mark.kind, 0xff, "kind"));
  into.setUint8(at++, length);
  if (mark.exid !== undefined) {
    into.setUint16(at, within(mark.exid, 0xffff, "exid"));
    at += 2;
  }
  into.setUint8(at++, count);
  for (const record of mark.records) {
    encodeRecord(record, into, at);
    at += recordOctets;
  }
  return length;
}

/**
 * Writes the 6 octets of a record at `offset`.
 * @throws RangeError if a field does not fit its octets.
 */
export function encodeRecord(record: DetectionRecord, into: DataView, offset: number): void {
  into.setUint32(offset, within(record.detectedAt, 0xffffffff, "detected-at"));
  into.setUint8(offset + 4, within(record.category, 0xff, "category"));
  into.setUint8(offset + 5, within(record.activity, 0xff, "activity"));
}

function within(value: number, maximum: number, field: string): number {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new RangeError(`${field} is ${value}, expected a whole number from 0 to ${maximum}`);
  }
  return value;
}

/** Whether a detection time can be true for a packet seen at `packetSeconds` (seconds since 1970). */
export function isPlausible(detectedAt: number, packetSeconds: number): boolean {
  return (
    detectedAt <= packetSeconds + futureToleranceSeconds &&
    detectedAt >= packetSeconds - oldestPlausibleSeconds
  );
}
