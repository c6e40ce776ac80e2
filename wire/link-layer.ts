/**
 * Where the IP header starts in a frame, by link type (the LINKTYPE_ registry of tcpdump.org).
 * Returns offsets, allocates nothing: this runs for every frame of a capture.
 */

export const linkTypes = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawDlt: 12,
  rawDltOpenBsd: 14,
  pppHdlc: 50,
  raw: 101,
  ieee80211: 105,
  loop: 108,
  linuxSll: 113,
  radiotap: 127,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

/** Link types whose frames we look into; a capture of another type is complete but holds nothing for us. */
export const knownLinkTypes: ReadonlySet<number> = new Set(Object.values(linkTypes));

export const etherTypes = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  qinq: 0x88a8,
  oldQinq: 0x9100,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  transparentEthernet: 0x6558,
} as const;

/** No IP header in this frame. */
export const noNetworkHeader = -1;

/** Offset of the IP header of the frame `octets[start, end)`, or `noNetworkHeader`. */
export function networkHeader(octets: Uint8Array, linkType: number, start: number, end: number): number {
  switch (linkType) {
    case linkTypes.ethernet:
      return ethernetPayload(octets, start, end);
    case linkTypes.raw:
    case linkTypes.rawDlt:
    case linkTypes.rawDltOpenBsd:
    case linkTypes.ipv4:
    case linkTypes.ipv6:
      return start < end ? start : noNetworkHeader;
    case linkTypes.linuxSll:
      return start + 16 <= end
        ? etherPayload(octets, word(octets, start + 14), start + 16, end)
        : noNetworkHeader;
    case linkTypes.linuxSll2:
      return start + 20 <= end ? etherPayload(octets, word(octets, start), start + 20, end) : noNetworkHeader;
    case linkTypes.null:
    case linkTypes.loop:
      return loopbackPayload(octets, start, end);
    case linkTypes.ppp:
    case linkTypes.pppHdlc:
      return pppPayload(octets, start, end);
    case linkTypes.nflog:
      return nflogAttribute(octets, nflogPayload, start, end);
    case linkTypes.ieee80211:
      return wirelessPayload(octets, start, end);
    case linkTypes.radiotap:
      return start + 4 <= end
        ? wirelessPayload(octets, start + littleWord(octets, start + 2), end)
        : noNetworkHeader;
    default:
      return noNetworkHeader;
  }
}

/** Offset of the IP header in an Ethernet frame. */
export function ethernetPayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 14 > end) return noNetworkHeader;
  const type = word(octets, start + 12);
  if (type === etherTypes.ipv4 || type === etherTypes.ipv6) return start + 14;
  // IEEE 802.3: below 1536 it is a length, and an LLC/SNAP header follows.
  return type < 1536 ? snapPayload(octets, start + 14, end) : etherPayload(octets, type, start + 14, end);
}

/** Offset of the IP header behind an EtherType: stacked VLAN tags (IEEE 802.1Q, 802.1ad), MPLS and PPPoE are passed. */
export function etherPayload(octets: Uint8Array, etherType: number, start: number, end: number): number {
  let type = etherType;
  let at = start;
  while (type === etherTypes.vlan || type === etherTypes.qinq || type === etherTypes.oldQinq) {
    if (at + 4 > end) return noNetworkHeader;
    type = word(octets, at + 2);
    at += 4;
  }
  switch (type) {
    case etherTypes.ipv4:
    case etherTypes.ipv6:
      return at < end ? at : noNetworkHeader;
    case etherTypes.mpls:
    case etherTypes.mplsMulticast:
      return mplsPayload(octets, at, end);
    case etherTypes.pppoeSession:
      // RFC 2516 section 4: 6 octets, then a PPP protocol number.
      return pppPayload(octets, at + 6, end);
    default:
      return type < 1536 ? snapPayload(octets, at, end) : noNetworkHeader;
  }
}

/** RFC 3032: 4 octets a label; bit 24 marks the bottom of the stack. What follows must look like IP (RFC 4928). */
function mplsPayload(octets: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 4 < end) {
    const bottom = ((octets[at + 2] ?? 0) & 1) === 1;
    at += 4;
    if (!bottom) continue;
    const version = (octets[at] ?? 0) >> 4;
    return version === 4 || version === 6 ? at : noNetworkHeader;
  }
  return noNetworkHeader;
}

/** RFC 1662: optional address and control octets (ff, mostly 03), then the protocol number in 1 or 2 octets. */
export function pppPayload(octets: Uint8Array, start: number, end: number): number {
  const at = octets[start] === 0xff ? start + 2 : start;
  if (at + 2 > end) return noNetworkHeader;
  const first = octets[at] ?? 0;
  const protocol = first & 1 ? first : word(octets, at);
  const payload = first & 1 ? at + 1 : at + 2;
  if (protocol === 0x0021 || protocol === 0x0057) return payload < end ? payload : noNetworkHeader;
  return protocol === 0x0281 ? mplsPayload(octets, payload, end) : noNetworkHeader;
}

/** BSD loopback: the address family in 4 octets of either byte order. Each BSD numbers AF_INET6 differently. */
function loopbackPayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 4 >= end) return noNetworkHeader;
  if (octets[start + 1] !== 0 || octets[start + 2] !== 0) return noNetworkHeader;
  const first = octets[start] ?? 0;
  const last = octets[start + 3] ?? 0;
  const family = first === 0 ? last : last === 0 ? first : 0;
  return family === 2 || family === 10 || family === 24 || family === 28 || family === 30
    ? start + 4
    : noNetworkHeader;
}

/** IEEE 802.2 LLC with SNAP: aa aa 03, three octets of organisation (zero, or 0000f8 of IEEE 802.1H), an EtherType. */
function snapPayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 8 > end || word(octets, start) !== 0xaaaa || octets[start + 2] !== 3) return noNetworkHeader;
  const organisation = octets[start + 5] ?? 0;
  if (word(octets, start + 3) !== 0 || (organisation !== 0 && organisation !== 0xf8)) return noNetworkHeader;
  const type = word(octets, start + 6);
  return type < 1536 ? noNetworkHeader : etherPayload(octets, type, start + 8, end);
}

/** IEEE 802.11 data frames that are not encrypted; A-MSDUs are not looked into. */
function wirelessPayload(octets: Uint8Array, start: number, end: number): number {
  if (start + 24 > end) return noNetworkHeader;
  const control = octets[start] ?? 0;
  const flags = octets[start + 1] ?? 0;
  const isData = (control & 0x0c) === 0x08;
  const hasNoPayload = (control & 0x40) !== 0;
  const isProtected = (flags & 0x40) !== 0;
  if (!isData || hasNoPayload || isProtected) return noNetworkHeader;
  const fourAddresses = (flags & 0x03) === 0x03;
  const quality = (control & 0x80) !== 0;
  // IEEE 802.11-2020 section 9.2.4.6: the order bit of a frame with quality of service says that 4 octets more follow.
  const hasHighThroughput = quality && (flags & 0x80) !== 0;
  const header = 24 + (fourAddresses ? 6 : 0) + (quality ? 2 : 0) + (hasHighThroughput ? 4 : 0);
  return snapPayload(octets, start + header, end);
}

/** NFLOG attribute types (linux/netfilter/nfnetlink_log.h). */
export const nflogMark = 2;
export const nflogPayload = 9;
export const nflogPrefix = 10;

/**
 * Offset of the value of one attribute of an NFLOG frame (4 octets of header, then length, type, value padded to 4).
 * Lengths are in the byte order of the capturing host; every machine that has been seen writes little-endian.
 */
export function nflogAttribute(octets: Uint8Array, wanted: number, start: number, end: number): number {
  let at = start + 4;
  while (at + 4 <= end) {
    const length = littleWord(octets, at);
    // The top bits of the type are netlink flags (nested, byte order).
    const type = littleWord(octets, at + 2) & 0x3fff;
    if (length < 4) return noNetworkHeader;
    if (type === wanted) return at + 4;
    at += (length + 3) & ~3;
  }
  return noNetworkHeader;
}

function word(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}

function littleWord(octets: Uint8Array, at: number): number {
  return (octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8);
}
