/** What the kernel's program reads: `struct mark` of live-agent/kernel/mark.bpf.h, in octets. */
import { encodeRecord } from "../../wire/mark.ts";
import type { MarkSettings } from "./mark-settings.ts";
import { mostKept } from "./mark-state.ts";
import type { KeptRecord } from "./mark-state.ts";

const recordsAt = 8 * mostKept;
const kindAt = 2 * recordsAt;
const exidAt = kindAt + 2;
const loopbackAt = exidAt + 2;
const authenticatedExidAt = loopbackAt + 2;
const bootedAt = kindAt + 8;
const stampAt = bootedAt + 8;
/** Octets of the whole value. */
export const markValueOctets = stampAt + 8;
/** FOREVER: the largest number that 63 bits hold. */
const forever = 2n ** 63n - 1n;

/** Seconds since 1970, and since the machine was booted, at the same moment. */
export interface Clocks {
  readonly now: number;
  readonly sinceBoot: number;
}

/** The records as the program reads them. Deadlines count from boot there, so that a clock that is set moves none. */
export function encodeMarkValue(
  records: readonly KeptRecord[],
  settings: Pick<MarkSettings, "kind" | "exid" | "loopback" | "authenticatedExid">,
  clocks: Clocks,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(markValueOctets));
  // The kernel's structure is in the processor's order, which is little-endian wherever Node 20 runs but on s390x.
  for (const [index, record] of records.slice(0, mostKept).entries()) {
    view.setBigUint64(8 * index, deadline(record.until, clocks), true);
    encodeRecord(record, view, recordsAt + 8 * index);
  }
  view.setUint8(kindAt, settings.kind);
  if (settings.exid !== undefined) {
    view.setUint8(kindAt + 1, 1);
    view.setUint16(exidAt, settings.exid);
  }
  view.setUint8(loopbackAt, settings.loopback ? 1 : 0);
  view.setUint16(authenticatedExidAt, settings.authenticatedExid);
  view.setBigUint64(bootedAt, BigInt(Math.round((clocks.now - clocks.sinceBoot) * 1000)) * 1_000_000n, true);
  return new Uint8Array(view.buffer);
}

/** The value with a stamp (8 octets, not all zero) that tells the program to forget what it made of an earlier one. */
export function withStamp(value: Uint8Array, stamp: Uint8Array): Uint8Array {
  const stamped = value.slice();
  stamped.set(stamp, stampAt);
  return stamped;
}

/** Nanoseconds since boot. */
function deadline(until: number | undefined, { now, sinceBoot }: Clocks): bigint {
  if (until === undefined) return forever;
  // At least 1: 0 stands where there is no record.
  return BigInt(Math.max(1, Math.round((sinceBoot + until - now) * 1000))) * 1_000_000n;
}

/** Whether the program says now, with `found`, what `wanted` says. Records that have ended in between say nothing. */
export function saysTheSame(wanted: Uint8Array, found: Uint8Array, { sinceBoot }: Clocks): boolean {
  if (found.length !== markValueOctets) return false;
  const [first, second] = [readEntries(wanted), readEntries(found)].map((entries) =>
    entries.filter(({ until }) => until > sinceBoot),
  );
  if (first?.length !== second?.length || !sameBetween(kindAt, bootedAt, wanted, found)) return false;
  // A clock that was set since would put tags into the wrong window.
  if (Math.abs(readBootTime(wanted) - readBootTime(found)) > toleranceSeconds) return false;
  return (first ?? []).every((entry, index) => isSame(entry, second?.[index]));
}

interface Entry {
  /** Seconds since boot. */
  readonly until: number;
  readonly record: bigint;
}

/** Deadlines that were computed at two moments differ by what the clocks read. */
const toleranceSeconds = 2;

function isSame(one: Entry, other: Entry | undefined): boolean {
  return other?.record === one.record && Math.abs(one.until - other.until) < toleranceSeconds;
}

function sameBetween(start: number, end: number, one: Uint8Array, other: Uint8Array): boolean {
  return one.subarray(start, end).every((octet, index) => octet === other[start + index]);
}

function readBootTime(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Number(view.getBigUint64(bootedAt, true)) / 1e9;
}

function readEntries(value: Uint8Array): Entry[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: mostKept }, (_, index) => ({
    until: Number(view.getBigUint64(8 * index, true)) / 1e9,
    record: view.getBigUint64(recordsAt + 8 * index),
  }));
}
