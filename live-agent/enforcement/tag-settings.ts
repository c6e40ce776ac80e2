/** What the program that checks tags is told: the values of the maps of live-agent/kernel/check-tags.bpf.c. */
import type { TagKey } from "../../policy/check-tag.ts";
import type { Policy } from "../../policy/policy.ts";
import { tagBits } from "./packet-place.ts";

/** As many as four bits name. */
export const mostTagKeys = 16;
const keyValueOctets = 24;

/** `struct settings`: `bootedAt` is seconds since 1970. */
export function encodeTagSettings(
  { kinds, authenticatedExid }: Pick<Policy, "kinds" | "authenticatedExid">,
  markShift: number,
  bootedAt: number,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(Math.round(bootedAt * 1000)) * 1_000_000n, true);
  view.setUint32(8, markShift - tagBits, true);
  const [first = 0, second = first] = kinds;
  view.setUint8(12, first);
  view.setUint8(13, second);
  view.setUint16(14, authenticatedExid);
  return new Uint8Array(view.buffer);
}

/** What a clock that was set may differ by before the program is told: far less than a window. */
const toleranceSeconds = 2;

/** Whether the program does with `found` what it would with `wanted`. */
export function areSameSettings(wanted: Uint8Array, found: Uint8Array): boolean {
  if (found.length !== wanted.length) return false;
  const isSame = wanted.subarray(8).every((octet, index) => octet === found[8 + index]);
  return isSame && Math.abs(bootTimeOf(wanted) - bootTimeOf(found)) <= toleranceSeconds;
}

/** The value at each id: `struct host_key`, whose id is 0 where there is no key. */
export function encodeTagKeys(keys: readonly TagKey[]): Uint8Array[] {
  return Array.from({ length: mostTagKeys }, (_, id) => {
    const value = new Uint8Array(keyValueOctets);
    const key = keys.find((one) => one.id === id);
    // The key's octets are two little-endian words to SipHash, and to the processor.
    if (key) value.set([...key.key, id + 1]);
    return value;
  });
}

function bootTimeOf(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Number(view.getBigUint64(0, true)) / 1e9;
}
