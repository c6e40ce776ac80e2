/** The frames of a probe: Ethernet, IPv4 or IPv6, TCP, with the options that are tried. */
import { internetChecksum, transportChecksum } from "../../wire/checksum.ts";
import { etherTypes } from "../../wire/link-layer.ts";
import { protocols } from "../../wire/packet-walk.ts";

/** Where frames go, and from where. */
export interface ProbePath {
  readonly interfaceName: string;
  /** 6 octets. */
  readonly sourceMac: Uint8Array;
  readonly nextHopMac: Uint8Array;
  /** 4 or 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

export interface ProbeSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** Each a multiple of 4 octets. */
  readonly ipOptions: readonly number[];
  readonly tcpOptions: readonly number[];
  readonly payload: readonly number[];
}

export const flags = { syn: 0x02, reset: 0x04, push: 0x08, acknowledgment: 0x10 } as const;

const window = 64_240;
const hopLimit = 64;

/** The whole Ethernet frame, checksums included. */
export function probeFrame(path: ProbePath, segment: ProbeSegment): Uint8Array {
  const isVersion4 = path.source.length === 4;
  const header = isVersion4 ? 20 + segment.ipOptions.length : 40;
  const tcp = 14 + header;
  const frame = new Uint8Array(tcp + 20 + segment.tcpOptions.length + segment.payload.length);
  const view = new DataView(frame.buffer);
  frame.set(path.nextHopMac, 0);
  frame.set(path.sourceMac, 6);
  view.setUint16(12, isVersion4 ? etherTypes.ipv4 : etherTypes.ipv6);
  if (isVersion4) writeIpv4(frame, view, path, segment.ipOptions);
  else writeIpv6(frame, view, path);
  writeTcp(frame, view, tcp, segment);
  const { source, destination } = path;
  view.setUint16(tcp + 16, transportChecksum(frame, tcp, frame.length, protocols.tcp, source, destination));
  return frame;
}

function writeIpv4(frame: Uint8Array, view: DataView, path: ProbePath, options: readonly number[]): void {
  const length = 20 + options.length;
  view.setUint8(14, 0x40 | (length / 4));
  view.setUint16(16, frame.length - 14);
  // Do not fragment: RFC 6864 then asks nothing of the identification.
  view.setUint16(20, 0x4000);
  view.setUint8(22, hopLimit);
  view.setUint8(23, protocols.tcp);
  frame.set(path.source, 26);
  frame.set(path.destination, 30);
  frame.set(options, 34);
  view.setUint16(24, internetChecksum(frame, 14, 14 + length));
}

function writeIpv6(frame: Uint8Array, view: DataView, path: ProbePath): void {
  view.setUint8(14, 0x60);
  view.setUint16(18, frame.length - 54);
  view.setUint8(20, protocols.tcp);
  view.setUint8(21, hopLimit);
  frame.set(path.source, 22);
  frame.set(path.destination, 38);
}

function writeTcp(frame: Uint8Array, view: DataView, at: number, segment: ProbeSegment): void {
  const options = segment.tcpOptions;
  view.setUint16(at, segment.sourcePort);
  view.setUint16(at + 2, segment.destinationPort);
  view.setUint32(at + 4, segment.sequence);
  view.setUint32(at + 8, segment.acknowledgment);
  view.setUint8(at + 12, ((20 + options.length) / 4) << 4);
  view.setUint8(at + 13, segment.flags);
  view.setUint16(at + 14, window);
  frame.set(options, at + 20);
  frame.set(segment.payload, at + 20 + options.length);
}
