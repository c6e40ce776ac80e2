/**
 * The layout of an authenticated mark (design: v2), behind its own experiment identifier, and the strict rule for it.
 *
 *     0      1        2       4                                   6           6 + 6n
 *     +------+--------+-------+-----------------+-----------------+-----------+---------+
 *     | kind | length | ExID  | shape           | key and window  | n records | tag (8) |
 *     +------+--------+-------+-----------------+-----------------+-----------+---------+
 *     shape: version (2 bits) = 1 | more (1) | n (3) | clean (1) | 0         key id (4) | window modulo 16 (4)
 *
 * `more`: further records did not fit. `clean`: the host asserts that it is not flagged; it stands alone.
 */
import { recordOctets } from "./mark-format.ts";

/** Experiment identifier of authenticated marks, unless another is configured; "MK", not in the IANA registry. */
export const defaultAuthenticatedExid = 0x4d4b;

/** Octets before the records. */
export const authenticatedHeaderOctets = 6;
export const tagOctets = 8;
/** 14 + 6 x 4 = 38 octets; a fifth would not fit into 40. */
export const maximumAuthenticatedRecords = 4;

export const shapeBits = {
  version: 0x40,
  versionMask: 0xc0,
  more: 0x20,
  clean: 0x02,
  reserved: 0x01,
} as const;

/** Seconds of a window, so that a mark can be sent again for two to three minutes only. */
export const windowSeconds = 64;
/** Windows that a packet's may lie before or behind the time at which it is seen. */
export const windowTolerance = 2;

/** Octets of an authenticated mark with this many records. */
export function authenticatedLength(count: number): number {
  return authenticatedHeaderOctets + recordOctets * count + tagOctets;
}

/** Whether an option of this length, known to be a mark, is an authenticated one: 14 + 6n; others are 3 and 5 + 6n. */
export function isAuthenticatedLength(length: number): boolean {
  return length % recordOctets === 2;
}

/** Number of records that the shape octet tells. */
export function countInShape(shape: number): number {
  return (shape >> 2) & 7;
}

/**
 * Whether the option keeps the strict rule: version 1, the length right for 0 to 4 records, the last bit 0, and either
 * records, or `more` alone, or `clean` alone. The caller has checked that `length` octets are there, and the ExID.
 */
export function isWellFormed(octets: Uint8Array, option: number, length: number): boolean {
  if (length < authenticatedLength(0)) return false;
  const shape = octets[option + 4] ?? 0;
  const count = countInShape(shape);
  if ((shape & shapeBits.versionMask) !== shapeBits.version || (shape & shapeBits.reserved) !== 0)
    return false;
  if (count > maximumAuthenticatedRecords || length !== authenticatedLength(count)) return false;
  const isMore = (shape & shapeBits.more) !== 0;
  const isClean = (shape & shapeBits.clean) !== 0;
  return count > 0 ? !isClean : isMore !== isClean;
}
