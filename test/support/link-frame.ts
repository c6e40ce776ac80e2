/** Frames for tests: an IP packet behind each link layer that the walk knows (LINKTYPE_ registry of tcpdump.org). */
import { joinOctets } from "./segment.ts";

/** The EtherType that an IP packet's version asks for. */
function etherTypeOf(packet: Uint8Array): readonly number[] {
  return (packet[0] ?? 0) >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00];
}

const addresses = [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01];

export interface VlanTag {
  readonly id: number;
  /** 0x8100 unless given; 0x88a8 is the outer tag of QinQ (IEEE 802.1ad). */
  readonly type?: number;
}

/** Ethernet, with VLAN tags if there are any, outermost first. Not padded to 60 octets. */
export function ethernetFrame(packet: Uint8Array, vlans: readonly VlanTag[] = []): Uint8Array {
  const tags = vlans.flatMap(({ id, type = 0x8100 }) => [type >> 8, type & 255, id >> 8, id & 255]);
  return joinOctets(addresses, tags, etherTypeOf(packet), packet);
}

/** MPLS labels between Ethernet and the packet (RFC 3032). */
export function mplsFrame(packet: Uint8Array, labels: readonly number[]): Uint8Array {
  const stack = labels.flatMap((label, index) => {
    const bottom = index === labels.length - 1 ? 1 : 0;
    return [(label >> 12) & 255, (label >> 4) & 255, ((label & 15) << 4) | bottom, 64];
  });
  return joinOctets(addresses, [0x88, 0x47], stack, packet);
}

/** PPPoE session (RFC 2516) in Ethernet. */
export function pppoeFrame(packet: Uint8Array): Uint8Array {
  const length = packet.length + 2;
  const header = [0x11, 0, 0, 7, length >> 8, length & 255];
  return joinOctets(addresses, [0x88, 0x64], header, pppProtocol(packet), packet);
}

function pppProtocol(packet: Uint8Array): readonly number[] {
  return (packet[0] ?? 0) >> 4 === 6 ? [0x00, 0x57] : [0x00, 0x21];
}

/** PPP with address and control octets (RFC 1662). */
export function pppFrame(packet: Uint8Array): Uint8Array {
  return joinOctets([0xff, 0x03], pppProtocol(packet), packet);
}

/** IEEE 802.3 length with LLC and SNAP. */
export function snapFrame(packet: Uint8Array): Uint8Array {
  const length = packet.length + 8;
  const snap = [0xaa, 0xaa, 3, 0, 0, 0];
  return joinOctets(addresses, [length >> 8, length & 255], snap, etherTypeOf(packet), packet);
}

/** Linux cooked capture, as `tcpdump -i any` writes it. */
export function sllFrame(packet: Uint8Array): Uint8Array {
  return joinOctets([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], etherTypeOf(packet), packet);
}

export function sll2Frame(packet: Uint8Array): Uint8Array {
  const rest = [0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
  return joinOctets(etherTypeOf(packet), rest, packet);
}

/** BSD loopback: the address family in the byte order of the capturing host (NULL), or big-endian (LOOP). */
export function loopbackFrame(packet: Uint8Array, byteOrder: "little" | "big" = "little"): Uint8Array {
  const family = (packet[0] ?? 0) >> 4 === 6 ? 30 : 2;
  return joinOctets(byteOrder === "little" ? [family, 0, 0, 0] : [0, 0, 0, family], packet);
}

/** NFLOG (linux/netfilter/nfnetlink_log.h): packet header, prefix, payload, as `tcpdump -i nflog:1` writes it. */
export function nflogFrame(packet: Uint8Array, prefix: string, packetMark?: number): Uint8Array {
  const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
  return joinOctets(
    [isVersion6 ? 10 : 2, 0, 0, 1],
    nflogAttribute(1, [...etherTypeOf(packet), 2, 0]),
    nflogAttribute(10, [...Buffer.from(prefix, "latin1"), 0]),
    nflogAttribute(4, [0, 0, 0, 2]),
    ...(packetMark === undefined ? [] : [nflogAttribute(2, bigEndian(packetMark))]),
    nflogAttribute(9, packet),
  );
}

function bigEndian(word: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, word);
  return new Uint8Array(view.buffer);
}

function nflogAttribute(type: number, value: Uint8Array | readonly number[]): Uint8Array {
  const length = 4 + value.length;
  return joinOctets([length & 255, length >> 8, type, 0], value, new Uint8Array((4 - (length % 4)) % 4));
}

/** An IEEE 802.11 data frame towards the access point, with quality-of-service field. */
export function wirelessFrame(packet: Uint8Array): Uint8Array {
  const header = joinOctets([0x88, 0x01, 0, 0], new Uint8Array(18).fill(2), [0, 0, 0, 0]);
  return joinOctets(header, [0xaa, 0xaa, 3, 0, 0, 0], etherTypeOf(packet), packet);
}

/** Radiotap in front of an 802.11 frame. */
export function radiotapFrame(packet: Uint8Array): Uint8Array {
  return joinOctets([0, 0, 8, 0, 0, 0, 0, 0], wirelessFrame(packet));
}
