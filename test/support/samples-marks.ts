/** Samples of marks: carriers, variants, what only looks like a mark, and marks in odd places. */
import { linkTypes } from "../../wire/link-layer.ts";
import { protocols } from "../../wire/packet-walk.ts";
import { ethernetFrame } from "./link-frame.ts";
import { dataPacket, oneRecord, pairOf, pairOfVersion6 } from "./samples.ts";
import type { Sample } from "./samples.ts";
import {
  fragments,
  hexOctets,
  icmpError,
  joinOctets,
  markOption,
  synOptions,
  tcpPacket,
  tcpSegment,
  timestampsOption,
} from "./segment.ts";
import { geneve, gre, gtpUser, ipInIp, vxlan } from "./tunnel-packet.ts";

export interface SampleSet {
  readonly name: string;
  readonly about: string;
  readonly samples: readonly Sample[];
}

const mark = markOption([oneRecord]);

function sample(says: string, packet: Uint8Array, host?: string, records = 1): Sample {
  const octets = ethernetFrame(packet);
  return { octets, linkType: linkTypes.ethernet, says, ...(host === undefined ? {} : { host, records }) };
}

/** In the TCP options of a data packet of host `index`. */
function inTcp(says: string, index: number, options: Uint8Array, records: number): Sample {
  const packet = dataPacket(pairOf(index), options);
  return sample(says, packet, records > 0 ? `10.1.0.${index}` : undefined, records);
}

const recordsOf = (count: number): (typeof oneRecord)[] =>
  Array.from({ length: count }, (_, index) => ({ ...oneRecord, category: 1 + index, activity: 1 }));

const carriers: SampleSet = {
  name: "carriers",
  about: "Each kind of option that carries a mark, in the TCP header and in the IPv4 header.",
  samples: [
    inTcp("kind 253", 1, mark, 1),
    inTcp("kind 254", 2, markOption([oneRecord], 254), 1),
    inTcp("kind 253 behind timestamps", 3, joinOctets(timestampsOption(5, 4), mark), 1),
    inTcp("six records, 39 octets", 4, markOption(recordsOf(6)), 6),
    sample(
      "SYN with 20 octets of options and one record",
      tcpPacket(pairOf(5), {
        sourcePort: 40_000,
        destinationPort: 8080,
        flags: "S",
        options: joinOctets(synOptions(), mark),
      }),
      "10.1.0.5",
    ),
    ...[30, 94, 158, 222].map((type, index) => {
      const ip = { ...pairOf(6 + index), ipOptions: markOption([oneRecord], type) };
      return sample(`IPv4 option ${type}`, dataPacket(ip, new Uint8Array()), ip.source);
    }),
    sample(
      "both headers: the TCP header's counts",
      dataPacket({ ...pairOf(10), ipOptions: markOption([oneRecord], 222) }, markOption(recordsOf(2))),
      "10.1.0.10",
      2,
    ),
    sample("IPv6", dataPacket(pairOfVersion6(11), mark), "fd10::b"),
  ],
};

const repeated: SampleSet = {
  name: "duplicates",
  about: "More than one mark in a header: the first counts, the others are shown and never count.",
  samples: [
    inTcp("two marks", 1, joinOctets(markOption(recordsOf(2)), mark), 2),
    inTcp("three marks", 2, joinOctets(mark, mark, mark), 1),
    inTcp("mark behind end-of-list", 3, joinOctets([1, 1, 1, 0], mark), 0),
    inTcp("mark, then one behind end-of-list", 4, joinOctets(mark, [0], mark), 1),
  ],
};

const malformed: SampleSet = {
  name: "malformed",
  about: "Options of a mark's kind that were meant as marks and break the strict rule. None is a mark.",
  samples: [
    inTcp("count 0", 1, hexOctets("fd 03 00"), 0),
    inTcp("count 1, length 8", 2, hexOctets("fd 08 01 69b91a38 02"), 0),
    inTcp("count 2, length of 1 record", 3, hexOctets("fd 09 02 69b91a38 0201"), 0),
    inTcp("count 1, length of 2 records", 4, joinOctets(hexOctets("fd 0f 01"), new Uint8Array(12)), 0),
    inTcp("count 6, length 4", 5, hexOctets("fd 04 06 00"), 0),
    inTcp("malformed, then a mark", 6, joinOctets(hexOctets("fd 03 00"), mark), 1),
  ],
};

const foreign: SampleSet = {
  name: "foreign-options",
  about: "Options of kinds 253 and 254 that belong to others. None is a mark, none is an error.",
  samples: [
    inTcp("TCP Fast Open request, ExID f989", 1, hexOctets("fe 04 f989"), 0),
    inTcp("TCP Fast Open cookie, ExID f989", 2, hexOctets("fe 0c f989 261fb060cecab690"), 0),
    inTcp("AccECN, ExID acc0", 3, hexOctets("fe 0d acc0 00000100000100000100 00"), 0),
    inTcp("TARR, ExID 00ac", 4, hexOctets("fe 04 00ac"), 0),
    inTcp("TARR with a rate, ExID 00ac", 5, hexOctets("fe 06 00ac 0004"), 0),
    inTcp("ExID 0348", 6, hexOctets("fd 08 0348 00000000"), 0),
    inTcp("SMC-R, ExID e2d4c3d9", 7, hexOctets("fe 06 e2d4c3d9"), 0),
    inTcp("Fast Open, then a mark", 8, joinOctets(hexOctets("fe 04 f989"), mark), 1),
    inTcp("count 7 is nobody's", 9, joinOctets(hexOctets("fd 08 07"), new Uint8Array(5)), 0),
    inTcp("2 octets, no more than kind and length", 10, hexOctets("fd 02"), 0),
  ],
};

const quoted: SampleSet = {
  name: "quoted",
  about: "Marks inside ICMP errors: the host sent them once, but not now. Recorded as quoted, never ranked.",
  samples: [
    ...[3, 11, 12].map((type, index) =>
      sample(
        `ICMP type ${type} quotes a marked packet`,
        icmpError(
          { source: "192.0.2.1", destination: "10.1.0.1" },
          dataPacket(pairOf(index + 1), mark),
          type,
        ),
      ),
    ),
    sample(
      "ICMPv6 destination unreachable quotes a marked packet",
      icmpError({ source: "2001:db8::1", destination: "fd10::4" }, dataPacket(pairOfVersion6(4), mark)),
    ),
    sample(
      "ICMP that quotes 8 octets of TCP only",
      icmpError(
        { source: "192.0.2.1", destination: "10.1.0.5" },
        dataPacket(pairOf(5), mark).subarray(0, 28),
      ),
    ),
  ],
};

const outer = { source: "198.51.100.1", destination: "198.51.100.2" };
const outer6 = { source: "2001:db8:ffff::1", destination: "2001:db8:ffff::2" };

const tunnels: SampleSet = {
  name: "tunnels",
  about: "Marked packets inside tunnels. The host is the inner one.",
  samples: [
    sample("IP-in-IP", ipInIp(outer, dataPacket(pairOf(1), mark)), "10.1.0.1"),
    sample("6in4", ipInIp(outer, dataPacket(pairOfVersion6(2), mark)), "fd10::2"),
    sample("4in6", ipInIp(outer6, dataPacket(pairOf(3), mark)), "10.1.0.3"),
    sample("6in6", ipInIp(outer6, dataPacket(pairOfVersion6(4), mark)), "fd10::4"),
    sample("GRE", gre(outer, dataPacket(pairOf(5), mark)), "10.1.0.5"),
    sample(
      "GRE with key and sequence",
      gre(outer, dataPacket(pairOf(6), mark), { key: 7, sequence: 8 }),
      "10.1.0.6",
    ),
    sample("VXLAN", vxlan(outer, dataPacket(pairOf(7), mark)), "10.1.0.7"),
    sample("Geneve", geneve(outer, dataPacket(pairOf(8), mark)), "10.1.0.8"),
    sample("GTP-U", gtpUser(outer, dataPacket(pairOf(9), mark)), "10.1.0.9"),
    sample(
      "GTP-U with extension header",
      gtpUser(outer, dataPacket(pairOfVersion6(10), mark), true),
      "fd10::a",
    ),
    sample("GRE in IP-in-IP", ipInIp(outer, gre(outer, dataPacket(pairOf(11), mark))), "10.1.0.11"),
  ],
};

const inFragments: SampleSet = {
  name: "fragments",
  about:
    "IP fragments: the mark is in the first one; later ones hold no TCP header, whatever they look like.",
  samples: [
    ...fragments(
      { ...pairOf(1), identification: 77 },
      protocols.tcp,
      tcpSegment(pairOf(1), {
        sourcePort: 40_000,
        destinationPort: 8080,
        options: mark,
        payload: dataPacket(pairOf(1), mark),
      }),
      48,
    ).map((packet, index) =>
      sample(`IPv4 fragment ${index + 1}`, packet, index === 0 ? "10.1.0.1" : undefined),
    ),
    ...fragments(
      pairOfVersion6(2),
      protocols.tcp,
      tcpSegment(pairOfVersion6(2), {
        sourcePort: 40_000,
        destinationPort: 8080,
        options: mark,
        payload: mark,
      }),
      32,
    ).map((packet, index) =>
      sample(`IPv6 fragment ${index + 1}`, packet, index === 0 ? "fd10::2" : undefined),
    ),
  ],
};

function cut(says: string, packet: Uint8Array, octets: number, host?: string): Sample {
  const whole = sample(says, packet, host);
  return { ...whole, octets: whole.octets.subarray(0, octets), originalLength: whole.octets.length };
}

const marked = dataPacket(pairOf(1), mark);
const snapCut: SampleSet = {
  name: "snap-cut",
  about:
    "Frames that the snap length cut: a mark counts if it is whole; one that is cut is cut, not malformed.",
  samples: [
    cut("cut behind the TCP header", marked, 14 + 20 + 32, "10.1.0.1"),
    cut("cut behind the mark, within the padding", marked, 14 + 20 + 29, "10.1.0.1"),
    cut("cut within the mark", marked, 14 + 20 + 25),
    cut("cut behind the kind octet", marked, 14 + 20 + 21),
    cut("cut within the fixed TCP header", marked, 14 + 20 + 12),
    cut("cut within the IPv4 header", marked, 14 + 9),
    cut("nothing captured", marked, 0),
  ],
};

export const markSamples: readonly SampleSet[] = [
  carriers,
  repeated,
  malformed,
  foreign,
  quoted,
  tunnels,
  inFragments,
  snapCut,
];
