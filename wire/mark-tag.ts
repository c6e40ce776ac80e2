/**
 * The tag of an authenticated mark. Readers hold a key K; a host holds only what is derived from it for its address, so
 * it can sign for no other. The tag covers the records, the connection's addresses and ports, and the time in windows of
 * 64 seconds, so a mark that was seen is of no use elsewhere, nor later.
 *
 *     K_host = SipHash(K, "tattle-v2-host" 00 version source) || SipHash(K, "tattle-v2-host" 01 version source)
 *     tag    = SipHash(K_host, "tattle-v2" 00 | shape | key id | window (4) | version | source | destination
 *                              | source port (2) | destination port (2) | records)
 *
 * Integers in network order; version is the IP version, 4 or 6, in one octet; hashes little-endian.
 */
import {
  authenticatedHeaderOctets,
  countInShape,
  tagOctets,
  windowSeconds,
  windowTolerance,
} from "./authenticated-format.ts";
import { recordOctets } from "./mark-format.ts";
import { sipHash, sipHashOctets, sipKeyOctets } from "./siphash.ts";

const hostLabel = asciiOctets("tattle-v2-host");
const tagLabel = asciiOctets("tattle-v2\0");
/** Label, shape, key id, window, version, two addresses, two ports, four records. */
const longestMessage = 10 + 1 + 1 + 4 + 1 + 32 + 4 + 24;

/** What a tag vouches for beside the records. */
export interface TaggedPacket {
  /** 4 or 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** What looking at a tag showed. */
export type TagStatus = "verified" | "invalid" | "outside-window";

/** The window in which a moment lies, seconds since 1970. */
export function windowAt(seconds: number): number {
  return Math.floor(seconds / windowSeconds);
}

/** The key of the host with this address (4 or 16 octets): 16 octets. */
export function deriveHostKey(key: Uint8Array, address: Uint8Array): Uint8Array {
  const derived = new Uint8Array(sipKeyOctets);
  const message = new Uint8Array(hostLabel.length + 2 + address.length);
  message.set(hostLabel);
  message[hostLabel.length + 1] = address.length === 4 ? 4 : 6;
  message.set(address, hostLabel.length + 2);
  for (const half of [0, 1]) {
    message[hostLabel.length] = half;
    sipHash(key, message, message.length, derived, half * sipHashOctets);
  }
  return derived;
}

/** The tag of the option at `option` of `octets`, as it would be in this window: 8 octets. */
export function computeTag(
  hostKey: Uint8Array,
  packet: TaggedPacket,
  octets: Uint8Array,
  option: number,
  window: number,
): Uint8Array {
  const message = new Uint8Array(longestMessage);
  const view = new DataView(message.buffer);
  const shape = octets[option + 4] ?? 0;
  message.set(tagLabel);
  let at = tagLabel.length;
  message[at] = shape;
  message[at + 1] = (octets[option + 5] ?? 0) >> 4;
  view.setUint32(at + 2, window);
  message[at + 6] = packet.source.length === 4 ? 4 : 6;
  at += 7;
  message.set(packet.source, at);
  at += packet.source.length;
  message.set(packet.destination, at);
  at += packet.destination.length;
  view.setUint16(at, packet.sourcePort);
  view.setUint16(at + 2, packet.destinationPort);
  at += 4;
  const records = option + authenticatedHeaderOctets;
  const end = records + recordOctets * countInShape(shape);
  message.set(octets.subarray(records, end), at);
  at += end - records;
  const tag = new Uint8Array(tagOctets);
  sipHash(hostKey, message, at, tag, 0);
  return tag;
}

/**
 * Whether the tag of the well-formed option at `option`, of `length` octets, is the host's of about this time.
 * A tag that does not verify is forged, or an address or a port was rewritten on the way.
 */
export function verifyTag(
  hostKey: Uint8Array,
  packet: TaggedPacket,
  octets: Uint8Array,
  option: number,
  length: number,
  seconds: number,
): TagStatus {
  const window = nearestWindow((octets[option + 5] ?? 0) & 15, windowAt(seconds));
  if (window === undefined) return "outside-window";
  const tag = computeTag(hostKey, packet, octets, option, window);
  const sent = option + length - tagOctets;
  let difference = 0;
  for (let index = 0; index < tagOctets; index++)
    difference |= (tag[index] ?? 0) ^ (octets[sent + index] ?? 0);
  return difference === 0 ? "verified" : "invalid";
}

/** The window with these low bits that is near enough to `current`; undefined if none is. */
export function nearestWindow(windowLow: number, current: number): number | undefined {
  const ahead = (windowLow - current) & 15;
  const distance = ahead < 8 ? ahead : ahead - 16;
  return Math.abs(distance) <= windowTolerance ? current + distance : undefined;
}

function asciiOctets(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
