/** Authenticated marks: octets to values and back. Layout and strict rule: authenticated-format.ts; tags: mark-tag.ts. */
import {
  authenticatedHeaderOctets,
  authenticatedLength,
  countInShape,
  defaultAuthenticatedExid,
  isWellFormed,
  maximumAuthenticatedRecords,
  shapeBits,
  tagOctets,
} from "./authenticated-format.ts";
import { MalformedError } from "./malformed-error.ts";
import { decodeRecord, encodeRecord } from "./mark.ts";
import type { DetectionRecord } from "./mark.ts";
import { recordOctets } from "./mark-format.ts";

export interface AuthenticatedMark {
  readonly kind: number;
  readonly exid: number;
  /** Further records did not fit. */
  readonly more: boolean;
  /** The host asserts that it is not flagged; then there are no records. */
  readonly clean: boolean;
  /** Which of the readers' keys the host's was derived from, 0 to 15. */
  readonly keyId: number;
  /** Window of 64 seconds in which it was sent, modulo 16. */
  readonly windowLow: number;
  /** 0 to 4, newest first. */
  readonly records: readonly DetectionRecord[];
  /** 8 octets. */
  readonly tag: Uint8Array;
}

/**
 * The authenticated mark at `offset` of `view`, which must end where the header ends. Returns undefined if the option
 * has another experiment identifier.
 * @throws MalformedError if it breaks the strict rule; offsets are from the start of `view`
 */
export function decodeAuthenticatedMark(
  view: DataView,
  offset: number,
  exid = defaultAuthenticatedExid,
): AuthenticatedMark | undefined {
  const length = offset + 2 <= view.byteLength ? view.getUint8(offset + 1) : 0;
  if (length < 4 || offset + length > view.byteLength)
    throw new MalformedError(
      `length is ${length}, but ${view.byteLength - offset} octets are left`,
      offset + 1,
    );
  if (view.getUint16(offset + 2) !== exid) return undefined;
  const octets = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (!isWellFormed(octets, offset, length)) throw explain(view, offset, length);
  const shape = view.getUint8(offset + 4);
  const keyAndWindow = view.getUint8(offset + 5);
  const first = offset + authenticatedHeaderOctets;
  return {
    kind: view.getUint8(offset),
    exid,
    more: (shape & shapeBits.more) !== 0,
    clean: (shape & shapeBits.clean) !== 0,
    keyId: keyAndWindow >> 4,
    windowLow: keyAndWindow & 15,
    records: Array.from({ length: countInShape(shape) }, (_, index) =>
      decodeRecord(view, first + recordOctets * index),
    ),
    tag: octets.slice(offset + length - tagOctets, offset + length),
  };
}

/** Why an option with the experiment identifier is no authenticated mark; the caller knows that it is none. */
function explain(view: DataView, offset: number, length: number): MalformedError {
  if (length < authenticatedLength(0))
    return new MalformedError(`length is ${length}, but an authenticated mark takes at least 14`, offset + 1);
  const shape = view.getUint8(offset + 4);
  const count = countInShape(shape);
  if ((shape & shapeBits.versionMask) !== shapeBits.version)
    return new MalformedError(`version is ${shape >> 6}, expected 1`, offset + 4);
  if (count > maximumAuthenticatedRecords)
    return new MalformedError(`count is ${count}, expected 0 to ${maximumAuthenticatedRecords}`, offset + 4);
  const expected = authenticatedLength(count);
  if (length !== expected) {
    const records = count === 1 ? "1 record and a tag take" : `${count} records and a tag take`;
    return new MalformedError(`length is ${length}, but ${records} ${expected} octets`, offset + 1);
  }
  const bits = (shape & 0x3f).toString(2).padStart(6, "0");
  return new MalformedError(`the bits ${bits} of more, count and clean contradict each other`, offset + 4);
}

/**
 * Writes the mark at `offset`, and returns its length in octets.
 * @throws RangeError if a field does not fit its bits
 */
export function encodeAuthenticatedMark(mark: AuthenticatedMark, into: DataView, offset: number): number {
  const count = mark.records.length;
  if (count > maximumAuthenticatedRecords)
    throw new RangeError(
      `an authenticated mark holds 0 to ${maximumAuthenticatedRecords} records, got ${count}`,
    );
  if (mark.tag.length !== tagOctets) throw new RangeError(`a tag has 8 octets, got ${mark.tag.length}`);
  const length = authenticatedLength(count);
  into.setUint8(offset, within(mark.kind, 0xff, "kind"));
  into.setUint8(offset + 1, length);
  into.setUint16(offset + 2, within(mark.exid, 0xffff, "exid"));
  into.setUint8(offset + 4, shapeOf(mark));
  into.setUint8(offset + 5, (within(mark.keyId, 15, "key id") << 4) | within(mark.windowLow, 15, "window"));
  for (const [index, record] of mark.records.entries())
    encodeRecord(record, into, offset + authenticatedHeaderOctets + recordOctets * index);
  for (const [index, octet] of mark.tag.entries()) into.setUint8(offset + length - tagOctets + index, octet);
  return length;
}

/** The shape octet of a mark with these records. */
export function shapeOf({
  more,
  clean,
  records,
}: Pick<AuthenticatedMark, "more" | "clean" | "records">): number {
  return (
    shapeBits.version | (more ? shapeBits.more : 0) | (records.length << 2) | (clean ? shapeBits.clean : 0)
  );
}

function within(value: number, maximum: number, field: string): number {
  if (!Number.isInteger(value) || value < 0 || value > maximum)
    throw new RangeError(`${field} is ${value}, expected a whole number from 0 to ${maximum}`);
  return value;
}
