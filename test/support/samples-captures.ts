/** Samples of capture formats: link layers, byte orders, sections, damage. */
import { parseAddress } from "../../wire/address.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { PcapngBlocks, pcapHeader, pcapRecord, writePcap } from "./capture-writer.ts";
import type { PcapFormat } from "./capture-writer.ts";
import * as link from "./link-frame.ts";
import { dataPacket, describeSamples, framesOf, oneRecord, pairOf, pairOfVersion6 } from "./samples.ts";
import type { Fixture, Sample } from "./samples.ts";
import { joinOctets, markOption } from "./segment.ts";

const mark = markOption([oneRecord]);
const packet4 = (index: number): Uint8Array => dataPacket(pairOf(index), mark);
const packet6 = (index: number): Uint8Array => dataPacket(pairOfVersion6(index), mark);

/** Every link type in one capture: an interface each. */
function linkLayers(): Fixture {
  const { ethernetFrame } = link;
  const frames: readonly (readonly [linkType: number, says: string, octets: Uint8Array])[] = [
    [linkTypes.ethernet, "Ethernet", ethernetFrame(packet4(1))],
    [linkTypes.ethernet, "VLAN", ethernetFrame(packet4(2), [{ id: 5 }])],
    [linkTypes.ethernet, "QinQ", ethernetFrame(packet4(3), [{ id: 5, type: 0x88a8 }, { id: 6 }])],
    [linkTypes.ethernet, "MPLS", link.mplsFrame(packet4(4), [16, 17])],
    [linkTypes.ethernet, "PPPoE", link.pppoeFrame(packet4(5))],
    [linkTypes.ethernet, "LLC and SNAP", link.snapFrame(packet4(6))],
    [linkTypes.raw, "raw IP", packet4(7)],
    [linkTypes.ipv4, "raw IPv4", packet4(8)],
    [linkTypes.ipv6, "raw IPv6", packet6(9)],
    [linkTypes.linuxSll, "Linux cooked", link.sllFrame(packet4(10))],
    [linkTypes.linuxSll2, "Linux cooked v2", link.sll2Frame(packet6(11))],
    [linkTypes.null, "BSD loopback", link.loopbackFrame(packet4(12))],
    [linkTypes.null, "BSD loopback, big-endian host", link.loopbackFrame(packet6(13), "big")],
    [linkTypes.loop, "OpenBSD loopback", link.loopbackFrame(packet4(14), "big")],
    [linkTypes.ppp, "PPP", link.pppFrame(packet4(15))],
    [linkTypes.nflog, "NFLOG", link.nflogFrame(packet4(16), "tattle:accept")],
    [linkTypes.ieee80211, "802.11", link.wirelessFrame(packet4(17))],
    [linkTypes.radiotap, "radiotap", link.radiotapFrame(packet6(18))],
  ];
  const blocks = new PcapngBlocks();
  const interfaces = [...new Set(frames.map(([linkType]) => linkType))];
  const samples = frames.map(([linkType, says, octets], index): Sample => {
    const isVersion6 = [8, 10, 12, 17].includes(index);
    const host = isVersion6 ? pairOfVersion6(index + 1).source : pairOf(index + 1).source;
    return { octets, linkType, says: `${says} (${linkType})`, host };
  });
  const packets = framesOf(samples).map((frame, index) => {
    const number = interfaces.indexOf(frames[index]?.[0] ?? 0);
    return blocks.enhancedPacket({ ...frame, interface: number }, frame.time / 1000n);
  });
  return {
    name: "link-layers.pcapng",
    text: describeSamples(
      "Every link type that is looked into, an interface each; one marked packet a frame.",
      samples,
    ),
    octets: joinOctets(
      blocks.sectionHeader(),
      ...interfaces.map((linkType) => blocks.interfaceDescription(linkType)),
      ...packets,
    ),
  };
}

const three: readonly Sample[] = [1, 2, 3].map((index) => ({
  octets: link.ethernetFrame(packet4(index)),
  says: "a marked packet",
  host: `10.1.0.${index}`,
}));

function classic(name: string, about: string, format: PcapFormat): Fixture {
  return { name, text: describeSamples(about, three), octets: writePcap(framesOf(three), format) };
}

/** Two sections of different byte order with all blocks that matter and some that do not. */
function sections(): Fixture {
  const little = new PcapngBlocks("little");
  const big = new PcapngBlocks("big");
  const samples: Sample[] = [
    ["enhanced packet, microseconds, with a comment", 1],
    ["simple packet, without a time", 2],
    ["obsolete packet block", 3],
    ["big-endian section, nanoseconds", 4],
    ["big-endian section, 2^-10 seconds, two hours of offset", 5],
  ].map(([says, index]) => ({
    octets: link.ethernetFrame(packet4(Number(index))),
    says: String(says),
    host: `10.1.0.${index}`,
  }));
  const [first, second, third, fourth, fifth] = framesOf(samples);
  if (!first || !second || !third || !fourth || !fifth) throw new Error("five frames expected");
  const name = { address: parseAddress("10.1.0.1"), names: ["first.example", "alias.example"] };
  const name6 = { address: parseAddress("fd10::1"), names: ["sixth.example"] };
  return {
    name: "sections.pcapng",
    text: describeSamples(
      "Two sections of different byte order, four interfaces, every kind of block.",
      samples,
    ),
    octets: joinOctets(
      little.sectionHeader(little.comment("made by a test")),
      little.interfaceDescription(linkTypes.ethernet, { name: "lan0" }),
      little.nameResolution([name, name6]),
      little.decryptionSecrets("CLIENT_RANDOM 00 00\n"),
      little.enhancedPacket(first, first.time / 1000n, [little.comment("look at this one")]),
      little.simplePacket(second.octets),
      little.obsoletePacket(third, third.time / 1000n),
      little.block(0x0bad, new Uint8Array(8)),
      little.interfaceStatistics(0),
      big.sectionHeader(),
      big.interfaceDescription(linkTypes.ethernet, { resolution: 9, name: "wan0" }),
      big.interfaceDescription(linkTypes.ethernet, { resolution: 0x8a, offset: 7200n }),
      big.enhancedPacket(fourth, fourth.time),
      big.enhancedPacket({ ...fifth, interface: 1 }, (fifth.time / 1_000_000_000n) * 1024n + 512n),
    ),
  };
}

function damaged(): Fixture[] {
  const frames = framesOf(three);
  const whole = writePcap(frames);
  const lengths = frames.map((frame) => 16 + frame.octets.length);
  const absurd = frames.map((frame) => pcapRecord(frame));
  new DataView(absurd[1]?.buffer ?? new ArrayBuffer(12)).setUint32(8, 0xfffffff0, true);
  const cutAt = 24 + (lengths[0] ?? 0);
  return [
    {
      name: "cut-record.pcap",
      text: describeSamples(`The second record is cut short: partial at octet ${cutAt}.`, three.slice(0, 1)),
      octets: whole.subarray(0, cutAt + 40),
    },
    {
      name: "absurd-length.pcap",
      text: describeSamples(
        `The second record claims 4294967280 octets: damage at octet ${cutAt}, with too little behind it to go on.`,
        three.slice(0, 1),
      ),
      octets: joinOctets(pcapHeader(), ...absurd),
    },
    {
      name: "no-packets.pcap",
      text: describeSamples("A capture of no packets is complete.", []),
      octets: pcapHeader(),
    },
  ];
}

export function captureFixtures(): Fixture[] {
  return [
    linkLayers(),
    sections(),
    classic("nanoseconds.pcap", "Nanosecond times.", { variant: "nanoseconds" }),
    classic("big-endian.pcap", "Big-endian.", { byteOrder: "big" }),
    classic("modified.pcap", "Alexey Kuznetzov's variant: 24 octets of record header.", {
      variant: "modified",
    }),
    ...damaged(),
  ];
}
