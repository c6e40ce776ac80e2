/**
 * Flows of flagged hosts in one capture. A flow is oriented: the host is the side that marks. Each has one row of words
 * in a growing array, so that a packet touches two cache lines; the fields below are their places in the row.
 */
import { finish, grown, HashSlots, none } from "./hash-slots.ts";
import type { Secrets } from "./secrets.ts";

/** 32-bit words a flow. */
export const rowWords = 32;

/** Places of 32-bit fields in a row. */
export const word = {
  host: 0,
  peer: 1,
  /** Host's port * 65536 + peer's port. */
  ports: 2,
  protocol: 3,
  flags: 4,
  /** Sequence numbers of the host's marked packets (sequence-space.ts). */
  hostNext: 5,
  hostSpan: 6,
  /** Payload octets of marked packets that the peer has not acknowledged yet. */
  pending: 7,
  peerNext: 8,
  peerSpan: 9,
  /** Sequence number of the connection's first SYN, if the flag says so. */
  firstSyn: 10,
  /** Local id of the mark that the host sent last. */
  mark: 11,
  markedPackets: 12,
  replyPackets: 13,
  /** Minute (of 1970) of the last row in flow_passed, + 1. */
  passedMinute: 14,
  /** The peer's other SYN, if the flag says so. */
  nextSyn: 15,
} as const;

/** Places of 64-bit fields, in doubles. */
export const double = {
  /** Times are microseconds since 1970. */
  firstSeen: 8,
  lastSeen: 9,
  lastMarked: 10,
  markedOctets: 11,
  replyOctets: 12,
  acknowledgedOctets: 13,
  establishedAt: 14,
  passedAt: 15,
} as const;

export const flowFlags = {
  hostSeen: 1,
  peerSeen: 2,
  /** The peer acknowledged sequence numbers of the host's marked packets. */
  hostAcknowledged: 4,
  /** A marked packet acknowledged sequence numbers of the peer. */
  peerAcknowledged: 8,
  established: 16,
  hostFin: 32,
  knowsFirstSyn: 64,
  /** The marking host accepted the connection. */
  hostIsServer: 128,
  /** The peer sent another SYN on the same ports, which may begin a newer connection. */
  peerSyn: 256,
  passed: 512,
} as const;

export class FlowTable {
  readonly #slots = new HashSlots();
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  readonly #multiplier3: number;
  words = new Uint32Array(rowWords * 256);
  doubles = new Float64Array(this.words.buffer);

  constructor(secrets: Secrets) {
    const [m0 = 1, m1 = 1, m2 = 1, m3 = 1] = secrets.multipliers.subarray(9);
    this.#multiplier0 = m0;
    this.#multiplier1 = m1;
    this.#multiplier2 = m2;
    this.#multiplier3 = m3;
  }

  get count(): number {
    return this.#slots.count;
  }

  /** The newest flow of a 5-tuple, or `none`. */
  find(host: number, peer: number, ports: number, protocol: number): number {
    const slots = this.#slots;
    let slot = slots.first(this.#hash(host, peer, ports, protocol));
    let id = slots.at(slot);
    while (id !== none && !this.#equals(id, host, peer, ports, protocol)) {
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    return id;
  }

  /** A new flow, which the 5-tuple stands for from now on. */
  add(host: number, peer: number, ports: number, protocol: number): number {
    const slots = this.#slots;
    const hash = this.#hash(host, peer, ports, protocol);
    let slot = slots.first(hash);
    let id = slots.at(slot);
    while (id !== none && !this.#equals(id, host, peer, ports, protocol)) {
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    id = id === none ? slots.add(slot, hash) : slots.replace(slot, hash);
    if (id * rowWords === this.words.length) {
      this.words = grown(this.words, this.words.length * 2);
      this.doubles = new Float64Array(this.words.buffer);
    }
    const at = id * rowWords;
    this.words[at + word.host] = host;
    this.words[at + word.peer] = peer;
    this.words[at + word.ports] = ports;
    this.words[at + word.protocol] = protocol;
    return id;
  }

  #hash(host: number, peer: number, ports: number, protocol: number): number {
    return finish(
      Math.imul(host, this.#multiplier0) +
        Math.imul(peer, this.#multiplier1) +
        Math.imul(ports, this.#multiplier2) +
        Math.imul(protocol, this.#multiplier3),
    );
  }

  #equals(id: number, host: number, peer: number, ports: number, protocol: number): boolean {
    const words = this.words;
    const at = id * rowWords;
    return (
      words[at + word.ports] === ports >>> 0 &&
      words[at + word.peer] === peer &&
      words[at + word.host] === host &&
      words[at + word.protocol] === protocol
    );
  }
}
