/**
 * Flagged hosts that went on without a mark: the mark was cleared, or taken away, or another host has the address. Of
 * every host only what came after its last mark counts, and only packets that the marker would have marked.
 */
import { tcpFlags } from "./sequence-space.ts";
import type { FlowPacket } from "./flow-evidence.ts";
import type { PacketWalk } from "../../wire/packet-walk.ts";

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

/** What a host sent without a mark since its last mark. Times are microseconds since 1970. */
export interface UnmarkedRun {
  readonly host: number;
  readonly first: number;
  readonly last: number;
  readonly packets: number;
}

export class UnmarkedHosts {
  readonly #runs = new Map<number, { first: number; last: number; packets: number }>();

  /** Hosts that sent something since their last mark. */
  get count(): number {
    return this.#runs.size;
  }

  add(host: number, time: number): void {
    const run = this.#runs.get(host);
    if (!run) {
      this.#runs.set(host, { first: time, last: time, packets: 1 });
      return;
    }
    if (time < run.first) run.first = time;
    if (time > run.last) run.last = time;
    run.packets++;
  }

  /** The host marked a packet. */
  end(host: number): void {
    this.#runs.delete(host);
  }

  *runs(): Iterable<UnmarkedRun> {
    for (const [host, run] of this.#runs) yield { host, ...run };
  }
}
