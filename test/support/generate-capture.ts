/**
 * Large captures for benchmarks, written fast and the same every time: thousands of flows, Internet-like packet sizes,
 * IPv4 and IPv6, VLANs, UDP among TCP. Three flows in ten are seen both ways: they begin with a handshake, and the peer
 * acknowledges what it gets. IPv4 checksums are right; TCP checksums are zero, nothing that reads these files asks.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { internetChecksum } from "../../wire/checksum.ts";
import { seededRandom } from "../fuzz/random.ts";
import type { Random } from "../fuzz/random.ts";
import { PcapngBlocks, pcapHeader } from "./capture-writer.ts";
import { joinOctets } from "./segment.ts";
import { buildShapes } from "./packet-shape.ts";
import type { PacketShape, Step } from "./packet-shape.ts";

export interface GeneratedCapture {
  readonly packets: number;
  readonly format?: "pcap" | "pcap-nanoseconds" | "pcapng";
  /**
   * mixed: Internet-like sizes, 0.1 % of the packets marked. all-marked: the same sizes, 1 to 6 records in every packet.
   * all-marked-small: 69 octets or so each, one record in every packet.
   */
  readonly mix?: "mixed" | "all-marked" | "all-marked-small";
  /** Hosts that mark; 200 if absent. */
  readonly flaggedHosts?: number;
  readonly seed?: number;
}

export interface GeneratedFacts {
  readonly packets: number;
  readonly octets: number;
  readonly markedPackets: number;
  readonly records: number;
  /** Hosts that sent at least one marked packet. */
  readonly markedHosts: number;
}

const flowCount = 20_000;
/** 2026-01-01T00:00:00Z */
const startSeconds = 1_767_225_600;
const bufferOctets = 8 * 1024 * 1024;
const largestPacket = 2048;

export function generateCapture(path: string, wanted: GeneratedCapture): GeneratedFacts {
  const file = openSync(path, "w");
  try {
    return new Generator(file, wanted).run();
  } finally {
    closeSync(file);
  }
}

/** What a flow remembers, a column each. Flows below `flagged` are those of flagged hosts. */
class Flows {
  readonly flagged: number;
  readonly count: number;
  readonly shape: Uint8Array;
  readonly step: Uint8Array;
  readonly peer: Uint32Array;
  readonly ports: Uint32Array;
  readonly sequence: Uint32Array;
  readonly peerSequence: Uint32Array;

  constructor(flagged: number, isMixed: boolean, pickShape: (isFlagged: boolean) => number, random: Random) {
    this.flagged = flagged;
    this.count = isMixed ? flagged + flowCount : flagged;
    this.shape = new Uint8Array(this.count).map((_, flow) => pickShape(flow < flagged));
    const word = (): Uint32Array => new Uint32Array(this.count).map(() => random.below(2 ** 32));
    [this.peer, this.sequence, this.peerSequence] = [word(), word(), word()];
    const services = [80, 443, 443, 443, 53, 22, 8080, 25];
    this.ports = new Uint32Array(this.count).map(
      () => (1024 + random.below(60_000)) * 65_536 + random.pick(services),
    );
    // 0 to 2: handshake. 3: data. 4: an answer is due. 9: only one direction is seen.
    this.step = new Uint8Array(this.count).map((_, flow) => (isMixed && flow % 10 < 3 ? 0 : 9));
  }
}

class Generator {
  readonly #file: number;
  readonly #packets: number;
  readonly #format: "pcap" | "pcap-nanoseconds" | "pcapng";
  readonly #mix: "mixed" | "all-marked" | "all-marked-small";
  readonly #hosts: number;
  readonly #random: Random;
  readonly #shapes: readonly PacketShape[];
  readonly #flows: Flows;
  readonly #payload: Uint8Array;
  readonly #buffer = new Uint8Array(bufferOctets);
  readonly #view = new DataView(this.#buffer.buffer);
  #at = 0;
  #octets = 0;
  #microseconds = 0;
  #markedPackets = 0;
  #records = 0;
  readonly #hasMarked: Uint8Array;
  #markedHosts = 0;

  constructor(file: number, wanted: GeneratedCapture) {
    this.#file = file;
    this.#packets = wanted.packets;
    this.#format = wanted.format ?? "pcap";
    this.#mix = wanted.mix ?? "mixed";
    this.#hosts = wanted.flaggedHosts ?? 200;
    this.#random = seededRandom(wanted.seed ?? 1);
    this.#shapes = buildShapes(this.#mix);
    this.#payload = this.#random.octets(2 ** 18);
    this.#hasMarked = new Uint8Array(this.#hosts);
    const flagged = Math.max(2 * this.#hosts, this.#mix === "mixed" ? 0 : flowCount);
    const byMark = [false, true].map((marked) =>
      this.#shapes.flatMap((shape, index) => (shape.records > 0 === marked ? [index] : [])),
    );
    const pickShape = (isFlagged: boolean): number => this.#random.pick(byMark[isFlagged ? 1 : 0] ?? []);
    this.#flows = new Flows(flagged, this.#mix === "mixed", pickShape, this.#random);
  }

  run(): GeneratedFacts {
    this.#append(this.#fileHeader());
    for (let packet = 0; packet < this.#packets; packet++) {
      if (this.#at > bufferOctets - largestPacket) this.#flush();
      this.#microseconds += this.#random.below(200);
      this.#emit(this.#pickFlow());
    }
    this.#flush();
    return {
      packets: this.#packets,
      octets: this.#octets,
      markedPackets: this.#markedPackets,
      records: this.#records,
      markedHosts: this.#markedHosts,
    };
  }

  #fileHeader(): Uint8Array {
    const blocks = new PcapngBlocks();
    if (this.#format === "pcapng") return joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(1));
    return pcapHeader({ variant: this.#format === "pcap" ? "microseconds" : "nanoseconds" });
  }

  #pickFlow(): number {
    const flows = this.#flows;
    const isFlagged = flows.count === flows.flagged || this.#random.below(1000) === 0;
    return isFlagged
      ? this.#random.below(flows.flagged)
      : flows.flagged + this.#random.below(flows.count - flows.flagged);
  }

  #emit(flow: number): void {
    const shape = this.#shapes[this.#flows.shape[flow] ?? 0];
    if (!shape) return;
    const step = this.#nextStep(flow, shape);
    const header = shape.headers[step];
    const isForward = step === "data" || step === "syn";
    const payload = step === "data" ? Math.max(0, this.#size(shape, header.length) - header.length) : 0;
    const length = Math.max(60, header.length + payload);
    const start = this.#recordHeader(length);
    this.#buffer.set(header, start);
    if (payload > 0) {
      const from = this.#random.below(this.#payload.length - payload);
      this.#buffer.set(this.#payload.subarray(from, from + payload), start + header.length);
    }
    this.#buffer.fill(0, start + header.length + payload, start + length);
    this.#patch(flow, shape, start, header.length + payload, isForward);
    if (isForward && shape.records > 0) this.#countMarked(flow, shape, step);
    this.#recordTrailer(start, length);
  }

  /** A flow that is seen both ways shakes hands, then every packet of data is followed by an acknowledgment. */
  #nextStep(flow: number, shape: PacketShape): Step {
    const { step } = this.#flows;
    const now = step[flow] ?? 9;
    if (shape.isUdp || now === 9) return "data";
    step[flow] = now === 4 ? 3 : now + 1;
    return now === 0 ? "syn" : now === 1 ? "synAck" : now === 4 ? "ack" : "data";
  }

  /** IMIX: 45 % bare headers, 12 % of 594 octets, 5 % of anything between, the rest full. */
  #size(shape: PacketShape, least: number): number {
    if (this.#mix === "all-marked-small") return least;
    if (shape.isUdp) return 60 + this.#random.below(400);
    const percent = this.#random.below(100);
    if (percent < 45) return least;
    if (percent < 57) return 594;
    return percent < 62 ? 100 + this.#random.below(400) : 1514;
  }

  #patch(flow: number, shape: PacketShape, start: number, length: number, isForward: boolean): void {
    const view = this.#view;
    const flows = this.#flows;
    const network = start + shape.network;
    const transport = start + shape.transport;
    const host = this.#hostAddress(flow);
    const peer = flows.peer[flow] ?? 0;
    const packetLength = length - shape.network;
    const [sourceAt, destinationAt] = shape.isVersion6 ? [20, 36] : [12, 16];
    view.setUint32(network + sourceAt, isForward ? host : peer);
    view.setUint32(network + destinationAt, isForward ? peer : host);
    const ports = flows.ports[flow] ?? 0;
    view.setUint32(transport, isForward ? ports : (ports << 16) | (ports >>> 16));
    if (shape.isVersion6) view.setUint16(network + 4, packetLength - 40);
    else {
      view.setUint16(network + 2, packetLength);
      view.setUint16(network + 10, 0);
      view.setUint16(network + 10, internetChecksum(this.#buffer, network, network + 20));
    }
    if (shape.isUdp) view.setUint16(transport + 4, start + length - transport);
    else this.#patchTcp(flow, shape, transport, start + length, isForward);
  }

  #patchTcp(flow: number, shape: PacketShape, transport: number, end: number, isForward: boolean): void {
    const view = this.#view;
    const { sequence, peerSequence } = this.#flows;
    const own = isForward ? sequence : peerSequence;
    const other = isForward ? peerSequence : sequence;
    const flags = view.getUint8(transport + 13);
    const headerLength = (view.getUint8(transport + 12) >> 4) * 4;
    view.setUint32(transport + 4, own[flow] ?? 0);
    view.setUint32(transport + 8, flags === 2 ? 0 : (other[flow] ?? 0));
    own[flow] = (own[flow] ?? 0) + (end - transport - headerLength) + ((flags & 2) === 0 ? 0 : 1);
    if (!isForward || shape.records === 0) return;
    const mark = end - (end - transport - headerLength) - shape.markFromEnd[flags === 2 ? "syn" : "data"];
    for (let record = 0; record < shape.records; record++) {
      if (flags === 2 && record > 0) break;
      view.setUint32(mark + 3 + 6 * record, startSeconds - ((flow * 7919 + record * 104_729) % 86_400));
    }
  }

  /** Flagged hosts are 10.128.0.0 and up, the others 10.0.0.0 and up; in IPv6 the same number stands in front. */
  #hostAddress(flow: number): number {
    const { flagged } = this.#flows;
    return flow < flagged ? 0x0a800000 + (flow % this.#hosts) : 0x0a000000 + ((flow - flagged) % 4096);
  }

  #countMarked(flow: number, shape: PacketShape, step: Step): void {
    this.#markedPackets++;
    this.#records += step === "syn" ? 1 : shape.records;
    const host = flow % this.#hosts;
    if (this.#hasMarked[host] === 0) this.#markedHosts++;
    this.#hasMarked[host] = 1;
  }

  /** Returns where the frame begins. */
  #recordHeader(length: number): number {
    const view = this.#view;
    const at = this.#at;
    const seconds = startSeconds + Math.floor(this.#microseconds / 1e6);
    const microseconds = this.#microseconds % 1e6;
    if (this.#format === "pcapng") {
      const ticks = seconds * 1e6 + microseconds;
      const total = 32 + ((length + 3) & ~3);
      const words = [6, total, 0, Math.floor(ticks / 2 ** 32), ticks >>> 0, length, length];
      for (const [index, word] of words.entries()) view.setUint32(at + 4 * index, word, true);
      return at + 28;
    }
    const fraction = this.#format === "pcap" ? microseconds : microseconds * 1000;
    for (const [index, word] of [seconds, fraction, length, length].entries())
      view.setUint32(at + 4 * index, word, true);
    return at + 16;
  }

  #recordTrailer(start: number, length: number): void {
    if (this.#format !== "pcapng") {
      this.#at = start + length;
      return;
    }
    const total = 32 + ((length + 3) & ~3);
    const end = start - 28 + total;
    this.#buffer.fill(0, start + length, end - 4);
    this.#view.setUint32(end - 4, total, true);
    this.#at = end;
  }

  #append(octets: Uint8Array): void {
    this.#buffer.set(octets, this.#at);
    this.#at += octets.length;
  }

  #flush(): void {
    let written = 0;
    while (written < this.#at) written += writeSync(this.#file, this.#buffer, written, this.#at - written);
    this.#octets += this.#at;
    this.#at = 0;
  }
}
