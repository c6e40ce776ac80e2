/** Frames of every link layer, tunnel and kind of option: what the fuzzer mutates. */
import { linkTypes } from "../../wire/link-layer.ts";
import * as link from "../support/link-frame.ts";
import {
  hexOctets,
  icmpError,
  ipPacket,
  joinOctets,
  markOption,
  synOptions,
  tcpPacket,
  tcpSegment,
  timestampsOption,
} from "../support/segment.ts";
import { geneve, gre, gtpUser, ipInIp, vxlan } from "../support/tunnel-packet.ts";
import type { Seed } from "./walk-target.ts";

const ip4 = { source: "10.0.0.1", destination: "192.0.2.9" };
const ip6 = { source: "fd00::1", destination: "2001:db8::9" };
const outer = { source: "198.51.100.1", destination: "198.51.100.2" };
const ports = { sourcePort: 40_000, destinationPort: 443 };
const record = { detectedAt: 1_773_738_000, category: 2, activity: 1 };

const optionLists: readonly Uint8Array[] = [
  markOption([record]),
  markOption([record, record, record, record, record, record]),
  joinOctets(timestampsOption(1, 2), markOption([record, record])),
  joinOctets(synOptions(), markOption([record])),
  joinOctets(markOption([record]), markOption([record], 254)),
  markOption([record], 254, 0x4d4b),
  hexOctets("fe0cf989261fb060cecab690"),
  hexOctets("fd0902650000000203"),
  hexOctets("00fd0901650000000203"),
  new Uint8Array(),
];

/** Every option list over IPv4 and IPv6, and one packet in every link layer and tunnel. */
export function seedFrames(): Seed[] {
  const packets = optionLists.flatMap((options) => [
    tcpPacket(ip4, { ...ports, options }),
    tcpPacket(ip6, { ...ports, options }),
  ]);
  const [packet = new Uint8Array(), packet6 = new Uint8Array()] = packets;
  const carried = ipPacket({ ...ip4, ipOptions: hexOctets("1e0901650000000203") }, 6, tcpSegment(ip4, ports));
  const tunnels = [
    ipInIp(outer, packet),
    ipInIp(outer, packet6),
    gre(outer, packet, { key: 7, sequence: 1, checksum: true }),
    vxlan(outer, packet),
    geneve(outer, packet6),
    gtpUser(outer, packet, true),
    icmpError({ source: outer.source, destination: ip4.source }, packet),
    icmpError({ source: "2001:db8::ffff", destination: ip6.source }, packet6),
    carried,
  ];
  const raw = [...packets, ...tunnels].map((octets) => ({ linkType: linkTypes.raw, octets }));
  const framed = [packet, packet6, ...tunnels].flatMap((octets) => [
    {
      linkType: linkTypes.ethernet,
      octets: link.ethernetFrame(octets, [{ id: 7, type: 0x88a8 }, { id: 9 }]),
    },
    { linkType: linkTypes.ethernet, octets: link.mplsFrame(octets, [16, 17]) },
    { linkType: linkTypes.ethernet, octets: link.pppoeFrame(octets) },
    { linkType: linkTypes.ethernet, octets: link.snapFrame(octets) },
    { linkType: linkTypes.linuxSll, octets: link.sllFrame(octets) },
    { linkType: linkTypes.linuxSll2, octets: link.sll2Frame(octets) },
    { linkType: linkTypes.null, octets: link.loopbackFrame(octets) },
    { linkType: linkTypes.nflog, octets: link.nflogFrame(octets, "tattle:drop:rule") },
    { linkType: linkTypes.ppp, octets: link.pppFrame(octets) },
    { linkType: linkTypes.radiotap, octets: link.radiotapFrame(octets) },
  ]);
  return [...raw, ...framed];
}
