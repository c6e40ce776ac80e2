/**
 * What shows that a flagged host and its peer really talked to each other, so that nobody is accused by forged packets:
 * the peer acknowledged sequence numbers of the host's marked packets, and a marked packet acknowledged the peer's. A
 * lone SYN with a forged source gets its SYN-ACK too; but the host that it names never acknowledges that one.
 * The host's side counts marked packets only: otherwise forged packets on the ports of a real connection would be
 * vouched for by the connection's own, unmarked segments.
 */
import { none } from "./hash-slots.ts";
import { double, flowFlags, FlowTable, rowWords, word } from "./flow-table.ts";
import { minuteOf } from "./minute-rows.ts";
import type { Secrets } from "./secrets.ts";
import {
  isAcknowledged,
  largestWindow,
  outside,
  progress,
  sequenceLength,
  tcpFlags,
} from "./sequence-space.ts";

/** What a packet says of its flow; one object is reused. Without a TCP header the flags are 0. */
export interface FlowPacket {
  /** Microseconds since 1970. */
  time: number;
  /** Octets of the IP packet. */
  length: number;
  sequence: number;
  acknowledgment: number;
  /** TCP flags (tcpFlags). */
  flags: number;
  /** Octets of payload. */
  payload: number;
  isTcp: boolean;
}

export interface EvidenceSink {
  /** A flow has evidence of both sides; `lastMarked` is when its current mark was seen last. */
  established(mark: number, lastMarked: number): void;
  /** The peer of an established flow acknowledged payload in this minute; once a minute, unless time goes back. */
  passed(flow: number, minute: number): void;
}

export class FlowEvidence {
  readonly table: FlowTable;
  readonly #sink: EvidenceSink;

  constructor(secrets: Secrets, sink: EvidenceSink) {
    this.table = new FlowTable(secrets);
    this.#sink = sink;
  }

  /** The flow that a marked packet belongs to: a new one if the packet begins a connection. */
  flowOf(host: number, peer: number, ports: number, protocol: number, packet: FlowPacket): number {
    const table = this.table;
    const flow = table.find(host, peer, ports, protocol);
    if (flow === none) return this.#begin(host, peer, ports, protocol, packet, none);
    const at = flow * rowWords;
    const flags = table.words[at + word.flags] ?? 0;
    if ((packet.flags & tcpFlags.syn) === 0) {
      const answers = (flags & flowFlags.peerSyn) !== 0 && this.#answersPeersSyn(at, packet);
      return answers ? this.#begin(host, peer, ports, protocol, packet, flow) : flow;
    }
    if ((flags & flowFlags.knowsFirstSyn) !== 0) {
      const isSame = table.words[at + word.firstSyn] === firstSyn(packet);
      return isSame ? flow : this.#begin(host, peer, ports, protocol, packet, none);
    }
    if (!this.#continuesTo(at, packet.sequence)) {
      return this.#begin(host, peer, ports, protocol, packet, none);
    }
    this.#noteSyn(at, packet);
    return flow;
  }

  /** A marked packet of the flow's host. */
  marked(flow: number, mark: number, packet: FlowPacket): void {
    const { words, doubles } = this.table;
    const at = flow * rowWords;
    const doubleAt = at >> 1;
    if (packet.isTcp) {
      const acknowledges = (packet.flags & tcpFlags.ack) !== 0;
      if (
        acknowledges &&
        isAcknowledged(words[at + word.peerNext] ?? 0, words[at + word.peerSpan] ?? 0, packet.acknowledgment)
      ) {
        words[at + word.flags] = (words[at + word.flags] ?? 0) | flowFlags.peerAcknowledged;
        this.#establish(flow, packet.time);
      }
      this.#advanceHost(at, packet);
    }
    words[at + word.mark] = mark;
    words[at + word.markedPackets] = (words[at + word.markedPackets] ?? 0) + 1;
    doubles[doubleAt + double.markedOctets] = (doubles[doubleAt + double.markedOctets] ?? 0) + packet.length;
    doubles[doubleAt + double.lastMarked] = packet.time;
    this.#see(doubleAt, packet.time);
  }

  /** Any packet from the flow's peer to its host, marked or not. */
  replied(flow: number, packet: FlowPacket): void {
    const { words, doubles } = this.table;
    const at = flow * rowWords;
    const doubleAt = at >> 1;
    const begins = packet.isTcp && (packet.flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn;
    if (begins) this.#notePeersSyn(at, packet.sequence);
    words[at + word.replyPackets] = (words[at + word.replyPackets] ?? 0) + 1;
    doubles[doubleAt + double.replyOctets] = (doubles[doubleAt + double.replyOctets] ?? 0) + packet.length;
    this.#see(doubleAt, packet.time);
    if (!packet.isTcp) return;
    this.#advancePeer(at, packet);
    if ((packet.flags & tcpFlags.ack) !== 0) this.#acknowledge(flow, packet);
  }

  isEstablished(flow: number): boolean {
    return ((this.table.words[flow * rowWords + word.flags] ?? 0) & flowFlags.established) !== 0;
  }

  isServer(flow: number): boolean {
    return ((this.table.words[flow * rowWords + word.flags] ?? 0) & flowFlags.hostIsServer) !== 0;
  }

  /** The mark that the flow's host sent last. */
  markOf(flow: number): number {
    return this.table.words[flow * rowWords + word.mark] ?? 0;
  }

  hasMarked(flow: number): boolean {
    return this.table.words[flow * rowWords + word.markedPackets] !== 0;
  }

  #begin(
    host: number,
    peer: number,
    ports: number,
    protocol: number,
    packet: FlowPacket,
    previous: number,
  ): number {
    const flow = this.table.add(host, peer, ports, protocol);
    const at = flow * rowWords;
    this.table.doubles[(at >> 1) + double.firstSeen] = packet.time;
    if ((packet.flags & tcpFlags.syn) !== 0) this.#noteSyn(at, packet);
    else if (previous !== none) {
      const words = this.table.words;
      words[at + word.firstSyn] = words[previous * rowWords + word.nextSyn] ?? 0;
      words[at + word.flags] = flowFlags.knowsFirstSyn | flowFlags.hostIsServer;
    }
    return flow;
  }

  /** Whether the numbers seen so far may have begun at this SYN, which the capture shows late. */
  #continuesTo(at: number, sequence: number): boolean {
    const words = this.table.words;
    const distance = ((words[at + word.hostNext] ?? 0) - sequence - 1) >>> 0;
    return distance <= (words[at + word.hostSpan] ?? 0) + reorderedOctets;
  }

  #noteSyn(at: number, packet: FlowPacket): void {
    const words = this.table.words;
    const isServer = (packet.flags & tcpFlags.ack) !== 0;
    words[at + word.firstSyn] = firstSyn(packet);
    words[at + word.flags] =
      (words[at + word.flags] ?? 0) | flowFlags.knowsFirstSyn | (isServer ? flowFlags.hostIsServer : 0);
  }

  /** Another SYN than this connection's may begin a new one, or be forged: the host's answer will tell. */
  #notePeersSyn(at: number, sequence: number): void {
    const words = this.table.words;
    const flags = words[at + word.flags] ?? 0;
    if ((flags & flowFlags.knowsFirstSyn) !== 0 && words[at + word.firstSyn] === sequence) return;
    words[at + word.flags] = flags | flowFlags.peerSyn;
    words[at + word.nextSyn] = sequence;
  }

  /** The host's SYN-ACK may have had no room for the mark; then its first marked packet shows that it took the SYN. */
  #answersPeersSyn(at: number, packet: FlowPacket): boolean {
    const distance = (packet.acknowledgment - (this.table.words[at + word.nextSyn] ?? 0) - 1) >>> 0;
    return (packet.flags & tcpFlags.ack) !== 0 && distance < unmarkedBeginning;
  }

  #advanceHost(at: number, packet: FlowPacket): void {
    const words = this.table.words;
    const length = sequenceLength(packet.payload, packet.flags);
    const end = (packet.sequence + length) >>> 0;
    const flags = words[at + word.flags] ?? 0;
    const distance =
      (flags & flowFlags.hostSeen) === 0 ? outside : progress(words[at + word.hostNext] ?? 0, end);
    const fin = packet.flags & tcpFlags.fin;
    if (distance === outside) {
      words[at + word.hostSpan] = length;
      words[at + word.pending] = packet.payload;
    } else {
      if (distance === 0) return;
      const span = (words[at + word.hostSpan] ?? 0) + distance;
      words[at + word.hostSpan] = span < largestWindow ? span : largestWindow;
      const fresh = distance - fin < packet.payload ? distance - fin : packet.payload;
      words[at + word.pending] = (words[at + word.pending] ?? 0) + fresh;
    }
    words[at + word.hostNext] = end;
    words[at + word.flags] = flags | flowFlags.hostSeen | (fin === 0 ? 0 : flowFlags.hostFin);
  }

  #advancePeer(at: number, packet: FlowPacket): void {
    const words = this.table.words;
    const length = sequenceLength(packet.payload, packet.flags);
    const end = (packet.sequence + length) >>> 0;
    const flags = words[at + word.flags] ?? 0;
    const distance =
      (flags & flowFlags.peerSeen) === 0 ? outside : progress(words[at + word.peerNext] ?? 0, end);
    if (distance === 0) return;
    const span = distance === outside ? length : (words[at + word.peerSpan] ?? 0) + distance;
    words[at + word.peerSpan] = span < largestWindow ? span : largestWindow;
    words[at + word.peerNext] = end;
    words[at + word.flags] = flags | flowFlags.peerSeen;
  }

  #acknowledge(flow: number, packet: FlowPacket): void {
    const { words, doubles } = this.table;
    const at = flow * rowWords;
    const next = words[at + word.hostNext] ?? 0;
    if (!isAcknowledged(next, words[at + word.hostSpan] ?? 0, packet.acknowledgment)) return;
    const flags = words[at + word.flags] ?? 0;
    words[at + word.flags] = flags | flowFlags.hostAcknowledged;
    let behind = (next - packet.acknowledgment) >>> 0;
    // The last number before `next` is the FIN's; it is no payload.
    if (behind > 0 && (flags & flowFlags.hostFin) !== 0) behind--;
    // What lies behind the acknowledgment may hold gaps of unmarked packets; as payload it is counted too low, never too high.
    const pending = words[at + word.pending] ?? 0;
    if (pending > behind) {
      words[at + word.pending] = behind;
      doubles[(at >> 1) + double.acknowledgedOctets] =
        (doubles[(at >> 1) + double.acknowledgedOctets] ?? 0) + pending - behind;
      if ((flags & flowFlags.established) !== 0) this.#pass(flow, packet.time);
    }
    this.#establish(flow, packet.time);
  }

  #establish(flow: number, time: number): void {
    const { words, doubles } = this.table;
    const at = flow * rowWords;
    const flags = words[at + word.flags] ?? 0;
    const both = flowFlags.hostAcknowledged | flowFlags.peerAcknowledged;
    if ((flags & flowFlags.established) !== 0 || (flags & both) !== both) return;
    words[at + word.flags] = flags | flowFlags.established;
    doubles[(at >> 1) + double.establishedAt] = time;
    this.#sink.established(words[at + word.mark] ?? 0, doubles[(at >> 1) + double.lastMarked] ?? 0);
    if ((doubles[(at >> 1) + double.acknowledgedOctets] ?? 0) > 0) this.#pass(flow, time);
  }

  #pass(flow: number, time: number): void {
    const { words, doubles } = this.table;
    const at = flow * rowWords;
    const flags = words[at + word.flags] ?? 0;
    if ((flags & flowFlags.passed) === 0) {
      words[at + word.flags] = flags | flowFlags.passed;
      doubles[(at >> 1) + double.passedAt] = time;
    }
    const minute = minuteOf(time);
    if (words[at + word.passedMinute] === minute + 1) return;
    words[at + word.passedMinute] = minute + 1;
    this.#sink.passed(flow, minute);
  }

  #see(doubleAt: number, time: number): void {
    const doubles = this.table.doubles;
    if (time > (doubles[doubleAt + double.lastSeen] ?? 0)) doubles[doubleAt + double.lastSeen] = time;
    if (time < (doubles[doubleAt + double.firstSeen] ?? 0)) doubles[doubleAt + double.firstSeen] = time;
  }
}

/** How far behind later segments a SYN may show up in a capture and still be theirs. */
const reorderedOctets = 65_536;

/** How many octets of the peer a server may have acknowledged before the first packet of it that had room for a mark. */
const unmarkedBeginning = 2 ** 20;

/** Sequence number of the connection's first SYN, which a SYN-ACK acknowledges. */
function firstSyn(packet: FlowPacket): number {
  const isServer = (packet.flags & tcpFlags.ack) !== 0;
  return (isServer ? packet.acknowledgment - 1 : packet.sequence) >>> 0;
}
