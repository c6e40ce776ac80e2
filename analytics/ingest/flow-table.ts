/**
 * Flows of flagged hosts in one capture. A flow is oriented: the host is the side that marks. What every marked packet
 * needs is one row of 64 octets, so that it costs one cache line whatever the number of flows; what only replies and
 * new flows need is in a second array. The addresses' last words stand in the row, so that an IPv4 packet finds its
 * flow without looking at the hosts.
 */
import type { FlowTuple } from "./flow-tuple.ts";
import { finish, HashSlots, none } from "./hash-slots.ts";
import type { HostTable } from "./host-table.ts";
import { PagedRows } from "./paged-rows.ts";
import type { Secrets } from "./secrets.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** 32-bit words of the row that every packet touches. */
const hotWords = 16;

/** Places of its fields. */
export const hot = {
  hostAddress: 0,
  peerAddress: 1,
  /** Host's port * 65536 + peer's port. */
  ports: 2,
  /** Flags in the lower half; protocol * 16 + IP version in the upper. */
  flags: 3,
  /** Sequence numbers of the host's marked packets (sequence-space.ts). */
  hostNext: 4,
  hostSpan: 5,
  /** Payload octets of marked packets that the peer has not acknowledged yet. */
  pending: 6,
  /** Local id of the mark that the host sent last, and the option's first, second and last four octets. */
  mark: 7,
  option0: 8,
  option1: 9,
  option2: 10,
  /** The marked packets that are not sums yet (marked-runs.ts): minute + 1, times within it in microseconds. */
  runMinute: 11,
  runFirst: 12,
  runLast: 13,
  runPackets: 14,
  runOctets: 15,
} as const;

/** Words of the row that only replies, new flows and new runs touch. */
const coldWords = 26;

export const cold = {
  /** Local ids. */
  host: 0,
  peer: 1,
  peerNext: 2,
  peerSpan: 3,
  /** Sequence number of the connection's first SYN, if the flag says so. */
  firstSyn: 4,
  /** The peer's other SYN, if the flag says so. */
  nextSyn: 5,
  markedPackets: 6,
  replyPackets: 7,
  /** Minute (of 1970) of the last row in flow_passed, + 1. */
  passedMinute: 8,
} as const;

/** Places of doubles in the cold row; times are microseconds since 1970. */
export const coldDouble = {
  firstSeen: 5,
  lastSeen: 6,
  lastMarked: 7,
  markedOctets: 8,
  replyOctets: 9,
  acknowledgedOctets: 10,
  establishedAt: 11,
  passedAt: 12,
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
  /** A record of the mark becomes plausible or implausible within this minute. */
  borderline: 1024,
} as const;

export class FlowTable {
  readonly #hosts: HostTable;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly #slots: HashSlots;
  readonly #hot: PagedRows;
  readonly #cold: PagedRows;
  readonly #multipliers: Uint32Array;
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  readonly #multiplier3: number;

  constructor(hosts: HostTable, secrets: Secrets, memory: WalkMemory) {
    this.words = memory.words;
    this.doubles = memory.doubles;
    this.#slots = new HashSlots(memory);
    this.#hot = new PagedRows(memory, hotWords);
    this.#cold = new PagedRows(memory, coldWords);
    this.#hosts = hosts;
    this.#multipliers = secrets.multipliers;
    const [m0 = 1, m1 = 1, m2 = 1, m3 = 1] = secrets.multipliers.subarray(9);
    this.#multiplier0 = m0;
    this.#multiplier1 = m1;
    this.#multiplier2 = m2;
    this.#multiplier3 = m3;
  }

  get count(): number {
    return this.#slots.count;
  }

  /** Where in `words` the flow's hot row begins, until the next turn. */
  place(flow: number): number {
    return this.#hot.place(flow);
  }

  /** The same of its cold row; half of it is the place in `doubles`. */
  coldPlace(flow: number): number {
    return this.#cold.place(flow);
  }

  host(flow: number): number {
    return this.words[this.#cold.place(flow) + cold.host] ?? 0;
  }

  /** A packet of the flow, in either direction, at `time`. */
  see(flow: number, time: number): void {
    const { doubles } = this;
    const at = this.#cold.place(flow) >> 1;
    if (time > (doubles[at + coldDouble.lastSeen] ?? 0)) doubles[at + coldDouble.lastSeen] = time;
    if (time < (doubles[at + coldDouble.firstSeen] ?? 0)) doubles[at + coldDouble.firstSeen] = time;
  }

  /** The newest flow of a 5-tuple, or `none`. */
  find(tuple: FlowTuple): number {
    const slots = this.#slots;
    let id = slots.first(this.#hash(tuple));
    while (id !== none && !this.#equals(id, tuple)) id = slots.next();
    return id;
  }

  /** A new flow, which the 5-tuple stands for from now on. */
  add(tuple: FlowTuple): number {
    const id = this.find(tuple) === none ? this.#slots.add() : this.#slots.replace();
    const hosts = this.#hosts;
    const host = hosts.intern(tuple.host0, tuple.host1, tuple.host2, tuple.host3);
    const peer = hosts.intern(tuple.peer0, tuple.peer1, tuple.peer2, tuple.peer3);
    const { words } = this;
    const at = this.#hot.place(id);
    words[at + hot.hostAddress] = tuple.host3;
    words[at + hot.peerAddress] = tuple.peer3;
    words[at + hot.ports] = tuple.ports;
    words[at + hot.flags] = (tuple.protocol * 16 + tuple.version) << 16;
    const coldAt = this.#cold.place(id);
    words[coldAt + cold.host] = host;
    words[coldAt + cold.peer] = peer;
    return id;
  }

  #hash(tuple: FlowTuple): number {
    const sum =
      (Math.imul(tuple.host3, this.#multiplier0) +
        Math.imul(tuple.peer3, this.#multiplier1) +
        Math.imul(tuple.ports, this.#multiplier2) +
        Math.imul(tuple.protocol, this.#multiplier3)) |
      0;
    return finish(tuple.version === 4 ? sum : sum + this.#upperHash(tuple));
  }

  #upperHash(tuple: FlowTuple): number {
    const [m0 = 1, m1 = 1, m2 = 1, m3 = 1, m4 = 1, m5 = 1] = this.#multipliers;
    return (
      (Math.imul(tuple.host0, m0) +
        Math.imul(tuple.host1, m1) +
        Math.imul(tuple.host2, m2) +
        Math.imul(tuple.peer0, m3) +
        Math.imul(tuple.peer1, m4) +
        Math.imul(tuple.peer2, m5)) |
      0
    );
  }

  #equals(id: number, tuple: FlowTuple): boolean {
    const words = this.words;
    const at = this.#hot.place(id);
    return (
      ((words[at + hot.hostAddress] ?? 0) | 0) === tuple.host3 &&
      ((words[at + hot.peerAddress] ?? 0) | 0) === tuple.peer3 &&
      ((words[at + hot.ports] ?? 0) | 0) === tuple.ports &&
      (words[at + hot.flags] ?? 0) >>> 16 === tuple.protocol * 16 + tuple.version &&
      (tuple.version === 4 || this.#equalsUpper(id, tuple))
    );
  }

  /** Of IPv6 addresses the row holds the last word only. */
  #equalsUpper(id: number, tuple: FlowTuple): boolean {
    const hosts = this.#hosts;
    const words = this.words;
    const at = this.#cold.place(id);
    return (
      hosts.is(words[at + cold.host] ?? 0, tuple.host0, tuple.host1, tuple.host2, tuple.host3) &&
      hosts.is(words[at + cold.peer] ?? 0, tuple.peer0, tuple.peer1, tuple.peer2, tuple.peer3)
    );
  }
}
