/** Where the inner IP header starts in a tunnel's payload. Returns offsets, allocates nothing. */
import { etherPayload, ethernetPayload, etherTypes, noNetworkHeader, pppPayload } from "./link-layer.ts";

/** Flags of VXLAN and versions of Geneve are not looked at: Wireshark shows the frame inside whatever they say. */
const vxlanPort = 4789;
const genevePort = 6081;
const gtpUserPort = 2152;

/** GRE (RFC 1701, RFC 2784, RFC 2890; a version that does not exist is read as 0) and the enhanced GRE of PPTP (RFC 2637): flags say which fields are present. */
export function grePayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 4 > end) return noNetworkHeader;
  const flags = word(octets, start);
  const type = word(octets, start + 2);
  const has = (bit: number): number => ((flags & bit) === 0 ? 0 : 4);
  if ((flags & 7) === 1 && type === pointToPoint)
    return pppPayload(octets, start + 8 + has(0x1000) + has(0x0080), end);
  const isRouted = (flags & 0x4000) !== 0;
  const checksum = isRouted ? 4 : has(0x8000);
  const fields = start + 4 + checksum + has(0x2000) + has(0x1000);
  const payload = isRouted ? behindRoutes(octets, fields, end) : fields;
  if (type === etherTypes.transparentEthernet) return ethernetPayload(octets, payload, end);
  if (type === erspanType2) return ethernetPayload(octets, payload + (has(0x1000) === 0 ? 0 : 8), end);
  return etherPayload(octets, type, payload, end);
}

/** EtherType of PPP in the enhanced GRE. */
const pointToPoint = 0x880b;

/** Source routes (RFC 1701): family, offset, length and addresses each; one of length 0 is the last. */
function behindRoutes(octets: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 4 <= end) {
    const length = octets[at + 3] ?? 0;
    at += 4 + length;
    if (length === 0) return at;
  }
  return end;
}

/** ERSPAN type I has no header of its own; type II has 8 octets, and says so by GRE's sequence bit. */
const erspanType2 = 0x88be;

/** VXLAN (RFC 7348), Geneve (RFC 8926) and GTP-U (3GPP TS 29.281), told by the UDP ports. `start` is the UDP header. */
export function udpTunnelPayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 16 > end) return noNetworkHeader;
  switch (tunnelPort(octets, start)) {
    case vxlanPort:
      return ethernetPayload(octets, start + 16, end);
    case genevePort:
      return genevePayload(octets, start + 8, end);
    case gtpUserPort:
      return gtpPayload(octets, start + 8, end);
    default:
      return noNetworkHeader;
  }
}

/** Where that payload ends, if the datagram ends at `end`: GTP-U has a length of its own, which counts from octet 8 on. */
export function udpTunnelEnd(octets: Uint8Array, start: number, end: number): number {
  if (tunnelPort(octets, start) !== gtpUserPort) return end;
  const own = start + 16 + word(octets, start + 10);
  return own < end ? own : end;
}

/** 0 if neither port is a tunnel's. */
function tunnelPort(octets: Uint8Array, start: number): number {
  const source = word(octets, start);
  const destination = word(octets, start + 2);
  if (destination === vxlanPort || source === vxlanPort) return vxlanPort;
  if (destination === genevePort || source === genevePort) return genevePort;
  return destination === gtpUserPort || source === gtpUserPort ? gtpUserPort : 0;
}

function genevePayload(octets: Uint8Array, start: number, end: number): number {
  const first = octets[start] ?? 0;
  const payload = start + 8 + (first & 0x3f) * 4;
  const type = word(octets, start + 2);
  if (type === etherTypes.transparentEthernet) return ethernetPayload(octets, payload, end);
  return etherPayload(octets, type, payload, end);
}

/** A G-PDU (message 255) holds a user's IP packet behind 8 octets, 4 more if a flag is set, and extension headers. */
function gtpPayload(octets: Uint8Array, start: number, end: number): number {
  const flags = octets[start] ?? 0;
  if (flags >> 4 !== 3 || octets[start + 1] !== 255) return noNetworkHeader;
  let at = start + 8;
  if ((flags & 7) === 0) return looksLikeIp(octets, at, end);
  let next = (flags & 4) === 0 ? 0 : (octets[at + 3] ?? 0);
  at += 4;
  while (next !== 0) {
    const length = (octets[at] ?? 0) * 4;
    if (length === 0 || at + length > end) return noNetworkHeader;
    next = octets[at + length - 1] ?? 0;
    at += length;
  }
  return looksLikeIp(octets, at, end);
}

function looksLikeIp(octets: Uint8Array, at: number, end: number): number {
  const version = at < end ? (octets[at] ?? 0) >> 4 : 0;
  return version === 4 || version === 6 ? at : noNetworkHeader;
}

function word(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
