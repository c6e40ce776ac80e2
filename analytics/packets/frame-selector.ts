/** Whether a frame belongs to a selection: the display filter of display-filter.ts, on octets. */
import { parseAddress } from "../../wire/address.ts";
import { encodeRecord, firstRecord } from "../../wire/mark.ts";
import { recordOctets } from "../../wire/mark-format.ts";
import { absent, protocols } from "../../wire/packet-walk.ts";
import type { PacketWalk } from "../../wire/packet-walk.ts";
import { flowOf } from "./selection.ts";
import type { PacketSelection } from "./selection.ts";

export class FrameSelector {
  readonly #host: Uint8Array;
  readonly #peer: Uint8Array | undefined;
  readonly #flow: ReturnType<typeof flowOf>;
  readonly #isMarked: boolean;
  readonly #record: Uint8Array | undefined;
  readonly #from: number;
  readonly #to: number;
  #octets: Uint8Array = new Uint8Array(0);
  #walk: PacketWalk | undefined;

  constructor(selection: PacketSelection) {
    this.#host = parseAddress(selection.host);
    this.#peer = selection.peer === undefined ? undefined : parseAddress(selection.peer);
    this.#flow = flowOf(selection);
    this.#isMarked = selection.marked === true || selection.record !== undefined;
    this.#record = selection.record && recordOf(selection.record);
    this.#from = inMicroseconds(selection.from) ?? -Infinity;
    this.#to = inMicroseconds(selection.to) ?? Infinity;
  }

  /** Whether a time, microseconds since 1970, is within the span. */
  isInTime(microseconds: number): boolean {
    return microseconds >= this.#from && microseconds <= this.#to;
  }

  /** Whether a frame that has just been walked is meant. */
  isMeant(walk: PacketWalk, octets: Uint8Array): boolean {
    if (walk.network === absent) return false;
    this.#walk = walk;
    this.#octets = octets;
    if (this.#isMarked && !this.#isMarkMeant(walk)) return false;
    const host = this.#host;
    const peer = this.#peer;
    if (peer === undefined)
      return this.#isMarked || this.#has(host, "source") || this.#has(host, "destination");
    const flow = this.#flow;
    if (flow === undefined) {
      return (
        (this.#has(host, "source") || this.#has(host, "destination")) &&
        (this.#has(peer, "source") || this.#has(peer, "destination"))
      );
    }
    const { protocol, hostPort, peerPort } = flow;
    return (
      (this.#has(host, "source") &&
        this.#has(peer, "destination") &&
        this.#hasPort(protocol, hostPort, 0) &&
        this.#hasPort(protocol, peerPort, 2)) ||
      (this.#has(peer, "source") &&
        this.#has(host, "destination") &&
        this.#hasPort(protocol, peerPort, 0) &&
        this.#hasPort(protocol, hostPort, 2))
    );
  }

  #isMarkMeant(walk: PacketWalk): boolean {
    if (walk.mark === absent || !this.#isAddress(walk.markNetwork, this.#host, "source")) return false;
    const record = this.#record;
    if (record === undefined) return true;
    const first = firstRecord(walk.mark, walk.markLength, walk.markCount);
    for (let index = 0; index < walk.markCount; index++) {
      if (this.#isAt(first + recordOctets * index, record)) return true;
    }
    return false;
  }

  /** Whether any IP header has the address there. */
  #has(address: Uint8Array, side: Side): boolean {
    const walk = this.#walk;
    if (walk === undefined) return false;
    if (walk.levels === 0) return this.#isAddress(walk.network, address, side);
    for (let level = 0; level < walk.levels; level++) {
      if (this.#isAddress(walk.networks[level] ?? absent, address, side)) return true;
    }
    return false;
  }

  #isAddress(network: number, address: Uint8Array, side: Side): boolean {
    const version = (this.#octets[network] ?? 0) >> 4;
    if ((version === 4) !== (address.length === 4)) return false;
    const source = network + (version === 4 ? 12 : 8);
    return this.#isAt(side === "source" ? source : source + address.length, address);
  }

  /** Whether any transport header of the protocol has the port at this offset. */
  #hasPort(protocol: number, port: number, offset: 0 | 2): boolean {
    const walk = this.#walk;
    if (walk === undefined) return false;
    if (walk.levels === 0) return this.#isPort(walk.protocol, walk.transport, protocol, port, offset);
    for (let level = 0; level < walk.levels; level++) {
      const behind = walk.protocolsBehind[level] ?? 0;
      if (this.#isPort(behind, walk.transports[level] ?? absent, protocol, port, offset)) return true;
    }
    return false;
  }

  #isPort(behind: number, transport: number, protocol: number, port: number, offset: number): boolean {
    if (behind !== protocol || transport === absent) return false;
    // Inner headers lie within outer ones, so that what the capture cut is cut for all of them.
    const end = this.#walk?.capturedEnd ?? 0;
    if (transport + 4 > end && protocol !== protocols.udp) return false;
    const at = transport + offset;
    return (((this.#octets[at] ?? 0) << 8) | (this.#octets[at + 1] ?? 0)) === port;
  }

  #isAt(at: number, expected: Uint8Array): boolean {
    for (let index = 0; index < expected.length; index++) {
      if (this.#octets[at + index] !== expected[index]) return false;
    }
    return true;
  }
}

type Side = "source" | "destination";

function recordOf(record: Parameters<typeof encodeRecord>[0]): Uint8Array {
  const octets = new Uint8Array(recordOctets);
  encodeRecord(record, new DataView(octets.buffer), 0);
  return octets;
}

/** Whole microseconds of seconds. */
export function inMicroseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1_000_000);
}
