import { describe, expect, test } from "vitest";
import { linkTypes } from "../../wire/link-layer.ts";
import { absent, PacketWalk, protocols } from "../../wire/packet-walk.ts";
import { mutate, seededRandom } from "../fuzz/random.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { markSamples } from "../support/samples-marks.ts";
import { dataPacket, oneRecord, pairOf, pairOfVersion6 } from "../support/samples.ts";
import {
  hexOctets,
  icmpError,
  ipPacket,
  joinOctets,
  markOption,
  tcpPacket,
  timestampsOption,
  udpPacket,
} from "../support/segment.ts";
import { geneve, gre, gtpUser, ipInIp, vxlan } from "../support/tunnel-packet.ts";

const mark = markOption([oneRecord]);

function walkRaw(packet: Uint8Array, captured = packet.length): PacketWalk {
  const walk = new PacketWalk(packet);
  walk.walk(linkTypes.raw, 0, captured);
  return walk;
}

describe.each(markSamples)("sample $name", ({ samples }) => {
  test.each(samples)("$says", (sample) => {
    // Around the frame lies what must not be read.
    const buffer = joinOctets(new Uint8Array(50).fill(253), sample.octets, new Uint8Array(50).fill(253));
    const walk = new PacketWalk(buffer);
    walk.walk(sample.linkType ?? linkTypes.ethernet, 50, 50 + sample.octets.length);
    const isMarked = walk.mark !== absent && !walk.markQuoted;
    expect(isMarked).toBe(sample.host !== undefined);
    if (sample.host !== undefined) expect(walk.markCount).toBe(sample.records);
  });
});

describe("counts of a header", () => {
  test.each([
    [
      "three marks: two are duplicates",
      joinOctets(mark, mark, mark),
      { markCount: 1, duplicates: 2, malformed: 0 },
    ],
    ["count 0", hexOctets("fd 03 00"), { markCount: 0, duplicates: 0, malformed: 1, malformedAt: 40 }],
    ["Fast Open", hexOctets("fe 04 f989"), { markCount: 0, malformed: 0 }],
    ["a mark behind end-of-list", joinOctets([0, 1, 1], mark), { markCount: 0, malformed: 0 }],
    [
      "a length that leads past the header",
      hexOctets("fd 40 01"),
      { markCount: 0, malformed: 0, cut: false },
    ],
    ["a length of 1", joinOctets(hexOctets("c8 01"), mark), { markCount: 0, malformed: 0 }],
    [
      "a kind without length at the very end",
      hexOctets("01 01 01 fd"),
      { markCount: 0, malformed: 0, cut: false },
    ],
  ])("%s", (_name, options, expected) => {
    expect(walkRaw(dataPacket(pairOf(1), options))).toMatchObject(expected);
  });

  test("one walk object forgets the frame before", () => {
    const walk = new PacketWalk(
      joinOctets(dataPacket(pairOf(1), joinOctets(mark, mark)), new Uint8Array(40)),
    );
    const fresh = Object.entries(new PacketWalk(new Uint8Array(1)));
    walk.walk(linkTypes.raw, 0, 80);
    expect(walk.mark).not.toBe(absent);
    walk.walk(linkTypes.raw, 90, 110);
    const left = Object.fromEntries(fresh.filter(([name]) => !name.endsWith("End")));
    expect(walk).toMatchObject(left);
  });
});

describe("headers", () => {
  test("IPv4: offsets of network, transport and TCP header, and where they end", () => {
    expect(walkRaw(dataPacket(pairOf(1), mark))).toMatchObject({
      ipVersion: 4,
      network: 0,
      protocol: 6,
      transport: 20,
      tcp: 20,
      tcpEnd: 52,
      packetEnd: 65,
      capturedEnd: 65,
    });
  });

  test("IPv6 extension headers are passed by their lengths", () => {
    const extensions = [
      { header: 0, body: hexOctets("00 0104 00000000") },
      { header: 43, body: hexOctets("01 0000 00000000 0000000000000000") },
      { header: 60, body: hexOctets("00 0104 00000000") },
      // The authentication header counts in units of 4 octets minus 2 (RFC 4302).
      { header: 51, body: hexOctets("04 0000 00000000 00000000 000000000000000000000000") },
    ];
    const walk = walkRaw(dataPacket({ ...pairOfVersion6(1), extensions }, mark));
    expect(walk).toMatchObject({ ipVersion: 6, protocol: 6, transport: 40 + 8 + 16 + 8 + 24, markCount: 1 });
  });

  test("padding behind a short IP packet is not read as TCP", () => {
    const frame = joinOctets(
      ethernetFrame(ipPacket(pairOf(1), protocols.tcp, new Uint8Array(4))),
      new Uint8Array(30),
    );
    const walk = new PacketWalk(frame);
    walk.walk(linkTypes.ethernet, 0, frame.length);
    expect(walk).toMatchObject({ transport: 34, tcp: absent, packetEnd: 38 });
  });

  test("a total length of 0 is a segment to be split by the network card", () => {
    const packet = dataPacket(pairOf(1), mark);
    new DataView(packet.buffer).setUint16(2, 0);
    expect(walkRaw(packet)).toMatchObject({ markCount: 1, packetEnd: packet.length });
  });

  test.each([
    ["a data offset below 5", 20 + 12, 0x40],
    ["an IPv4 header length below 5", 0, 0x44],
    ["IP version 5", 0, 0x55],
  ])("%s: no TCP header", (_name, at, octet) => {
    const packet = dataPacket(pairOf(1), mark);
    packet[at] = octet;
    expect(walkRaw(packet)).toMatchObject({ tcp: absent, mark: absent });
  });

  test("a TCP header that claims more than its packet holds is read as far as the packet goes", () => {
    const packet = tcpPacket(pairOf(1), { sourcePort: 1, destinationPort: 2, options: mark });
    packet[32] = 0xf0;
    expect(walkRaw(packet)).toMatchObject({ markCount: 1, tcpEnd: 80, cut: false });
  });

  test("a mark in UDP is none", () => {
    const payload = joinOctets(new Uint8Array(12), mark);
    expect(walkRaw(udpPacket(pairOf(1), { sourcePort: 1, destinationPort: 2, payload })).mark).toBe(absent);
  });
});

test("the short way for plain segments finds what the long way finds", () => {
  const random = seededRandom(7);
  const plain = dataPacket(pairOf(1), timestampsOption(1, 2));
  const seeds = [plain, dataPacket(pairOf(1), new Uint8Array()), dataPacket(pairOf(1), mark)];
  const header = 14;
  for (let trial = 0; trial < 20_000; trial++) {
    const packet = trial < seeds.length ? (seeds[trial] ?? plain) : mutate(random.pick(seeds), random);
    const frame = joinOctets(ethernetFrame(plain).subarray(0, header), packet);
    const short = new PacketWalk(frame);
    short.walk(linkTypes.ethernet, 0, frame.length);
    // Link type 101 knows no short way.
    const long = new PacketWalk(frame);
    long.walk(linkTypes.raw, header, frame.length);
    expect(Object.entries(short)).toEqual(Object.entries(long));
  }
});

describe("tunnels", () => {
  const inner = dataPacket(pairOf(1), mark);
  test.each([
    [
      "GRE with source routes (RFC 1701)",
      gre(pairOf(2), inner),
      20,
      "4000 0800 00000000 0800 0004 c6336401 00000000",
    ],
    ["GRE of a version that does not exist", gre(pairOf(2), inner), 20, "0005 0800"],
    ["VXLAN without its flag", vxlan(pairOf(2), inner), 28, "0000000000002a00"],
    ["Geneve of another version", geneve(pairOf(2), inner), 28, "4200655800002a00"],
  ])("%s is looked into, as Wireshark does", (_name, packet, at, header) => {
    const octets = hexOctets(header);
    const usual = packet[9] === protocols.gre ? 4 : 8;
    const changed = joinOctets(packet.subarray(0, at), octets, packet.subarray(at + usual));
    new DataView(changed.buffer).setUint16(2, changed.length);
    expect(walkRaw(changed)).toMatchObject({ markCount: 1, markCarrier: "tcp" });
  });

  test("an ICMPv6 error quotes IPv6 and nothing else", () => {
    expect(walkRaw(icmpError(pairOfVersion6(2), inner)).mark).toBe(absent);
    const quoted = dataPacket(pairOfVersion6(1), mark);
    expect(walkRaw(icmpError(pairOfVersion6(2), quoted))).toMatchObject({ markCount: 1, markQuoted: true });
  });

  test("deeper than eight headers are not walked", () => {
    let packet = dataPacket(pairOf(1), mark);
    for (let depth = 0; depth < 7; depth++) packet = ipInIp(pairOf(2), packet);
    expect(walkRaw(packet).markCount).toBe(1);
    expect(walkRaw(ipInIp(pairOf(2), packet)).markCount).toBe(0);
  });

  test.each([
    ["IP in IP", ipInIp(pairOf(2), inner), 2, 20],
    ["6in6", ipInIp(pairOfVersion6(2), dataPacket(pairOfVersion6(1), mark)), 4, 0],
    ["GRE", gre(pairOf(2), inner), 2, 20],
    ["VXLAN", vxlan(pairOf(2), inner), 2, 20],
    ["Geneve", geneve(pairOf(2), inner), 2, 20],
    ["GTP-U", gtpUser(pairOf(2), inner), 2, 20],
  ])("%s: octets behind the outer packet are not the inner one's", (_name, packet, lengthAt, header) => {
    const withoutOptions = packet.length - (inner.length - 40);
    const view = new DataView(packet.buffer, packet.byteOffset);
    expect(walkRaw(packet).markCount).toBe(1);
    const outer = (packet[0] ?? 0) >> 4 === 6 ? 40 : 20;
    view.setUint16(lengthAt, withoutOptions - outer + header);
    expect(walkRaw(packet)).toMatchObject({ mark: absent, malformed: 0, cut: false });
  });

  test.each([
    ["VXLAN", vxlan(pairOf(2), inner)],
    ["Geneve", geneve(pairOfVersion6(2), inner)],
    ["GTP-U", gtpUser(pairOf(2), inner)],
  ])("%s: octets behind the UDP datagram are not the inner packet's", (_name, packet) => {
    const view = new DataView(packet.buffer, packet.byteOffset);
    const outer = (packet[0] ?? 0) >> 4 === 6 ? 40 : 20;
    view.setUint16(outer + 4, packet.length - outer - (inner.length - 40));
    expect(walkRaw(packet)).toMatchObject({ mark: absent, malformed: 0, cut: false });
    view.setUint16(outer + 4, 7);
    expect(walkRaw(packet)).toMatchObject({ network: 0, mark: absent });
  });

  test("GTP-U: octets behind its own length are not the inner packet's", () => {
    const packet = gtpUser(pairOf(2), inner, true);
    const view = new DataView(packet.buffer, packet.byteOffset);
    expect(walkRaw(packet).markCount).toBe(1);
    view.setUint16(30, view.getUint16(30) - (inner.length - 40));
    expect(walkRaw(packet)).toMatchObject({ mark: absent, malformed: 0, cut: false });
  });

  test("a UDP datagram without a length is as long as its packet, if that has none either", () => {
    const packet = vxlan(pairOf(2), inner);
    const view = new DataView(packet.buffer, packet.byteOffset);
    view.setUint16(24, 0);
    expect(walkRaw(packet).mark).toBe(absent);
    view.setUint16(2, 0);
    expect(walkRaw(packet).markCount).toBe(1);
  });

  test("the mark's IP header is the inner one", () => {
    expect(walkRaw(gre(pairOf(2), dataPacket(pairOf(1), mark)))).toMatchObject({
      network: 24,
      markNetwork: 24,
      markCarrier: "tcp",
    });
  });
});

test("a mark that the capture cut is cut at every octet, never malformed, never misread", () => {
  const packet = dataPacket(pairOf(1), joinOctets([1, 1], mark));
  // Option at 42, 9 octets, and one of padding: the list ends at 52.
  for (let captured = 40; captured < packet.length; captured++) {
    const walk = walkRaw(packet, captured);
    expect(walk.malformed).toBe(0);
    expect(walk.markCount).toBe(captured >= 51 ? 1 : 0);
    expect(walk.cut).toBe(captured < 52);
  }
});
