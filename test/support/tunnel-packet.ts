/** Tunnels for tests: a packet (or frame) inside another packet. */
import { protocols } from "../../wire/packet-walk.ts";
import { ethernetFrame } from "./link-frame.ts";
import { ipPacket, joinOctets, udpPacket } from "./segment.ts";
import type { IpFields } from "./segment.ts";

function isVersion6(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >> 4 === 6;
}

/** IP-in-IP, 6in4, 4in6, 6in6 (RFC 2003, RFC 4213, RFC 2473). */
export function ipInIp(outer: IpFields, packet: Uint8Array): Uint8Array {
  return ipPacket(outer, isVersion6(packet) ? protocols.ipv6 : protocols.ipip, packet);
}

export interface GreFields {
  readonly checksum?: boolean;
  readonly key?: number;
  readonly sequence?: number;
}

/** GRE (RFC 2784) with the optional fields of RFC 2890. */
export function gre(outer: IpFields, packet: Uint8Array, fields: GreFields = {}): Uint8Array {
  const word = (value: number): number[] => [
    value >>> 24,
    (value >> 16) & 255,
    (value >> 8) & 255,
    value & 255,
  ];
  const flags =
    (fields.checksum ? 0x80 : 0) |
    (fields.key === undefined ? 0 : 0x20) |
    (fields.sequence === undefined ? 0 : 0x10);
  const type = isVersion6(packet) ? [0x86, 0xdd] : [0x08, 0x00];
  return ipPacket(
    outer,
    protocols.gre,
    joinOctets(
      [flags, 0],
      type,
      fields.checksum ? word(0) : [],
      fields.key === undefined ? [] : word(fields.key),
      fields.sequence === undefined ? [] : word(fields.sequence),
      packet,
    ),
  );
}

/** VXLAN (RFC 7348): an Ethernet frame in UDP. */
export function vxlan(outer: IpFields, packet: Uint8Array, network = 42): Uint8Array {
  const header = [8, 0, 0, 0, (network >> 16) & 255, (network >> 8) & 255, network & 255, 0];
  const payload = joinOctets(header, ethernetFrame(packet));
  return udpPacket(outer, { sourcePort: 51234, destinationPort: 4789, payload });
}

/** Geneve (RFC 8926) with one option of 4 octets: an Ethernet frame in UDP. */
export function geneve(outer: IpFields, packet: Uint8Array): Uint8Array {
  const header = [2, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 2, 3, 1, 9, 9, 9, 9];
  const payload = joinOctets(header, ethernetFrame(packet));
  return udpPacket(outer, { sourcePort: 51234, destinationPort: 6081, payload });
}

/** GTP-U (3GPP TS 29.281): a user's packet, with a sequence number and a PDU session container if `extended`. */
export function gtpUser(outer: IpFields, packet: Uint8Array, extended = false): Uint8Array {
  const optional = extended ? [0, 9, 0, 0x85, 1, 0, 1, 0] : [];
  const length = optional.length + packet.length;
  const header = [extended ? 0x36 : 0x30, 255, length >> 8, length & 255, 0, 0, 0, 7];
  const payload = joinOctets(header, optional, packet);
  return udpPacket(outer, { sourcePort: 2152, destinationPort: 2152, payload });
}
