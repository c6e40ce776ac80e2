/**
 * What a policy looks at in a packet, read as the kernel's matchers read it: TCP directly in the outermost IP header
 * (tunnels are opened where they end), the mark by the strict rule of wire/.
 */
import { isAuthenticatedLength } from "../wire/authenticated-format.ts";
import { countRecords, decodeRecord, firstRecord, foreignOption } from "../wire/mark.ts";
import type { DetectionRecord } from "../wire/mark.ts";
import { recordOctets } from "../wire/mark-format.ts";
import { linkTypes } from "../wire/link-layer.ts";
import { absent, PacketWalk, protocols } from "../wire/packet-walk.ts";
import type { MarkSelection } from "../wire/packet-walk.ts";

/** What the network says about a packet beyond its octets. */
export interface PacketPath {
  /** Interface it came in by; absent if that is not known. */
  readonly arrivesOn?: string;
  /** Interface it leaves by; absent for a packet that stays on this host. */
  readonly leavesBy?: string;
  /** Whether both sides of its connection have spoken. */
  readonly established: boolean;
}

/** What is known of a mark's tag; none: the mark has none, no-key: nobody here could check it. */
export type TagKnowledge = "none" | "unchecked" | "no-key" | "verified" | "invalid";

/** Says what the tag of the walk's mark is worth. */
export type CheckTag = (packet: Uint8Array, walk: PacketWalk) => "no-key" | "verified" | "invalid";

export interface PacketFacts extends PacketPath {
  /** 4 or 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Records of the mark; none if the packet is unmarked. */
  readonly records: readonly DetectionRecord[];
  readonly tag: TagKnowledge;
  /** An authenticated mark that holds no records, and no mark that does: rules do not see it, but it tells outsiders. */
  readonly isRecordless: boolean;
  /**
   * Whether the mark can be removed: no option of its kinds is someone else's, which would be damaged, and the header
   * is whole.
   */
  readonly isStrippable: boolean;
  /** Whether the matchers in the kernel can find the TCP header. */
  readonly isReadable: boolean;
}

/** Matchers in the kernel walk this many IPv6 extension headers, and this many octets of them in all. */
export const readableExtensions = { headers: 5, octets: 120 } as const;

/**
 * Facts about a TCP packet whose IP header is at octet 0; undefined for anything else, later fragments included. Without
 * `checkTag` tags stay unchecked.
 */
export function readPacketFacts(
  packet: Uint8Array,
  path: PacketPath,
  selection: MarkSelection,
  checkTag?: CheckTag,
): PacketFacts | undefined {
  const walk = new PacketWalk(packet, selection);
  walk.walk(linkTypes.raw, 0, packet.length);
  if (walk.network !== 0) return undefined;
  const isVersion4 = walk.ipVersion === 4;
  const header = isVersion4 ? findInIpv4(walk) : findBehindExtensions(packet);
  if (header === "none") return undefined;
  const isReadable = header === "readable";
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const isMarked = isReadable && walk.markCarrier === "tcp" && walk.mark !== absent && walk.markNetwork === 0;
  const isRecordless = isReadable && !isMarked && walk.recordless;
  return {
    ...path,
    source: isVersion4 ? packet.slice(12, 16) : packet.slice(8, 24),
    destination: isVersion4 ? packet.slice(16, 20) : packet.slice(24, 40),
    records: isMarked ? readRecords(view, walk) : [],
    tag:
      isMarked && isAuthenticatedLength(walk.markLength) ? (checkTag?.(packet, walk) ?? "unchecked") : "none",
    isRecordless,
    isStrippable:
      (isMarked || isRecordless) &&
      walk.tcpEnd <= walk.capturedEnd &&
      !hasForeignOption(packet, walk, selection),
    isReadable,
  };
}

function readRecords(view: DataView, walk: PacketWalk): DetectionRecord[] {
  const first = firstRecord(walk.mark, walk.markLength, walk.markCount);
  return Array.from({ length: walk.markCount }, (_, index) =>
    decodeRecord(view, first + recordOctets * index),
  );
}

function hasForeignOption(packet: Uint8Array, walk: PacketWalk, selection: MarkSelection): boolean {
  const end = Math.min(walk.tcpEnd, walk.packetEnd, packet.length);
  for (let at = walk.tcp + 20; at < end;) {
    const kind = packet[at] ?? 0;
    if (kind === 0) return false;
    const length = kind === 1 ? 1 : (packet[at + 1] ?? 0);
    if (kind !== 1 && (length < 2 || at + length > end)) return false;
    if (
      selection.kinds.includes(kind) &&
      countRecords(packet, at, length, selection.exid) === foreignOption &&
      !isAuthenticated(packet, at, length, selection)
    ) {
      return true;
    }
    at += length;
  }
  return false;
}

/** An authenticated mark, right or wrong; without records it says nothing of activities, but is ours. */
function isAuthenticated(
  packet: Uint8Array,
  at: number,
  length: number,
  { authenticatedExid }: MarkSelection,
): boolean {
  const exid = ((packet[at + 2] ?? 0) << 8) | (packet[at + 3] ?? 0);
  return length >= 4 && exid === authenticatedExid;
}

/**
 * Hop-by-hop, routing, fragment, destination: the extension headers behind which TCP is looked for. Authentication
 * (51) is not opened, as in IPv4; nf_tables would not find TCP behind it. Mobility, HIP and shim6 headers are a
 * protocol of their own to netfilter.
 */
const passedExtensions = new Set([0, 43, 44, 60]);

type HeaderPlace = "readable" | "unreadable" | "none";

function findInIpv4(walk: PacketWalk): HeaderPlace {
  return walk.protocol === protocols.tcp && walk.transport !== absent ? "readable" : "none";
}

function findBehindExtensions(packet: Uint8Array): HeaderPlace {
  let next = packet[6] ?? 0;
  let at = 40;
  let isSimple = true;
  for (let headers = 1; next !== protocols.tcp; headers++) {
    if (!passedExtensions.has(next) || at + 8 > packet.length) return "none";
    if (headers > readableExtensions.headers) isSimple = false;
    const type = next;
    const lengthOctet = packet[at + 1] ?? 0;
    next = packet[at] ?? 0;
    if (type === 44) {
      const isLater = (((packet[at + 2] ?? 0) << 8) | (packet[at + 3] ?? 0)) > 7;
      // Behind the fifth header nothing tells a later fragment from a whole packet.
      if (isLater) return isSimple || next !== protocols.tcp ? "none" : "unreadable";
      // RFC 8200 section 4.5 wants this octet zero; the matchers read it as a length.
      if (lengthOctet !== 0) isSimple = false;
    }
    at += type === 44 ? 8 : (lengthOctet + 1) * 8;
  }
  if (at >= packet.length) return "none";
  return isSimple && at - 40 <= readableExtensions.octets ? "readable" : "unreadable";
}
