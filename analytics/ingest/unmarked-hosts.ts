/**
 * Flagged hosts that went on without a mark: the mark was cleared, or taken away, or another host has the address. Of
 * every host only what came after its last mark counts, and only packets that the marker would have marked.
 */
import { tcpFlags } from "./sequence-space.ts";
import type { FlowPacket } from "./flow-evidence.ts";
import type { PacketWalk } from "../../wire/packet-walk.ts";
import { PagedRows } from "./paged-rows.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** Octets of header that leave no room for a mark with one record, in 40 of options (RFC 9293 section 3.1). */
const fullHeader = 52;
/** A socket's SYN has at least MSS, and window scale, timestamps or SACK; a scanner's raw one often none of them. */
const socketsSyn = 28;

/** Whether the marker would have marked this TCP packet: resets and bare acknowledgments may be a socketless kernel's. */
export function couldBeMarked(walk: PacketWalk, packet: FlowPacket): boolean {
  // A mark without records says something, too: that they did not fit, or that the host is clean.
  if (walk.cut || walk.malformed !== 0 || walk.recordless || walk.tcpEnd - walk.tcp >= fullHeader)
    return false;
  if ((packet.flags & tcpFlags.rst) !== 0) return false;
  if ((packet.flags & tcpFlags.syn) === 0) return packet.payload > 0;
  return beginsConnection(packet) && walk.tcpEnd - walk.tcp >= socketsSyn;
}

/** A SYN-ACK does not count: against floods the kernel answers without a socket (SYN cookies). */
export function beginsConnection(packet: FlowPacket): boolean {
  return (packet.flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn;
}

/** Places of doubles in a host's row of 32 octets: times are microseconds since 1970, and how many packets. */
const first = 0;
const last = 1;
const packets = 2;
const rowWords = 8;

/** What hosts sent without a mark since their last mark. */
export class UnmarkedHosts {
  /** Hosts that sent something since their last mark. */
  count = 0;
  readonly #memory: WalkMemory;
  /** By local host id. */
  readonly #rows: PagedRows;

  constructor(memory: WalkMemory) {
    this.#memory = memory;
    this.#rows = new PagedRows(memory, rowWords);
  }

  add(host: number, time: number): void {
    const { doubles } = this.#memory;
    const at = this.#rows.place(host) >> 1;
    if (doubles[at + packets] === 0) {
      this.count++;
      doubles[at + first] = time;
      doubles[at + last] = time;
    }
    if (time < (doubles[at + first] ?? 0)) doubles[at + first] = time;
    if (time > (doubles[at + last] ?? 0)) doubles[at + last] = time;
    doubles[at + packets] = (doubles[at + packets] ?? 0) + 1;
  }

  /** The host marked a packet. */
  end(host: number): void {
    if (this.count === 0 || !this.#rows.holds(host)) return;
    const { doubles } = this.#memory;
    const at = this.#rows.place(host) >> 1;
    if (doubles[at + packets] === 0) return;
    doubles[at + packets] = 0;
    this.count--;
  }

  /** Hands over what there is, host by host. */
  forEach(use: (host: number, first: number, last: number, packets: number) => void): void {
    const { doubles } = this.#memory;
    const { end, rowsPerPage } = this.#rows;
    for (let host = 0; host < end; host++) {
      this.#memory.nextTurn();
      if (host % rowsPerPage === 0 && !this.#rows.holds(host)) {
        host += rowsPerPage - 1;
        continue;
      }
      const at = this.#rows.place(host) >> 1;
      const sent = doubles[at + packets] ?? 0;
      if (sent > 0) use(host, doubles[at + first] ?? 0, doubles[at + last] ?? 0, sent);
    }
  }
}
