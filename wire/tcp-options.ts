/** The option list of a TCP header (RFC 9293 section 3.1), also the IPv4 one (RFC 791 section 3.1): same grammar. */
import { MalformedError } from "./malformed-error.ts";
import { fittingRecords, encodeMark, markLength } from "./mark.ts";
import type { Mark } from "./mark.ts";
import { maximumOptionOctets } from "./mark-format.ts";

export const endOfList = 0;
export const noOperation = 1;

export interface Option {
  readonly kind: number;
  /** Offset of the kind octet. */
  readonly offset: number;
  /** Octets, kind and length included; 1 for no-operation. */
  readonly length: number;
}

/**
 * The options in `octets[start, end)`, up to end-of-list.
 * RFC 9293 MUST-6: an option we do not know is skipped by its length, never refused.
 * @throws MalformedError if a length is below 2 or leads past the end.
 */
export function listOptions(octets: Uint8Array, start = 0, end = octets.length): Option[] {
  const options: Option[] = [];
  let offset = start;
  while (offset < end) {
    const kind = octets[offset] ?? endOfList;
    if (kind === endOfList) break;
    const length = kind === noOperation ? 1 : optionLength(octets, offset, end);
    options.push({ kind, offset, length });
    offset += length;
  }
  return options;
}

function optionLength(octets: Uint8Array, offset: number, end: number): number {
  const length = offset + 1 < end ? octets[offset + 1] : undefined;
  if (length === undefined)
    throw new MalformedError(`option ${octets[offset] ?? 0} has no length octet`, offset);
  if (length < 2)
    throw new MalformedError(`length is ${length}, but an option takes at least 2 octets`, offset + 1);
  if (offset + length > end) {
    throw new MalformedError(
      `length is ${length}, but ${end - offset} octets are left in the header`,
      offset + 1,
    );
  }
  return length;
}

/** Octets of option space that a mark can use: padding (no-operation and after end-of-list) counts as free. */
export function freeOctets(options: Uint8Array): number {
  const used = listOptions(options)
    .filter((option) => option.kind !== noOperation)
    .reduce((sum, option) => sum + option.length, 0);
  return maximumOptionOctets - used;
}

/**
 * The options with the mark in front of end-of-list, padded with no-operations to a multiple of 4.
 * As many of the mark's records as fit, in their order (newest first is the caller's order); none left: unchanged.
 */
export function addMark(options: Uint8Array, mark: Mark): Uint8Array {
  const count = Math.min(mark.records.length, fittingRecords(freeOctets(options), mark.exid));
  if (count === 0) return options;
  const kept = listOptions(options).filter((option) => option.kind !== noOperation);
  const length = kept.reduce((sum, option) => sum + option.length, markLength(count, mark.exid));
  const result = new Uint8Array(Math.ceil(length / 4) * 4).fill(noOperation);
  let at = 0;
  for (const option of kept) {
    result.set(options.subarray(option.offset, option.offset + option.length), at);
    at += option.length;
  }
  encodeMark({ ...mark, records: mark.records.slice(0, count) }, new DataView(result.buffer), at);
  return result;
}
