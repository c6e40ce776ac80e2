/**
 * What shows that a flagged host and its peer really talked to each other, so that nobody is accused by forged packets:
 * the peer acknowledged sequence numbers of the host's marked packets, and a marked packet acknowledged the peer's. A
 * lone SYN with a forged source gets its SYN-ACK too; but the host that it names never acknowledges that one.
 * The host's side counts marked packets only: otherwise forged packets on the ports of a real connection would be
 * vouched for by the connection's own, unmarked segments.
 */
import { cold, coldDouble, flowFlags, FlowTable, hot } from "./flow-table.ts";
import type { FlowTuple } from "./flow-tuple.ts";
import { none } from "./hash-slots.ts";
import type { HostTable } from "./host-table.ts";
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
import type { WalkMemory } from "./walk-memory.ts";

/** What a packet says of its flow; one object is reused. Without a TCP header the flags are 0. */
export interface FlowPacket {
  /** Microseconds since 1970. */
  time: number;
  /** Octets of the IP packet. */
  length: number;
  /** Modulo 2^32 and signed: only differences count. */
  sequence: number;
  acknowledgment: number;
  /** TCP flags (tcpFlags). */
  flags: number;
  /** Octets of payload. */
  payload: number;
  isTcp: boolean;
}

export interface EvidenceSink {
  /** The first packet of a flow. */
  began(host: number): void;
  /** A flow has evidence of both sides; `lastMarked` is when its current mark was seen last. */
  established(flow: number, mark: number, lastMarked: number): void;
  /** The flow's trust changes: what was counted so far has the old one. */
  trustChanges(flow: number): void;
  /** The peer of an established flow acknowledged payload in this minute; once a minute, unless time goes back. */
  passed(flow: number, minute: number): void;
}

export class FlowEvidence {
  readonly table: FlowTable;
  readonly #sink: EvidenceSink;

  constructor(hosts: HostTable, secrets: Secrets, memory: WalkMemory, sink: EvidenceSink) {
    this.table = new FlowTable(hosts, secrets, memory);
    this.#sink = sink;
  }

  /** The flow that a marked packet belongs to: a new one if the packet begins a connection. */
  flowOf(tuple: FlowTuple, packet: FlowPacket): number {
    const flow = this.table.find(tuple);
    if (flow === none) return this.#begin(tuple, packet, none);
    const flags = this.table.words[this.table.place(flow) + hot.flags] ?? 0;
    if ((packet.flags & tcpFlags.syn) === 0) {
      const answers = (flags & flowFlags.peerSyn) !== 0 && this.#answersPeersSyn(flow, packet);
      return answers ? this.#begin(tuple, packet, flow) : flow;
    }
    if ((flags & flowFlags.knowsFirstSyn) !== 0) {
      const isSame = this.table.words[this.table.coldPlace(flow) + cold.firstSyn] === firstSyn(packet);
      return isSame ? flow : this.#begin(tuple, packet, none);
    }
    if (!this.#continuesTo(flow, packet.sequence)) return this.#begin(tuple, packet, none);
    this.#noteSyn(flow, packet);
    return flow;
  }

  /** A marked TCP packet of the flow's host. */
  sent(flow: number, packet: FlowPacket): void {
    const at = this.table.place(flow);
    const flags = this.table.words[at + hot.flags] ?? 0;
    const mayAcknowledge = (flags & (flowFlags.peerSeen | flowFlags.peerAcknowledged)) === flowFlags.peerSeen;
    if (mayAcknowledge && this.#acknowledgesPeer(flow, packet)) {
      this.#raise(flow, flowFlags.peerAcknowledged);
      this.#establish(flow, packet.time);
    }
    this.#advanceHost(at, packet);
  }

  /** Any packet from the flow's peer to its host, marked or not. */
  replied(flow: number, packet: FlowPacket): void {
    const { words, doubles } = this.table;
    const at = this.table.coldPlace(flow);
    const doubleAt = at >> 1;
    const begins = packet.isTcp && (packet.flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn;
    if (begins) this.#notePeersSyn(flow, packet.sequence);
    words[at + cold.replyPackets] = (words[at + cold.replyPackets] ?? 0) + 1;
    doubles[doubleAt + coldDouble.replyOctets] =
      (doubles[doubleAt + coldDouble.replyOctets] ?? 0) + packet.length;
    this.table.see(flow, packet.time);
    if (!packet.isTcp) return;
    this.#advancePeer(flow, packet);
    if ((packet.flags & tcpFlags.ack) !== 0) this.#acknowledge(flow, packet);
  }

  isEstablished(flow: number): boolean {
    return this.#has(flow, flowFlags.established);
  }

  isServer(flow: number): boolean {
    return this.#has(flow, flowFlags.hostIsServer);
  }

  #has(flow: number, flag: number): boolean {
    return ((this.table.words[this.table.place(flow) + hot.flags] ?? 0) & flag) !== 0;
  }

  #raise(flow: number, flag: number): void {
    const at = this.table.place(flow) + hot.flags;
    this.table.words[at] = (this.table.words[at] ?? 0) | flag;
  }

  #begin(tuple: FlowTuple, packet: FlowPacket, previous: number): number {
    const { table } = this;
    const flow = table.add(tuple);
    table.doubles[(table.coldPlace(flow) >> 1) + coldDouble.firstSeen] = packet.time;
    if ((packet.flags & tcpFlags.syn) !== 0) this.#noteSyn(flow, packet);
    else if (previous !== none) {
      table.words[table.coldPlace(flow) + cold.firstSyn] =
        table.words[table.coldPlace(previous) + cold.nextSyn] ?? 0;
      this.#raise(flow, flowFlags.knowsFirstSyn | flowFlags.hostIsServer);
    }
    this.#sink.began(table.host(flow));
    return flow;
  }

  /** Whether the numbers seen so far may have begun at this SYN, which the capture shows late. */
  #continuesTo(flow: number, sequence: number): boolean {
    const { words } = this.table;
    const at = this.table.place(flow);
    const distance = ((words[at + hot.hostNext] ?? 0) - sequence - 1) >>> 0;
    return distance <= (words[at + hot.hostSpan] ?? 0) + reorderedOctets;
  }

  #noteSyn(flow: number, packet: FlowPacket): void {
    const isServer = (packet.flags & tcpFlags.ack) !== 0;
    this.table.words[this.table.coldPlace(flow) + cold.firstSyn] = firstSyn(packet);
    this.#raise(flow, flowFlags.knowsFirstSyn | (isServer ? flowFlags.hostIsServer : 0));
  }

  /** Another SYN than this connection's may begin a new one, or be forged: the host's answer will tell. */
  #notePeersSyn(flow: number, sequence: number): void {
    const at = this.table.coldPlace(flow);
    const { words } = this.table;
    if (this.#has(flow, flowFlags.knowsFirstSyn) && words[at + cold.firstSyn] === sequence >>> 0) return;
    words[at + cold.nextSyn] = sequence;
    this.#raise(flow, flowFlags.peerSyn);
  }

  /** The host's SYN-ACK may have had no room for the mark; then its first marked packet shows that it took the SYN. */
  #answersPeersSyn(flow: number, packet: FlowPacket): boolean {
    const syn = this.table.words[this.table.coldPlace(flow) + cold.nextSyn] ?? 0;
    const distance = (packet.acknowledgment - syn - 1) >>> 0;
    return (packet.flags & tcpFlags.ack) !== 0 && distance < unmarkedBeginning;
  }

  #acknowledgesPeer(flow: number, packet: FlowPacket): boolean {
    const { words } = this.table;
    const at = this.table.coldPlace(flow);
    return (
      (packet.flags & tcpFlags.ack) !== 0 &&
      isAcknowledged(words[at + cold.peerNext] ?? 0, words[at + cold.peerSpan] ?? 0, packet.acknowledgment)
    );
  }

  #advanceHost(at: number, packet: FlowPacket): void {
    const { words } = this.table;
    const length = sequenceLength(packet.payload, packet.flags);
    const end = (packet.sequence + length) | 0;
    const flags = words[at + hot.flags] ?? 0;
    const distance =
      (flags & flowFlags.hostSeen) === 0 ? outside : progress((words[at + hot.hostNext] ?? 0) | 0, end);
    const fin = packet.flags & tcpFlags.fin;
    if (distance === outside) {
      words[at + hot.hostSpan] = length;
      words[at + hot.pending] = packet.payload;
    } else {
      if (distance === 0) return;
      const span = (words[at + hot.hostSpan] ?? 0) + distance;
      words[at + hot.hostSpan] = span < largestWindow ? span : largestWindow;
      const fresh = distance - fin < packet.payload ? distance - fin : packet.payload;
      words[at + hot.pending] = (words[at + hot.pending] ?? 0) + fresh;
    }
    words[at + hot.hostNext] = end;
    words[at + hot.flags] = flags | flowFlags.hostSeen | (fin === 0 ? 0 : flowFlags.hostFin);
  }

  #advancePeer(flow: number, packet: FlowPacket): void {
    const { words } = this.table;
    const at = this.table.coldPlace(flow);
    const length = sequenceLength(packet.payload, packet.flags);
    const end = (packet.sequence + length) | 0;
    const distance = this.#has(flow, flowFlags.peerSeen)
      ? progress((words[at + cold.peerNext] ?? 0) | 0, end)
      : outside;
    if (distance === 0) return;
    const span = distance === outside ? length : (words[at + cold.peerSpan] ?? 0) + distance;
    words[at + cold.peerSpan] = span < largestWindow ? span : largestWindow;
    words[at + cold.peerNext] = end;
    this.#raise(flow, flowFlags.peerSeen);
  }

  #acknowledge(flow: number, packet: FlowPacket): void {
    const { words, doubles } = this.table;
    const at = this.table.place(flow);
    const next = words[at + hot.hostNext] ?? 0;
    if (!isAcknowledged(next, words[at + hot.hostSpan] ?? 0, packet.acknowledgment)) return;
    this.#raise(flow, flowFlags.hostAcknowledged);
    let behind = (next - packet.acknowledgment) >>> 0;
    // The last number before `next` is the FIN's; it is no payload.
    if (behind > 0 && this.#has(flow, flowFlags.hostFin)) behind--;
    // What lies behind the acknowledgment may hold gaps of unmarked packets; as payload it is counted too low, never too high.
    const pending = words[at + hot.pending] ?? 0;
    if (pending > behind) {
      words[at + hot.pending] = behind;
      const acknowledged = (this.table.coldPlace(flow) >> 1) + coldDouble.acknowledgedOctets;
      doubles[acknowledged] = (doubles[acknowledged] ?? 0) + pending - behind;
      if (this.#has(flow, flowFlags.established)) this.#pass(flow, packet.time);
    }
    this.#establish(flow, packet.time);
  }

  #establish(flow: number, time: number): void {
    const { words, doubles } = this.table;
    const at = this.table.place(flow);
    const flags = words[at + hot.flags] ?? 0;
    const both = flowFlags.hostAcknowledged | flowFlags.peerAcknowledged;
    if ((flags & flowFlags.established) !== 0 || (flags & both) !== both) return;
    this.#sink.trustChanges(flow);
    this.#raise(flow, flowFlags.established);
    const doubleAt = this.table.coldPlace(flow) >> 1;
    doubles[doubleAt + coldDouble.establishedAt] = time;
    const lastMarked = doubles[doubleAt + coldDouble.lastMarked] ?? 0;
    this.#sink.established(flow, words[at + hot.mark] ?? 0, lastMarked);
    if ((doubles[doubleAt + coldDouble.acknowledgedOctets] ?? 0) > 0) this.#pass(flow, time);
  }

  #pass(flow: number, time: number): void {
    const { words, doubles } = this.table;
    const at = this.table.coldPlace(flow);
    if (!this.#has(flow, flowFlags.passed)) {
      this.#raise(flow, flowFlags.passed);
      doubles[(at >> 1) + coldDouble.passedAt] = time;
    }
    const minute = minuteOf(time);
    if (words[at + cold.passedMinute] === minute + 1) return;
    words[at + cold.passedMinute] = minute + 1;
    this.#sink.passed(flow, minute);
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
