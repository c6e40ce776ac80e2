import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  linkTypes,
  networkHeader,
  nflogAttribute,
  nflogPrefix,
  noNetworkHeader,
} from "../../wire/link-layer.ts";
import * as link from "../support/link-frame.ts";
import { dataPacket, pairOf, pairOfVersion6 } from "../support/samples.ts";
import { hexOctets, joinOctets } from "../support/segment.ts";

const packet4 = dataPacket(pairOf(1), new Uint8Array());
const packet6 = dataPacket(pairOfVersion6(1), new Uint8Array());

type Layer = readonly [
  name: string,
  linkType: number,
  header: number,
  frame: (packet: Uint8Array) => Uint8Array,
];

const layers: readonly Layer[] = [
  ["Ethernet", linkTypes.ethernet, 14, (packet) => link.ethernetFrame(packet)],
  ["one VLAN tag", linkTypes.ethernet, 18, (packet) => link.ethernetFrame(packet, [{ id: 7 }])],
  [
    "QinQ (802.1ad)",
    linkTypes.ethernet,
    22,
    (packet) => link.ethernetFrame(packet, [{ id: 7, type: 0x88a8 }, { id: 8 }]),
  ],
  [
    "QinQ of old",
    linkTypes.ethernet,
    22,
    (packet) => link.ethernetFrame(packet, [{ id: 7, type: 0x9100 }, { id: 8 }]),
  ],
  ["one MPLS label", linkTypes.ethernet, 18, (packet) => link.mplsFrame(packet, [16])],
  ["three MPLS labels", linkTypes.ethernet, 26, (packet) => link.mplsFrame(packet, [16, 17, 18])],
  ["PPPoE", linkTypes.ethernet, 22, link.pppoeFrame],
  ["LLC and SNAP", linkTypes.ethernet, 22, link.snapFrame],
  ["raw IP", linkTypes.raw, 0, (packet) => packet],
  ["raw IP by its DLT", linkTypes.rawDlt, 0, (packet) => packet],
  ["Linux cooked", linkTypes.linuxSll, 16, link.sllFrame],
  ["Linux cooked v2", linkTypes.linuxSll2, 20, link.sll2Frame],
  ["BSD loopback", linkTypes.null, 4, link.loopbackFrame],
  ["BSD loopback of a big-endian host", linkTypes.null, 4, (packet) => link.loopbackFrame(packet, "big")],
  ["OpenBSD loopback", linkTypes.loop, 4, (packet) => link.loopbackFrame(packet, "big")],
  ["PPP", linkTypes.ppp, 4, link.pppFrame],
  ["PPP in HDLC-like framing", linkTypes.pppHdlc, 4, link.pppFrame],
  // 4 of header, 8 of packet header, 16 of prefix, 8 of interface, 4 of attribute header.
  ["NFLOG", linkTypes.nflog, 40, (packet) => link.nflogFrame(packet, "tattle:drop")],
  ["802.11", linkTypes.ieee80211, 34, link.wirelessFrame],
  ["radiotap", linkTypes.radiotap, 42, link.radiotapFrame],
];

describe("the IP header stands behind", () => {
  test.each(layers)("%s (link type %i): %i octets", (_name, linkType, header, frame) => {
    for (const packet of [packet4, packet6]) {
      const octets = frame(packet);
      expect(networkHeader(octets, linkType, 0, octets.length)).toBe(header);
      // Offsets are of the buffer, wherever the frame lies in it.
      const shifted = joinOctets(new Uint8Array(9).fill(0xa5), octets);
      expect(networkHeader(shifted, linkType, 9, shifted.length)).toBe(9 + header);
    }
  });

  test.each(layers)("%s: not in a frame that is cut before it", (_name, linkType, header, frame) => {
    const octets = frame(packet4);
    for (let end = 0; end < header; end++)
      expect(networkHeader(octets, linkType, 0, end)).toBe(noNetworkHeader);
  });
});

test.each([
  ["ARP", linkTypes.ethernet, "020000000002 020000000001 0806 0001080006040001"],
  ["LLC without SNAP", linkTypes.ethernet, "020000000002 020000000001 0026 424203 0000000000000000"],
  ["PPP that is no IP", linkTypes.ppp, "ff03 c021 0101000400000000"],
  [
    "MPLS over something that is no IP",
    linkTypes.ethernet,
    "020000000002 020000000001 8847 00010140 00000000",
  ],
  [
    "SNAP of another organisation",
    linkTypes.ethernet,
    "020000000002 020000000001 0020 aaaa03 00000c 0800 4500001400000000",
  ],
  ["an address family that two octets claim", linkTypes.null, "02000002 4500001400000000"],
  ["an address family with other octets set", linkTypes.null, "02010000 4500001400000000"],
  ["an unknown address family", linkTypes.null, "07000000 4500001400000000"],
  [
    "an 802.11 beacon",
    linkTypes.ieee80211,
    "8000 0000 ffffffffffff 020000000001 020000000001 0000 0000000000000000",
  ],
  [
    "an encrypted 802.11 frame",
    linkTypes.ieee80211,
    "0841 0000 020000000001 020000000002 020000000003 0000 aaaa03000000 0800 45",
  ],
  ["NFLOG with an attribute of length 0", linkTypes.nflog, "02000001 0000 0100 00000000"],
  ["an unknown link type", 147, "4500001400000000"],
])("%s holds no IP header", (_name, linkType, text) => {
  const octets = hexOctets(text);
  expect(networkHeader(octets, linkType, 0, octets.length)).toBe(noNetworkHeader);
});

test.each([
  ["PPP with another control octet", linkTypes.ppp, 4, "ff13 0021"],
  ["SNAP of IEEE 802.1H", linkTypes.ethernet, 22, "020000000002 020000000001 0030 aaaa03 0000f8 0800"],
  [
    "802.11 with quality of service and high throughput",
    linkTypes.ieee80211,
    38,
    "8881 0000 020000000001 020000000002 020000000003 0000 0000 00000000 aaaa03 000000 0800",
  ],
])("%s (link type %i): the IP header stands behind %i octets", (_name, linkType, header, text) => {
  const octets = joinOctets(hexOctets(text), packet4);
  expect(networkHeader(octets, linkType, 0, octets.length)).toBe(header);
});

test("the prefix of an NFLOG frame is found by its attribute", () => {
  const octets = link.nflogFrame(packet4, "tattle:drop:contain-c2");
  const at = nflogAttribute(octets, nflogPrefix, 0, octets.length);
  expect(Buffer.from(octets.subarray(at, at + 22)).toString("latin1")).toBe("tattle:drop:contain-c2");
});

test("any octets as any link type: an offset within the frame or none", () => {
  const anyLinkType = fc.constantFrom(...Object.values(linkTypes));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), anyLinkType, (octets, linkType) => {
      const at = networkHeader(octets, linkType, 0, octets.length);
      expect(at === noNetworkHeader || (at >= 0 && at <= octets.length)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
