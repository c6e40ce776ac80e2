/** What another host saw of a marked one: each TCP packet's kind, length and mark, as wire/ reads them. */
import { formatAddress } from "../../wire/address.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { decodeMark } from "../../wire/mark.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { readCaptured } from "./captured.ts";

export type PacketKind = "SYN" | "SYN-ACK" | "data" | "ACK" | "FIN" | "RST";

export interface SeenPacket {
  readonly kind: PacketKind;
  readonly source: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** Octets of the IP packet. */
  readonly length: number;
  readonly payloadOctets: number;
  /** Octets of options, padding included. */
  readonly optionOctets: number;
  /** Records of the mark; none if it has none. */
  readonly records: readonly DetectionRecord[];
}

/** The TCP packets in the capture so far. */
export function readSeen(file: string): SeenPacket[] {
  return readCaptured(file).flatMap(({ octets }) => {
    const walk = new PacketWalk(octets);
    walk.walk(linkTypes.raw, 0, octets.length);
    return walk.tcp === absent ? [] : [describePacket(octets, walk)];
  });
}

function describePacket(octets: Uint8Array, walk: PacketWalk): SeenPacket {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const { tcp, tcpEnd, packetEnd } = walk;
  const header = new DataView(octets.buffer, octets.byteOffset, tcpEnd);
  const payloadOctets = packetEnd - tcpEnd;
  return {
    kind: kindOf(view.getUint8(tcp + 13), payloadOctets),
    source: formatAddress(view, walk.ipVersion === 4 ? 12 : 8, walk.ipVersion === 4 ? 4 : 6),
    sourcePort: view.getUint16(tcp),
    destinationPort: view.getUint16(tcp + 2),
    sequence: view.getUint32(tcp + 4),
    length: packetEnd,
    payloadOctets,
    optionOctets: tcpEnd - tcp - 20,
    records: walk.mark === absent ? [] : (decodeMark(header, walk.mark)?.records ?? []),
  };
}

function kindOf(flags: number, payloadOctets: number): PacketKind {
  if ((flags & 0x02) !== 0) return (flags & 0x10) === 0 ? "SYN" : "SYN-ACK";
  if ((flags & 0x04) !== 0) return "RST";
  if ((flags & 0x01) !== 0) return "FIN";
  return payloadOctets > 0 ? "data" : "ACK";
}
