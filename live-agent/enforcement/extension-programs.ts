/**
 * Programs that pass IPv6 extension headers (RFC 8200 section 4). ip6tables `-p tcp` has found the TCP header before
 * they run, so every header on the way is one that the kernel knows: hop-by-hop, routing, fragment, destination; and
 * authentication, which is not opened. Up to five headers of 120 octets in all are walked (policy/packet-facts.ts).
 */
import { readableExtensions } from "../../policy/packet-facts.ts";
import {
  add,
  addX,
  assemble,
  copyXToA,
  jump,
  jumpIfAnyBit,
  jumpIfEqual,
  jumpIfGreater,
  loadHalfAtX,
  loadNumber,
  loadOctet,
  loadOctetAtX,
  loadXCell,
  loadXNumber,
  match,
  noMatch,
  shiftLeft,
  storeCell,
} from "./classic-bpf.ts";
import type { Line, Program } from "./classic-bpf.ts";

const tcp = 6;
const fragment = 44;
const authentication = 51;
const fixedHeader = 40;

/** A = type of the first header behind the fixed one, X = where it stands. */
const start: readonly Line[] = [loadOctet(6), loadXNumber(fixedHeader)];

/** From the header of type A at X to the next; to `tcp` if A is TCP. */
function pass(): Line[] {
  return [
    jumpIfEqual(tcp, "tcp"),
    // 8-octet units beyond the first 8. A fragment header has zero there.
    loadOctetAtX(1),
    shiftLeft(3),
    add(8),
    addX(),
    storeCell(0),
    loadOctetAtX(0),
    loadXCell(0),
  ];
}

/** Looks at each header of a type; the last one is not passed, because nothing behind it is asked for. */
function lookAt(type: number, look: readonly Line[]): Program {
  const lines = Array.from({ length: readableExtensions.headers }, (_, index): Line[] => {
    const isLast = index === readableExtensions.headers - 1;
    return [
      jumpIfEqual(type, undefined, `header ${index}`),
      ...look,
      loadNumber(type),
      `header ${index}`,
      ...(isLast ? [] : pass()),
    ];
  });
  return assemble([...start, ...lines.flat(), "tcp", noMatch(), "yes", match()]);
}

/** Whether a packet has extension headers. */
export function hasExtensions(): Program {
  return assemble([loadOctet(6), jumpIfEqual(tcp, "tcp"), match(), "tcp", noMatch()]);
}

/**
 * Whether IPsec protects what follows (RFC 4302). nf_tables takes this header for the transport, the legacy tables do
 * not; so that both do the same it is not opened, as in IPv4.
 */
export function isAuthenticated(): Program {
  return lookAt(authentication, [jump("yes")]);
}

/** Whether it is a fragment that does not begin the packet: no TCP header is in it. */
export function isLaterFragment(): Program {
  return lookAt(fragment, [loadHalfAtX(2), jumpIfAnyBit(0xfff8, "yes")]);
}

/** Whether a fragment header uses the octet that RFC 8200 section 4.5 reserves. */
export function usesReservedOctet(): Program {
  return lookAt(fragment, [loadOctetAtX(1), jumpIfGreater(0, "yes")]);
}

/** A = octets of extension headers; `too far` if there are more headers than are walked. */
function extensionOctets(lines: readonly Line[]): Program {
  const headers = Array.from({ length: readableExtensions.headers }, pass);
  return assemble([
    ...start,
    ...headers.flat(),
    jumpIfEqual(tcp, undefined, "too far"),
    "tcp",
    copyXToA(),
    add(-fixedHeader),
    ...lines,
  ]);
}

/** Whether the headers are more, or longer, than the programs can walk. */
export function isTooLong(): Program {
  return extensionOctets([
    jumpIfGreater(readableExtensions.octets, "too far"),
    jumpIfAnyBit(7, "too far"),
    noMatch(),
    "too far",
    match(),
  ]);
}

/** Whether bit `bit` of the number of 8-octet units is set. */
export function extensionBit(bit: number): Program {
  return extensionOctets([jumpIfAnyBit(bit * 8, undefined, "too far"), match(), "too far", noMatch()]);
}
