/**
 * Where tshark and we differ, and why: by the whole capture, or by what a packet is. Anything else is a fault, and fails
 * the tests beside this file.
 */
import type { FieldRow } from "../support/tshark.ts";

/** Captures of which the two programs read a different number of frames, and why. */
export const otherCounts: ReadonlyMap<string, string> = new Map([
  ["trunc.pcap", "46 records of zeros: tshark shows frames without octets, for us they are damage"],
  ["fuzz.pcap", "a record of 1.4 GB: tshark shows its beginning, for us it is damage"],
  [
    "absurd-length.pcap",
    "a record of 4 GB: tshark takes the file for a variant with larger headers, from the beginning",
  ],
  ["test006.ntar", "a block whose length is no multiple of 4: tshark rounds it up, for us it is damage"],
]);

/** Of those, the ones that tshark reads in another way altogether: their packets are not compared. */
export const otherFormats: ReadonlySet<string> = new Set(["absurd-length.pcap"]);

interface Difference {
  readonly reason: string;
  /** Whether it can show in a frame of these protocols, as tshark names them from the outermost on. */
  readonly concerns: RegExp;
  /** Which of the two shows an IP header, a TCP header or options that the other does not. */
  readonly only: "ours" | "theirs";
}

/** Frames of which the two programs show different headers, and why. Only damaged ones have been seen. */
const otherHeaders: readonly Difference[] = [
  {
    reason: "NFLOG: tshark goes by the address family in the header, we by the packet's own version",
    concerns: /^nflog/,
    only: "ours",
  },
  {
    reason: "NFLOG: tshark reads on where an attribute's length cannot be",
    concerns: /^nflog:ip/,
    only: "theirs",
  },
  {
    reason: "BSD loopback: tshark does not know 10, by which Linux calls IPv6",
    concerns: /^null:data$/,
    only: "ours",
  },
  {
    reason: "BSD loopback: tshark takes some values for families that have more than one octet set",
    concerns: /^null:ip/,
    only: "theirs",
  },
  {
    reason:
      "Ethernet: a length that is longer than the frame is none for tshark; we read the LLC header behind it",
    concerns: /^eth:ethertype:data$/,
    only: "ours",
  },
  {
    reason: "PPP: compressed headers (RFC 2507, RFC 2508) are not read by us",
    concerns: /ppp:crtp/,
    only: "theirs",
  },
  {
    reason: "IEEE 802.11: of a fragment, tshark shows nothing before all have come; we read the first one",
    concerns: /wlan(:llc)?(:data)?$/,
    only: "ours",
  },
  {
    reason:
      "IEEE 802.11: a frame that says it holds several (A-MSDU) and holds one: tshark splits it, we read it as one",
    concerns: /wlan((:llc:data){2,}|:llc:sna:data)$/,
    only: "ours",
  },
  {
    reason: "IEEE 802.11: tshark puts fragments of other frames with the same number behind the first one",
    concerns: /wlan:llc:ip:ipv6:data$/,
    only: "ours",
  },
  {
    reason:
      "IEEE 802.3: tshark takes what is behind the frame's length for padding; we go by the length of the packet",
    concerns: /^eth:llc:ip/,
    only: "ours",
  },
  {
    reason: "IEEE 802.3: tshark reads LLC control fields of two octets, too",
    concerns: /^eth:llc:ip/,
    only: "theirs",
  },
  {
    reason: "GRE: tshark does not look for VLAN tags in it",
    concerns: /gre:data$/,
    only: "ours",
  },
  {
    reason: "GTP-U: tshark looks for Ethernet in it, we for IP only",
    concerns: /gtp:eth:ethertype:ip:data$/,
    only: "ours",
  },
  {
    reason: "MACsec (IEEE 802.1AE): tshark looks into frames that are not encrypted",
    concerns: /macsec/,
    only: "theirs",
  },
  {
    reason: "raw IP: tshark takes some beginnings for PPP's",
    concerns: /^raw:ppp:data$/,
    only: "ours",
  },
  {
    reason: "MPLS: tshark looks for Ethernet behind the labels (RFC 4448), we for IP only",
    concerns: /mpls:pwethheuristic/,
    only: "theirs",
  },
  {
    reason:
      "UDP between a port of DHCPv6 and VXLAN's: tshark goes by the lower port first, we look into every tunnel",
    concerns: /udp:dhcpv6$/,
    only: "ours",
  },
  {
    reason: "IEEE 802.11: tshark looks for an LLC header near the place where one should be",
    concerns: /wlan:llc:ip/,
    only: "theirs",
  },
  {
    reason:
      "ICMP errors: tshark goes by the length of the quote that RFC 4884 puts where older ones have zeros",
    concerns: /icmp/,
    only: "ours",
  },
];

/** Whether a header that only one of the two shows is explained. */
export function isExplained(row: FieldRow, only: "ours" | "theirs"): boolean {
  const names = row.get("frame.protocols")?.at(-1) ?? "";
  return otherHeaders.some((difference) => difference.only === only && difference.concerns.test(names));
}
