/**
 * From a frame to its IP and TCP headers and its mark, without allocating: one walk object is reused for every frame
 * and its fields are the result. IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), TCP (RFC 9293), tunnels,
 * and the packets quoted in ICMP errors (RFC 792, RFC 4443).
 */
import { linkTypes, networkHeader, noNetworkHeader } from "./link-layer.ts";
import { countRecords, malformedOption, recordlessMark } from "./mark.ts";
import type { Carrier } from "./mark.ts";
import { ipv4MarkTypes, tcpMarkKinds } from "./mark-format.ts";
import { grePayload, udpTunnelEnd, udpTunnelPayload } from "./tunnel.ts";

export interface MarkSelection {
  /** TCP option kinds read as marks. */
  readonly kinds: readonly number[];
  /** Experiment identifier that marks may carry (RFC 6994), besides those without one. */
  readonly exid?: number;
  /** Experiment identifier of authenticated marks, if those are read, too. */
  readonly authenticatedExid?: number;
}

export const defaultMarkSelection: MarkSelection = { kinds: tcpMarkKinds };

/** Headers nested deeper than this are not walked: no real tunnel is, and a hostile frame must end. */
const maximumDepth = 8;

export const protocols = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58 } as const;

/** The end of a packet that lies in no other: behind every buffer. */
const unbounded = 0x7fff_ffff;

/** A field that points nowhere. */
export const absent = -1;

export class PacketWalk {
  /** IP version of the innermost IP header, 0 if the frame holds none. */
  ipVersion: 0 | 4 | 6 = 0;
  /** Offset of the innermost IP header, or `absent`. */
  network = absent;
  /** Protocol number behind it and its extension headers. */
  protocol = 0;
  /** Offset of the transport header, or `absent` (no IP, a later fragment, cut). */
  transport = absent;
  /** Where the IP packet ends by its own length and that of the packets around it; past `capturedEnd` if the capture is cut. */
  packetEnd = 0;
  /** Where the captured octets of the packet end. */
  capturedEnd = 0;
  /** Offset of a whole TCP header (20 octets or more, all captured up to its options), or `absent`. */
  tcp = absent;
  /** Where the TCP header ends by its data offset; its options may be cut. */
  tcpEnd = absent;
  /** Whether the packet is quoted inside an ICMP error: seen, but not sent by the host just now. */
  quoted = false;
  /** Number of IP headers where they nest, the outermost first; 0 where `network` is the only one. */
  levels = 0;
  /** Of each level: offset of the IP header, that of the transport header or `absent`, and the protocol behind. */
  readonly networks = new Int32Array(maximumDepth);
  readonly transports = new Int32Array(maximumDepth);
  readonly protocolsBehind = new Uint8Array(maximumDepth);

  /** Offset of the option that is the mark, or `absent`. */
  mark = absent;
  markLength = 0;
  /** Number of records, 1 to 6; 0 without a mark. */
  markCount = 0;
  markCarrier: Carrier = "tcp";
  /** Offset of the IP header of the packet that carries the mark, or `absent`. */
  markNetwork = absent;
  /** Whether that packet is only quoted. */
  markQuoted = false;
  /** Whether a TCP header holds an authenticated mark without records: no mark of a detection, but one of ours. */
  recordless = false;
  /** Further marks in the same header: shown, never counting. */
  duplicates = 0;
  /** Options of a mark's kind that break the strict rule. */
  malformed = 0;
  /** Offset of the first malformed option, or `absent`. */
  malformedAt = absent;
  /** Whether an option of a mark's kind, or the option list, is cut by the snap length. */
  cut = false;

  readonly #isTcpMarkKind = new Uint8Array(256);
  readonly #isIpv4MarkType = new Uint8Array(256);
  readonly #exid: number | undefined;
  readonly #authenticatedExid: number | undefined;
  #octets: Uint8Array;
  /** Whether the last IPv4 header says no length: its packet ends where what is around it ends. */
  #hasNoLength = false;
  /** Whether `quoted` or a field of a mark differs from what it begins with. */
  #hasFindings = false;

  constructor(octets: Uint8Array, selection: MarkSelection = defaultMarkSelection) {
    this.#octets = octets;
    this.#exid = selection.exid;
    this.#authenticatedExid = selection.authenticatedExid;
    for (const kind of selection.kinds) this.#isTcpMarkKind[kind] = 1;
    for (const type of ipv4MarkTypes) this.#isIpv4MarkType[type] = 1;
  }

  /** Continues on another buffer, as when a larger one became necessary. */
  useBuffer(octets: Uint8Array): void {
    this.#octets = octets;
  }

  /** Walks the frame `[start, end)` of the buffer; the fields hold what was found. */
  walk(linkType: number, start: number, end: number): void {
    if (this.#hasFindings) this.#resetFindings();
    if (linkType === linkTypes.ethernet && this.#plainSegment(start, end)) return;
    this.#resetHeaders();
    this.packetEnd = unbounded;
    let at = networkHeader(this.#octets, linkType, start, end);
    let innerEnd = end;
    for (let depth = 0; at !== noNetworkHeader && depth < maximumDepth; depth++) {
      const inner = this.#internet(at, innerEnd);
      if (this.network === at && (inner !== noNetworkHeader || this.levels > 0)) this.#noteLevel(at);
      // What lies behind the outer packet, as the padding of a short Ethernet frame, is not the inner one's.
      innerEnd = this.capturedEnd;
      at = inner;
    }
  }

  #noteLevel(at: number): void {
    this.networks[this.levels] = at;
    this.transports[this.levels] = this.transport;
    this.protocolsBehind[this.levels] = this.protocol;
    this.levels++;
  }

  /**
   * Whether the frame is Ethernet, IPv4 without options or fragments, and TCP that is whole, without options or with
   * timestamps alone: most frames are, and looking at one go saves a tenth of the time. Any doubt goes the long way.
   */
  #plainSegment(start: number, end: number): boolean {
    const octets = this.#octets;
    const network = start + 14;
    const tcp = network + 20;
    if (tcp + 20 > end) return false;
    if (octets[start + 12] !== 8 || octets[start + 13] !== 0 || octets[network] !== 0x45) return false;
    if (octets[network + 9] !== protocols.tcp || (this.#word(network + 6) & 0x3fff) !== 0) return false;
    const packetEnd = network + this.#word(network + 2);
    const capturedEnd = packetEnd < end ? packetEnd : end;
    const tcpEnd = tcp + ((octets[tcp + 12] ?? 0) >> 4) * 4;
    if (tcpEnd < tcp + 20 || tcpEnd > capturedEnd) return false;
    if (tcpEnd > tcp + 20 && !this.#isTimestampsOnly(tcp + 20, tcpEnd)) return false;
    this.ipVersion = 4;
    this.network = network;
    this.protocol = protocols.tcp;
    this.transport = tcp;
    this.packetEnd = packetEnd;
    this.capturedEnd = capturedEnd;
    this.tcp = tcp;
    this.tcpEnd = tcpEnd;
    this.levels = 0;
    return true;
  }

  #resetHeaders(): void {
    this.levels = 0;
    this.ipVersion = 0;
    this.network = absent;
    this.protocol = 0;
    this.transport = absent;
    this.tcp = absent;
    this.tcpEnd = absent;
  }

  #resetFindings(): void {
    this.#hasFindings = false;
    this.recordless = false;
    this.quoted = false;
    this.mark = absent;
    this.markLength = 0;
    this.markCount = 0;
    this.markNetwork = absent;
    this.markQuoted = false;
    this.duplicates = 0;
    this.malformed = 0;
    this.malformedAt = absent;
    this.cut = false;
  }

  /** One IP header and what is in it; returns where an inner IP header starts, if any. */
  #internet(at: number, end: number): number {
    const version = (this.#octets[at] ?? 0) >> 4;
    if (version === 4) return this.#ipv4(at, end);
    if (version === 6) return this.#ipv6(at, end);
    return noNetworkHeader;
  }

  #ipv4(at: number, end: number): number {
    const octets = this.#octets;
    if (at + 20 > end) return noNetworkHeader;
    const headerEnd = at + ((octets[at] ?? 0) & 15) * 4;
    const totalLength = this.#word(at + 2);
    // A total length of 0 is a segment that the network card was to split (TSO): it ends where the frame ends.
    const packetEnd = totalLength === 0 ? end : at + totalLength;
    this.#hasNoLength = totalLength === 0;
    if (headerEnd < at + 20 || headerEnd > packetEnd) return noNetworkHeader;
    this.ipVersion = 4;
    this.network = at;
    this.#carry(packetEnd, end, octets[at + 9] ?? 0);
    if (headerEnd > at + 20) this.#options(at + 20, headerEnd, this.#isIpv4MarkType, "ipv4");
    const isLaterFragment = (this.#word(at + 6) & 0x1fff) !== 0;
    return isLaterFragment || headerEnd > this.capturedEnd ? noNetworkHeader : this.#transport(headerEnd);
  }

  #ipv6(at: number, end: number): number {
    if (at + 40 > end) return noNetworkHeader;
    const payloadLength = this.#word(at + 4);
    this.ipVersion = 6;
    this.network = at;
    // A payload length of 0 is a jumbogram (RFC 2675) or a segment to be split (TSO).
    this.#carry(payloadLength === 0 ? end : at + 40 + payloadLength, end, this.#octets[at + 6] ?? 0);
    let next = at + 40;
    while (isExtensionHeader(this.protocol)) {
      if (next + 8 > this.capturedEnd) return noNetworkHeader;
      if (this.protocol === 44 && (this.#word(next + 2) & 0xfff8) !== 0) {
        this.protocol = this.#octets[next] ?? 0;
        return noNetworkHeader;
      }
      const length = extensionLength(this.protocol, this.#octets[next + 1] ?? 0);
      this.protocol = this.#octets[next] ?? 0;
      next += length;
    }
    return this.#transport(next);
  }

  #carry(packetEnd: number, end: number, protocol: number): void {
    // Of a quoted packet only the beginning is here, so it goes on behind the error that quotes it.
    this.packetEnd = packetEnd < this.packetEnd || this.quoted ? packetEnd : this.packetEnd;
    this.capturedEnd = this.packetEnd < end ? this.packetEnd : end;
    this.protocol = protocol;
    this.transport = absent;
  }

  #transport(at: number): number {
    if (at >= this.capturedEnd) return noNetworkHeader;
    this.transport = at;
    switch (this.protocol) {
      case protocols.tcp:
        this.#tcp(at);
        return noNetworkHeader;
      case protocols.ipip:
      case protocols.ipv6:
        return at;
      case protocols.gre:
        return grePayload(this.#octets, at, this.capturedEnd);
      case protocols.udp:
        return this.#udp(at);
      case protocols.icmp:
      case protocols.icmpv6:
        return this.#icmpQuote(at);
      default:
        return noNetworkHeader;
    }
  }

  /** What a tunnel in UDP holds ends with the datagram (RFC 768), or before it by the tunnel's own length. */
  #udp(at: number): number {
    if (at + 8 > this.capturedEnd) return noNetworkHeader;
    const length = this.#word(at + 4);
    // In IPv6 none may be said (RFC 2675); in IPv4 only of a segment that is still to be split, as of its packet.
    const mayBeNone = this.ipVersion === 6 || this.#hasNoLength;
    if (length < 8 && (length > 0 || !mayBeNone)) return noNetworkHeader;
    const said = length === 0 || at + length > this.packetEnd ? this.packetEnd : at + length;
    const payloadEnd = udpTunnelEnd(this.#octets, at, said);
    const end = payloadEnd < this.capturedEnd ? payloadEnd : this.capturedEnd;
    const payload = udpTunnelPayload(this.#octets, at, end);
    if (payload === noNetworkHeader) return noNetworkHeader;
    this.packetEnd = payloadEnd;
    this.capturedEnd = end;
    return payload;
  }

  /** RFC 792 and RFC 4443: errors quote the packet that caused them behind 8 octets. */
  #icmpQuote(at: number): number {
    const type = this.#octets[at] ?? 0;
    const isError =
      this.protocol === protocols.icmp
        ? type === 3 || type === 4 || type === 5 || type === 11 || type === 12
        : type >= 1 && type <= 4;
    if (!isError || at + 8 >= this.capturedEnd) return noNetworkHeader;
    // RFC 4443 quotes IPv6 only: anything else there is no packet that was sent.
    if (this.protocol === protocols.icmpv6 && (this.#octets[at + 8] ?? 0) >> 4 !== 6) return noNetworkHeader;
    this.quoted = true;
    this.#hasFindings = true;
    return at + 8;
  }

  #tcp(at: number): void {
    if (at + 20 > this.capturedEnd) return;
    const tcpEnd = at + ((this.#octets[at + 12] ?? 0) >> 4) * 4;
    if (tcpEnd < at + 20) return;
    this.tcp = at;
    this.tcpEnd = tcpEnd;
    const isPlain = tcpEnd <= this.capturedEnd && this.#isTimestampsOnly(at + 20, tcpEnd);
    if (tcpEnd > at + 20 && !isPlain) this.#options(at + 20, tcpEnd, this.#isTcpMarkKind, "tcp");
  }

  /**
   * Two no-operations and timestamps (RFC 7323 appendix A), alone: what most segments carry. One look instead of the
   * option walk saves 12 of 80 ns a packet.
   */
  #isTimestampsOnly(start: number, end: number): boolean {
    const octets = this.#octets;
    return (
      end === start + 12 &&
      octets[start] === 1 &&
      octets[start + 1] === 1 &&
      octets[start + 2] === 8 &&
      octets[start + 3] === 10
    );
  }

  /**
   * The option list `[start, end)`: the first option that passes the strict rule is the mark. A mark in an inner or
   * later header replaces one found before it: the TCP header's is what policy acts on. What an ICMP error quotes never
   * replaces the error's own mark: the quoted packet is not the one that was sent.
   */
  #options(start: number, headerEnd: number, isMarkKind: Uint8Array, carrier: Carrier): void {
    const octets = this.#octets;
    // A header that claims more than its packet holds is not whole, whatever the capture cut.
    const end = headerEnd < this.packetEnd ? headerEnd : this.packetEnd;
    const captured = end < this.capturedEnd ? end : this.capturedEnd;
    let found = false;
    let at = start;
    while (at < captured) {
      const kind = octets[at] ?? 0;
      if (kind === 0) return;
      if (kind === 1) {
        at++;
        continue;
      }
      if (at + 1 >= captured) break;
      const length = octets[at + 1] ?? 0;
      if (length < 2 || at + length > end) return;
      if (at + length > captured) break;
      if (isMarkKind[kind] === 1) {
        // The tag is of a TCP packet's addresses and ports.
        const authenticatedExid = carrier === "tcp" ? this.#authenticatedExid : undefined;
        const count = countRecords(octets, at, length, this.#exid, authenticatedExid);
        this.#hasFindings = true;
        if (count === malformedOption) this.#noteMalformed(at);
        else if (count === recordlessMark) this.recordless = true;
        else if (count > 0 && found) this.duplicates++;
        else if (count > 0) {
          found = true;
          if (!this.quoted || this.mark === absent || this.markQuoted)
            this.#keepMark(at, length, count, carrier);
        }
      }
      at += length;
    }
    if (captured === end) return;
    this.cut = true;
    this.#hasFindings = true;
  }

  #keepMark(at: number, length: number, count: number, carrier: Carrier): void {
    this.mark = at;
    this.markLength = length;
    this.markCount = count;
    this.markCarrier = carrier;
    this.markNetwork = this.network;
    this.markQuoted = this.quoted;
  }

  #noteMalformed(at: number): void {
    if (this.malformed++ === 0) this.malformedAt = at;
  }

  #word(at: number): number {
    return ((this.#octets[at] ?? 0) << 8) | (this.#octets[at + 1] ?? 0);
  }
}

/** Hop-by-hop, routing, fragment, authentication, destination, mobility, HIP, shim6 (IANA IPv6 extension header types). */
function isExtensionHeader(protocol: number): boolean {
  switch (protocol) {
    case 0:
    case 43:
    case 44:
    case 51:
    case 60:
    case 135:
    case 139:
    case 140:
      return true;
    default:
      return false;
  }
}

/** RFC 8200 section 4: 8-octet units beyond the first 8; RFC 4302: 4-octet units minus 2; a fragment header is 8 octets. */
function extensionLength(protocol: number, lengthField: number): number {
  if (protocol === 44) return 8;
  return protocol === 51 ? (lengthField + 2) * 4 : (lengthField + 1) * 8;
}
