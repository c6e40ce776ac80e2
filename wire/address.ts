/** IPv4 and IPv6 addresses, text to octets and back (RFC 4291 section 2.2, RFC 5952 section 4). */
import { MalformedError } from "./malformed-error.ts";

/** Dotted decimal of an address given as an unsigned 32-bit number. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** RFC 5952 text of an address given as four 32-bit words; `::ffff:a.b.c.d` for IPv4-mapped ones. */
export function formatIpv6(word0: number, word1: number, word2: number, word3: number): string {
  if (word0 === 0 && word1 === 0 && word2 >>> 0 === 0xffff) return `::ffff:${formatIpv4(word3)}`;
  const groups = [word0, word1, word2, word3].flatMap((word) => [word >>> 16, word & 0xffff]);
  const gap = longestZeroRun(groups);
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

/** Text of the address at `offset`: 4 octets for version 4, 16 for version 6. */
export function formatAddress(view: DataView, offset: number, version: 4 | 6): string {
  if (version === 4) return formatIpv4(view.getUint32(offset));
  return formatIpv6(
    view.getUint32(offset),
    view.getUint32(offset + 4),
    view.getUint32(offset + 8),
    view.getUint32(offset + 12),
  );
}

/**
 * Octets of an address in text, 4 or 16 of them.
 * @throws MalformedError if it is no address; the offset counts characters.
 */
export function parseAddress(text: string): Uint8Array {
  const octets = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (!octets) throw new MalformedError(`expected an IPv4 or IPv6 address, got "${text.slice(0, 60)}"`, 0);
  return octets;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return;
  // Dotted decimal stands at the very end of an address or nowhere (RFC 4291 section 2.2).
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (!head) return;
  const octets = new Uint8Array(16);
  octets.set(head);
  if (halves.length === 1) return head.length === 16 ? octets : undefined;
  if (!tail || head.length + tail.length > 14) return;
  octets.set(tail, 16 - tail.length);
  return octets;
}

function parseGroups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const isLast = mayEndDotted && index === groups.length - 1;
    const dotted = isLast && group.includes(".") ? parseIpv4(group) : undefined;
    if (dotted) octets.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) octets.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 255);
    else return;
  }
  return octets.length <= 16 ? octets : undefined;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
