/**
 * Packets for tests: fields in, octets with right checksums out. IPv4 (RFC 791), IPv6 with extension headers (RFC 8200),
 * TCP (RFC 9293), UDP, ICMP errors. Link layers are in link-frame.ts, tunnels in tunnel-packet.ts.
 */
import { parseAddress } from "../../wire/address.ts";
import { internetChecksum, transportChecksum } from "../../wire/checksum.ts";
import { encodeMark, markLength } from "../../wire/mark.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { protocols } from "../../wire/packet-walk.ts";

export interface IpFields {
  /** IPv4 or IPv6, in text; both of the same version. */
  readonly source: string;
  readonly destination: string;
  readonly ttl?: number;
  /** IPv4 identification. */
  readonly identification?: number;
  /** IPv4 options; padded to a multiple of 4 with end-of-list. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 extension headers, outermost first; the body is everything but the next-header octet. */
  readonly extensions?: readonly { readonly header: number; readonly body: Uint8Array }[];
  /** Offset in octets, a multiple of 8. */
  readonly fragment?: { readonly offset: number; readonly more: boolean };
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  /** Letters of FSRPAU (FIN, SYN, RST, PSH, ACK, URG); ACK alone if absent. */
  readonly flags?: string;
  readonly window?: number;
  /** Padded to a multiple of 4 with end-of-list; at most 40 octets. */
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
}

export function joinOctets(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Octets from hexadecimal text; blanks between are ignored. */
export function hexOctets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s+/g, ""), "hex"));
}

/** An IP packet around a transport header and its payload. */
export function ipPacket(ip: IpFields, protocol: number, transport: Uint8Array): Uint8Array {
  return ip.source.includes(":") ? ipv6Packet(ip, protocol, transport) : ipv4Packet(ip, protocol, transport);
}

function ipv4Packet(ip: IpFields, protocol: number, transport: Uint8Array): Uint8Array {
  const options = padded(ip.ipOptions ?? new Uint8Array(), 4);
  const headerLength = 20 + options.length;
  const packet = joinOctets(new Uint8Array(20), options, transport);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x40 | (headerLength / 4));
  view.setUint16(2, packet.length);
  view.setUint16(4, ip.identification ?? 0);
  const { offset, more } = ip.fragment ?? { offset: 0, more: false };
  view.setUint16(6, ip.fragment ? (more ? 0x2000 : 0) | (offset / 8) : 0x4000);
  view.setUint8(8, ip.ttl ?? 64);
  view.setUint8(9, protocol);
  packet.set(parseAddress(ip.source), 12);
  packet.set(parseAddress(ip.destination), 16);
  view.setUint16(10, internetChecksum(packet, 0, headerLength));
  return packet;
}

function ipv6Packet(ip: IpFields, protocol: number, transport: Uint8Array): Uint8Array {
  const extensions = [...(ip.extensions ?? [])];
  if (ip.fragment) extensions.push({ header: 44, body: fragmentBody(ip.fragment, ip.identification ?? 1) });
  const nexts = [...extensions.map((extension) => extension.header), protocol];
  const chain = extensions.map((extension, index) => joinOctets([nexts[index + 1] ?? 0], extension.body));
  const packet = joinOctets(new Uint8Array(40), ...chain, transport);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, packet.length - 40);
  view.setUint8(6, nexts[0] ?? 0);
  view.setUint8(7, ip.ttl ?? 64);
  packet.set(parseAddress(ip.source), 8);
  packet.set(parseAddress(ip.destination), 24);
  return packet;
}

/** RFC 8200 section 4.5, without the next-header octet. */
function fragmentBody(
  fragment: { readonly offset: number; readonly more: boolean },
  identification: number,
): Uint8Array {
  const body = new Uint8Array(7);
  const view = new DataView(body.buffer);
  view.setUint16(1, fragment.offset | (fragment.more ? 1 : 0));
  view.setUint32(3, identification);
  return body;
}

/** A TCP header with options and payload; the addresses go into its checksum. */
export function tcpSegment(ip: IpFields, tcp: TcpFields): Uint8Array {
  const options = padded(tcp.options ?? new Uint8Array(), 4);
  const segment = joinOctets(new Uint8Array(20), options, tcp.payload ?? []);
  const view = new DataView(segment.buffer);
  view.setUint16(0, tcp.sourcePort);
  view.setUint16(2, tcp.destinationPort);
  view.setUint32(4, tcp.sequence ?? 0);
  view.setUint32(8, tcp.acknowledgment ?? 0);
  view.setUint8(12, ((20 + options.length) / 4) << 4);
  view.setUint8(13, tcpFlags(tcp.flags ?? "A"));
  view.setUint16(14, tcp.window ?? 502);
  view.setUint16(16, checksumBetween(ip, protocols.tcp, segment));
  return segment;
}

function tcpFlags(letters: string): number {
  return letters.split("").reduce((flags, letter) => flags | (1 << "FSRPAU".indexOf(letter)), 0);
}

function checksumBetween(ip: IpFields, protocol: number, segment: Uint8Array): number {
  const [source, destination] = [parseAddress(ip.source), parseAddress(ip.destination)];
  return transportChecksum(segment, 0, segment.length, protocol, source, destination);
}

export function tcpPacket(ip: IpFields, tcp: TcpFields): Uint8Array {
  return ipPacket(ip, protocols.tcp, tcpSegment(ip, tcp));
}

export function udpPacket(
  ip: IpFields,
  udp: { readonly sourcePort: number; readonly destinationPort: number; readonly payload: Uint8Array },
): Uint8Array {
  const datagram = joinOctets(new Uint8Array(8), udp.payload);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, udp.sourcePort);
  view.setUint16(2, udp.destinationPort);
  view.setUint16(4, datagram.length);
  // RFC 768: a computed checksum of zero is sent as all ones.
  view.setUint16(6, checksumBetween(ip, protocols.udp, datagram) || 0xffff);
  return ipPacket(ip, protocols.udp, datagram);
}

/** An ICMP (or ICMPv6) error that quotes a packet: destination unreachable unless another type is given. */
export function icmpError(ip: IpFields, quoted: Uint8Array, type?: number): Uint8Array {
  const isVersion6 = ip.source.includes(":");
  const message = joinOctets([type ?? (isVersion6 ? 1 : 3), isVersion6 ? 4 : 1], new Uint8Array(6), quoted);
  const protocol = isVersion6 ? protocols.icmpv6 : protocols.icmp;
  const checksum = isVersion6
    ? checksumBetween(ip, protocol, message)
    : internetChecksum(message, 0, message.length);
  new DataView(message.buffer).setUint16(2, checksum);
  return ipPacket(ip, protocol, message);
}

/** The transport header and payload spread over IP fragments of at most `octets` each, a multiple of 8. */
export function fragments(
  ip: IpFields,
  protocol: number,
  transport: Uint8Array,
  octets: number,
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset < transport.length; offset += octets) {
    const more = offset + octets < transport.length;
    const fields = { ...ip, fragment: { offset, more } };
    packets.push(ipPacket(fields, protocol, transport.subarray(offset, offset + octets)));
  }
  return packets;
}

/** The octets of a mark. */
export function markOption(records: readonly DetectionRecord[], kind = 253, exid?: number): Uint8Array {
  const option = new Uint8Array(markLength(records.length, exid));
  encodeMark({ kind, ...(exid === undefined ? {} : { exid }), records }, new DataView(option.buffer), 0);
  return option;
}

/** Two no-operations and timestamps (RFC 7323 appendix A), as most segments carry. */
export function timestampsOption(value: number, echo: number): Uint8Array {
  const option = joinOctets([1, 1, 8, 10], new Uint8Array(8));
  const view = new DataView(option.buffer);
  view.setUint32(4, value >>> 0);
  view.setUint32(8, echo >>> 0);
  return option;
}

/** The 20 octets of options in a Linux SYN: segment size, SACK permitted, timestamps, no-operation, window scale. */
export function synOptions(value = 1, echo = 0): Uint8Array {
  const timestamps = timestampsOption(value, echo).subarray(2);
  return joinOctets([2, 4, 5, 0xb4, 4, 2], timestamps, [1, 3, 3, 7]);
}

function padded(octets: Uint8Array, multiple: number): Uint8Array {
  const missing = (multiple - (octets.length % multiple)) % multiple;
  return missing === 0 ? octets : joinOctets(octets, new Uint8Array(missing));
}
