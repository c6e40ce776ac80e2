/**
 * Where a packet's headers and its mark are, as programs that share no memory tell one another: in ten bits of the
 * packet mark that netfilter keeps with each packet (skb->mark).
 *
 *      shift+9 ... shift+6    shift+5 ... shift+0
 *     +--------------------+--------------------------+
 *     |  IPv6 extension    |  position in the option  |
 *     |  headers, 8 octets |  list, octets            |
 *     +--------------------+--------------------------+
 *
 * A packet leaves the chains with these bits zero, or with one of the orders below.
 */
import {
  add,
  addX,
  and,
  copyAToX,
  copyXToA,
  loadPacketMark,
  loadXHeaderLength,
  loadXNumber,
  shiftLeft,
  shiftRight,
  storeCell,
} from "./classic-bpf.ts";
import type { Line } from "./classic-bpf.ts";

export type Family = 4 | 6;

export const positionBits = 6;
export const extensionBits = 4;
const fieldBits = positionBits + extensionBits;

/** The highest place of the field: the top ten bits. */
export const defaultMarkShift = 32 - fieldBits;

/**
 * Values of the whole field that chains elsewhere act on; no place in a packet that a mark can be at. Altered:
 * zeroed, and come back to the host that it is for (alter-at-host.ts).
 */
export const orders = { altered: 0x3fd, reject: 0x3fe, alter: 0x3ff } as const;

/**
 * What the program at ingress found of a packet's tag (live-agent/kernel/check-tags.bpf.c), in two bits below the field.
 * Nothing has looked at a packet where both are zero. Verified or unlooked-at is one bit that is zero; so is invalid.
 *
 *     shift-1    shift-2
 *     +---------+----------+
 *     | not     | not      |      0 unchecked   1 verified   2 invalid   3 no key
 *     | verified| invalid  |
 *     +---------+----------+
 */
export const tagBits = 2;
export const tagFindings = { unchecked: 0, verified: 1, invalid: 2, noKey: 3 } as const;

/** `value/mask`: the tag was found to be so; where nothing has looked, too, if `orUnchecked`. */
export function tagValue(finding: "verified" | "invalid", orUnchecked: boolean, shift: number): string {
  const lowest = 2 ** (shift - tagBits);
  if (!orUnchecked) return `${hex(tagFindings[finding] * lowest)}/${hex(3 * lowest)}`;
  return `0x0/${hex((3 - tagFindings[finding]) * lowest)}`;
}

/** `value/mask` for `-m mark` and `--set-xmark`, in iptables-save's notation. */
export function fieldValue(value: number, shift: number): string {
  return `${hex(value * 2 ** shift)}/${fieldMask(shift)}`;
}

export function fieldMask(shift: number): string {
  return hex((2 ** fieldBits - 1) * 2 ** shift);
}

export function positionMask(shift: number): string {
  return hex((2 ** positionBits - 1) * 2 ** shift);
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Offset of the TCP header from X, once X points to what `pointToTransport` says. */
export function tcpOffset(family: Family): number {
  return family === 4 ? 0 : 40;
}

/** Offset of the first option from X, once X points to what `pointToTransport` or `pointToPosition` say. */
export function optionsOffset(family: Family): number {
  // The fixed part of IPv6's offset is in the constant, so that X need not hold it.
  return tcpOffset(family) + 20;
}

/** X = transport header (IPv4), or octets of extension headers before it (IPv6). */
export function pointToTransport(family: Family, shift: number): Line[] {
  if (family === 4) return [loadXHeaderLength(0)];
  return [...loadExtensionOctets(shift), copyAToX()];
}

/** The same for packets without extension headers, which saves three instructions. */
export function pointToPlainTransport(family: Family): Line[] {
  return family === 4 ? [loadXHeaderLength(0)] : [loadXNumber(0)];
}

/** X = what `pointToTransport` gives plus the position in the option list; the position is left in memory cell `cell`. */
export function pointToPosition(family: Family, shift: number, cell?: number): Line[] {
  return [
    ...pointToTransport(family, shift),
    loadPacketMark(),
    shiftRight(shift),
    and(2 ** positionBits - 1),
    ...(cell === undefined ? [] : [storeCell(cell)]),
    addX(),
    copyAToX(),
  ];
}

/** X += a fixed position. */
export function moveToPosition(position: number): Line[] {
  return position === 0 ? [] : [copyXToA(), add(position), copyAToX()];
}

function loadExtensionOctets(shift: number): Line[] {
  // Octets are eight times the field: its bits moved to three.
  return [loadPacketMark(), shiftRight(shift + positionBits), and(2 ** extensionBits - 1), shiftLeft(3)];
}
