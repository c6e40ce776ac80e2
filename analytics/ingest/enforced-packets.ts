/** Packets that the kernel logged (NFLOG) with a prefix that says what an enforcement point did with them. */
import { absent } from "../../wire/packet-walk.ts";
import type { PacketWalk } from "../../wire/packet-walk.ts";
import type { Dictionaries } from "./dictionary-rows.ts";
import { FlowTuple } from "./flow-tuple.ts";
import { none } from "./hash-slots.ts";
import type { TransportFacts } from "./transport-facts.ts";
import { addTuple } from "./tuple-key.ts";
import type { WalkRows } from "./walk-rows.ts";

/** A frame that has been walked. */
export interface WalkedFrame {
  readonly walk: PacketWalk;
  readonly octets: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  /** Octets of the frame that the capture does not have. */
  readonly cutOctets: number;
  readonly number: number;
}

export class EnforcedPackets {
  readonly #dictionaries: Dictionaries;
  readonly #rows: WalkRows;
  readonly #tuple = new FlowTuple();

  constructor(dictionaries: Dictionaries, rows: WalkRows) {
    this.#dictionaries = dictionaries;
    this.#rows = rows;
  }

  /** `packet` has the frame's time. */
  observe({ walk, octets, view, start, end, cutOctets, number }: WalkedFrame, packet: TransportFacts): void {
    const { flowKey, hosts, prefixes, memory } = this.#dictionaries;
    const prefix = prefixes.read(octets, start, end);
    if (prefix === none) return;
    const network = walk.mark !== absent && !walk.markQuoted ? walk.markNetwork : walk.network;
    // Of an ICMP error that was acted on, the walk keeps the packet that it quotes, which was not acted on.
    if (walk.quoted && network === walk.network) return;
    packet.read(walk, network, view, cutOctets);
    memory.nextTurn();
    const tuple = this.#tuple;
    tuple.readSent(view, network, view.getUint8(network) >> 4, packet.ports, packet.protocol);
    const host = hosts.intern(tuple.host0, tuple.host1, tuple.host2, tuple.host3);
    const peer = hosts.intern(tuple.peer0, tuple.peer1, tuple.peer2, tuple.peer3);
    addTuple(flowKey, hosts, host, peer, packet.ports, packet.protocol);
    flowKey.digest();
    this.#rows.event({
      time: packet.time,
      frame: number,
      prefix,
      host,
      peer,
      tupleKeyLow: flowKey.low,
      tupleKeyHigh: flowKey.high,
      protocol: packet.protocol,
      ports: packet.ports,
      length: packet.length,
    });
  }
}
