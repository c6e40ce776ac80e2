/**
 * One look at every frame of a capture, in order: finds marks and the packets that answer them, and keeps what they
 * show in dictionaries and rows. Everything is judged within this one capture, so that the order in which captures are
 * ingested makes no difference. Nothing is allocated a frame; unmarked frames are asked one question (address-filter.ts).
 */
import type { CaptureInterface, FrameSink } from "../../capture/frame-sink.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { isPlausible } from "../../wire/mark.ts";
import { absent, defaultMarkSelection, PacketWalk } from "../../wire/packet-walk.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import { AddressFilter } from "./address-filter.ts";
import { withinDatabase } from "./capture-time.ts";
import { ContentDigest } from "./content-digest.ts";
import { DetectionTable } from "./detection-table.ts";
import type { Dictionaries } from "./dictionary-rows.ts";
import { EnforcementPrefixes } from "./enforcement-prefix.ts";
import { FlowEvidence } from "./flow-evidence.ts";
import { FlowKey } from "./flow-key.ts";
import { none } from "./hash-slots.ts";
import { HostTable } from "./host-table.ts";
import { MarkTable } from "./mark-table.ts";
import { MinuteSums } from "./minute-rows.ts";
import { PacketAddresses } from "./packet-addresses.ts";
import type { Secrets } from "./secrets.ts";
import { TimeBounds } from "./time-bounds.ts";
import { TransportFacts } from "./transport-facts.ts";
import { addTuple } from "./tuple-key.ts";
import { sightingDetail } from "./walk-rows.ts";
import type { WalkRows } from "./walk-rows.ts";

/** Ids of the table trust. */
const trust = { lone: 0, established: 1, implausible: 3 } as const;

export class EvidenceObserver implements FrameSink {
  frames = 0;
  tcpPackets = 0;
  markedPackets = 0;
  malformedMarks = 0;
  cutPackets = 0;
  duplicateMarks = 0;
  quotedMarks = 0;
  readonly times = new TimeBounds();
  readonly digest: ContentDigest;
  readonly dictionaries: Dictionaries;

  readonly #rows: WalkRows;
  readonly #walk: PacketWalk;
  readonly #flows: FlowEvidence;
  readonly #flagged = new AddressFilter();
  readonly #source: PacketAddresses;
  readonly #destination: PacketAddresses;
  readonly #packet = new TransportFacts();
  readonly #loneMinutes: MinuteSums;
  readonly #establishedMinutes: MinuteSums;
  readonly #implausibleMinutes: MinuteSums;
  readonly #hostMinutes: MinuteSums;
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#octets.buffer);
  #interface: CaptureInterface | undefined;

  constructor(rows: WalkRows, secrets: Secrets, selection: MarkSelection = defaultMarkSelection) {
    this.#rows = rows;
    this.#walk = new PacketWalk(this.#octets, selection);
    this.digest = new ContentDigest(secrets);
    const hosts = new HostTable(secrets);
    const detections = new DetectionTable(secrets);
    this.#source = new PacketAddresses(hosts);
    this.#destination = new PacketAddresses(hosts);
    this.#flows = new FlowEvidence(secrets, {
      established: (mark, time) => {
        this.#record(mark, time, trust.established, 0);
      },
      passed: (flow, minute) => {
        rows.passed(flow, minute);
      },
    });
    this.dictionaries = {
      hosts,
      detections,
      marks: new MarkTable(detections, secrets),
      flows: this.#flows.table,
      prefixes: new EnforcementPrefixes(),
      flowKey: new FlowKey(secrets),
    };
    this.#loneMinutes = this.#detectionMinutes(trust.lone);
    this.#establishedMinutes = this.#detectionMinutes(trust.established);
    this.#implausibleMinutes = this.#detectionMinutes(trust.implausible);
    this.#hostMinutes = new MinuteSums((host, minute, _first, _last, packets, octets) => {
      rows.hostMinute(host, minute, packets, octets);
    });
  }

  useBuffer(octets: Uint8Array, view: DataView): void {
    this.#octets = octets;
    this.#view = view;
    this.#walk.useBuffer(octets);
  }

  frame(
    start: number,
    capturedLength: number,
    originalLength: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void {
    this.frames++;
    if (source !== this.#interface) this.#changeInterface(source);
    this.times.add(timeHigh, timeLow);
    const walk = this.#walk;
    const end = start + capturedLength;
    walk.walk(source.linkType, start, end);
    if (walk.network === absent) {
      this.digest.add(timeHigh, timeLow, capturedLength, originalLength);
      return;
    }
    this.#digestFrame(capturedLength, originalLength, timeHigh, timeLow);
    if (walk.tcp !== absent && !walk.quoted) this.tcpPackets++;
    if (walk.malformed !== 0) this.malformedMarks += walk.malformed;
    if (walk.cut) this.cutPackets++;
    if (walk.mark !== absent) {
      this.duplicateMarks += walk.duplicates;
      this.#marked(originalLength, capturedLength, this.#time(timeHigh, timeLow, source));
    } else if (this.#flagged.count !== 0 && !walk.quoted) {
      this.#destination.readDestination(this.#view, walk.network, walk.ipVersion);
      if (this.#flagged.has(this.#destination.hash)) {
        this.#unmarked(originalLength, capturedLength, this.#time(timeHigh, timeLow, source));
      }
    }
    if (source.linkType === linkTypes.nflog) {
      this.#enforced(start, end, originalLength - capturedLength, this.#time(timeHigh, timeLow, source));
    }
  }

  /** To be called after the last frame: minutes that are still open become rows. */
  finish(): void {
    this.#loneMinutes.finish();
    this.#establishedMinutes.finish();
    this.#implausibleMinutes.finish();
    this.#hostMinutes.finish();
  }

  #time(timeHigh: number, timeLow: number, source: CaptureInterface): number {
    return withinDatabase(source.microseconds(timeHigh, timeLow));
  }

  #changeInterface(source: CaptureInterface): void {
    this.#interface = source;
    this.times.useClock(source);
    this.digest.add(source.index, source.linkType, this.frames, 0);
  }

  #digestFrame(capturedLength: number, originalLength: number, timeHigh: number, timeLow: number): void {
    const walk = this.#walk;
    const view = this.#view;
    const lengths = capturedLength ^ (originalLength << 16) ^ (originalLength >>> 16);
    if (walk.tcp === absent) {
      const at = walk.network + 12;
      this.digest.add(timeHigh ^ lengths, timeLow, view.getUint32(at), view.getUint32(at + 4));
      return;
    }
    const tcp = walk.tcp;
    this.digest.add(
      timeHigh ^ lengths ^ view.getUint32(tcp),
      timeLow ^ view.getUint32(tcp + 12),
      view.getUint32(walk.network + 12) ^ view.getUint32(tcp + 4),
      view.getUint32(walk.network + 16) ^ view.getUint32(tcp + 8),
    );
  }

  #digestMark(): void {
    const walk = this.#walk;
    const view = this.#view;
    const last = walk.mark + walk.markLength - 4;
    for (let at = walk.mark; at < last; at += 4) this.digest.add(view.getUint32(at), at, 0, 0);
    this.digest.add(view.getUint32(last), walk.markLength, walk.markNetwork - walk.network, 0);
  }

  #marked(originalLength: number, capturedLength: number, time: number): void {
    const walk = this.#walk;
    const { marks } = this.dictionaries;
    this.markedPackets++;
    this.#digestMark();
    const version = this.#view.getUint8(walk.markNetwork) >> 4;
    const source = this.#source;
    source.readSource(this.#view, walk.markNetwork, version);
    const host = source.intern();
    const carrier = walk.markCarrier === "ipv4" ? sightingDetail.ipv4Carrier : 0;
    if (walk.markQuoted) {
      this.quotedMarks++;
      const detail = carrier | sightingDetail.quoted;
      this.#rows.quotedSighting(this.frames, time, this.#internMark(host), originalLength, detail);
      return;
    }
    this.#flagged.enter(host, source.hash);
    const destination = this.#destination;
    destination.readDestination(this.#view, walk.markNetwork, version);
    const peer = destination.intern();
    const packet = this.#packet;
    packet.read(walk, walk.markNetwork, this.#view, originalLength - capturedLength);
    packet.time = time;
    const flow = this.#flows.flowOf(host, peer, packet.ports, packet.protocol, packet);
    const usual = this.#flows.hasMarked(flow) ? this.#flows.markOf(flow) : none;
    const isUsual = usual !== none && marks.isOption(usual, this.#octets, walk.mark, walk.markLength);
    const mark = isUsual ? usual : this.#internMark(host);
    this.#flows.marked(flow, mark, packet);
    this.#record(mark, time, this.#flows.isEstablished(flow) ? trust.established : trust.lone, 1);
    this.#hostMinutes.add(host, time, 1, packet.length);
    const server = this.#flows.isServer(flow) ? sightingDetail.fromServer : 0;
    this.#rows.sighting(this.frames, time, flow, mark, originalLength, carrier | server);
    // The peer may be flagged too: then this packet also answers the peer's own flow.
    if (this.#flagged.has(destination.hash)) this.#reply(peer, host);
  }

  /** A packet without a mark to an address that may be flagged; its destination has been read. */
  #unmarked(originalLength: number, capturedLength: number, time: number): void {
    const walk = this.#walk;
    const host = this.#destination.find();
    if (host === none) return;
    this.#source.readSource(this.#view, walk.network, walk.ipVersion);
    const peer = this.#source.find();
    if (peer === none) return;
    this.#packet.read(walk, walk.network, this.#view, originalLength - capturedLength);
    this.#packet.time = time;
    this.#reply(host, peer);
  }

  #reply(host: number, peer: number): void {
    const packet = this.#packet;
    // The packet's ports are its sender's first; the flow's are the flagged host's first.
    const ports = ((packet.ports << 16) | (packet.ports >>> 16)) >>> 0;
    const flow = this.dictionaries.flows.find(host, peer, ports, packet.protocol);
    if (flow !== none) this.#flows.replied(flow, packet);
  }

  #internMark(host: number): number {
    const walk = this.#walk;
    return this.dictionaries.marks.intern(
      host,
      this.#view,
      this.#octets,
      walk.mark,
      walk.markLength,
      walk.markCount,
    );
  }

  /** Counts the detections of a mark as seen at `time`; 0 packets: seen then, and counted then. */
  #record(mark: number, time: number, level: number, packets: number): void {
    const { marks, detections } = this.dictionaries;
    const seconds = time / 1_000_000;
    const end = marks.detectionsStart(mark + 1);
    for (let place = marks.detectionsStart(mark); place < end; place++) {
      const detection = marks.detectionAt(place);
      if (!isPlausible(detections.detectedAt(detection), seconds)) {
        this.#implausibleMinutes.add(detection, time, packets, 0);
      } else if (level === trust.established) this.#establishedMinutes.add(detection, time, packets, 0);
      else this.#loneMinutes.add(detection, time, packets, 0);
    }
  }

  #detectionMinutes(level: number): MinuteSums {
    return new MinuteSums((detection, minute, first, last, packets) => {
      this.#rows.detectionMinute(detection, minute, level, first, last, packets);
    });
  }

  /** An NFLOG packet whose prefix says what an enforcement point did with it. */
  #enforced(start: number, end: number, cutOctets: number, time: number): void {
    const prefix = this.dictionaries.prefixes.read(this.#octets, start, end);
    if (prefix === none) return;
    const walk = this.#walk;
    const network = walk.mark !== absent && !walk.markQuoted ? walk.markNetwork : walk.network;
    // Of an ICMP error that was acted on, the walk keeps the packet that it quotes, which was not acted on.
    if (walk.quoted && network === walk.network) return;
    const version = this.#view.getUint8(network) >> 4;
    this.#source.readSource(this.#view, network, version);
    this.#destination.readDestination(this.#view, network, version);
    const host = this.#source.intern();
    const peer = this.#destination.intern();
    const packet = this.#packet;
    packet.read(walk, network, this.#view, cutOctets);
    const { flowKey, hosts } = this.dictionaries;
    addTuple(flowKey, hosts, host, peer, packet.ports, packet.protocol);
    flowKey.digest();
    this.#rows.event({
      time,
      frame: this.frames,
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
