/**
 * One look at every frame of a capture, in order: finds marks and the packets that answer them, and keeps what they
 * show in dictionaries and rows. Everything is judged within this one capture, so that the order in which captures are
 * ingested makes no difference. Nothing is allocated a frame; unmarked frames are asked one question (address-filter.ts).
 */
import type { CaptureInterface, FrameSink, RecordLayout } from "../../capture/frame-sink.ts";
import { isAuthenticatedLength } from "../../wire/authenticated-format.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { isPlausible } from "../../wire/mark.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import { AddressFilter } from "./address-filter.ts";
import { withinDatabase } from "./capture-time.ts";
import { ContentDigest } from "./content-digest.ts";
import { DetectionTable } from "./detection-table.ts";
import type { Dictionaries } from "./dictionary-rows.ts";
import { EnforcedPackets } from "./enforced-packets.ts";
import { EnforcementPrefixes } from "./enforcement-prefix.ts";
import { digestAddresses, digestMark } from "./evidence-digest.ts";
import { FlowEvidence } from "./flow-evidence.ts";
import { FlowKey } from "./flow-key.ts";
import { FlowTuple } from "./flow-tuple.ts";
import { none } from "./hash-slots.ts";
import { HostTable, mappedWord } from "./host-table.ts";
import { KnownBeginnings } from "./known-beginnings.ts";
import { MarkTable } from "./mark-table.ts";
import { MarkedRuns } from "./marked-runs.ts";
import { minuteOf, minuteStart, MinuteSums } from "./minute-rows.ts";
import { QuietFrames } from "./quiet/quiet-frames.ts";
import type { Secrets } from "./secrets.ts";
import { evidenceSelection, TagCheck } from "./tag-check.ts";
import type { ReaderKey } from "./tag-check.ts";
import { TimeBounds } from "./time-bounds.ts";
import { TransportFacts } from "./transport-facts.ts";
import { trust } from "./trust-level.ts";
import { beginsConnection, couldBeMarked, UnmarkedHosts } from "./unmarked-hosts.ts";
import { WalkMemory } from "./walk-memory.ts";
import { sightingDetail } from "./walk-rows.ts";
import type { WalkRows } from "./walk-rows.ts";

export interface ObserverOptions {
  readonly selection?: MarkSelection | undefined;
  /** Keys that tags are verified with. */
  readonly keys?: readonly ReaderKey[] | undefined;
  readonly beginnings?: KnownBeginnings;
  readonly memory?: WalkMemory;
}

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
  readonly passed: QuietFrames;
  readonly beginnings: KnownBeginnings;

  readonly #memory: WalkMemory;
  readonly #rows: WalkRows;
  readonly #walk: PacketWalk;
  readonly #flows: FlowEvidence;
  readonly #runs: MarkedRuns;
  readonly #tags: TagCheck;
  readonly #enforced: EnforcedPackets;
  readonly #flagged = new AddressFilter();
  readonly #tuple = new FlowTuple();
  readonly #packet = new TransportFacts();
  /** By level of trust. */
  readonly #minutes: readonly MinuteSums[];
  readonly #hostMinutes: MinuteSums;
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#octets.buffer);
  #interface: CaptureInterface | undefined;
  /** Numbers that Wireshark gives to what is no packet. */
  #otherFrames = 0;

  constructor(rows: WalkRows, secrets: Secrets, options: ObserverOptions = {}) {
    const { selection = evidenceSelection, keys = [], beginnings = new KnownBeginnings() } = options;
    const { memory = new WalkMemory() } = options;
    this.#memory = memory;
    this.beginnings = beginnings;
    this.#rows = rows;
    this.#tags = new TagCheck(keys, memory);
    this.#walk = new PacketWalk(this.#octets, selection);
    this.digest = new ContentDigest(secrets);
    this.passed = new QuietFrames(secrets, selection, this.digest, this.#flagged);
    const hosts = new HostTable(secrets, memory);
    const detections = new DetectionTable(secrets, memory);
    this.#flows = new FlowEvidence(hosts, secrets, memory, {
      began: (host) => {
        hosts.flag(host);
        this.#flagged.enter(hosts.hashOf(host));
      },
      trustChanges: (flow) => {
        this.#runs.flush(flow);
      },
      established: (flow, mark, time) => {
        const minute = minuteOf(time);
        const within = time - minuteStart(minute);
        // Counted as a lone packet before; now it is seen, at that time, on a flow with evidence.
        this.#record(mark, this.#tags.trustOf(flow) ?? trust.established, minute, within, within, 0);
      },
      passed: (flow, minute) => {
        rows.passed(flow, minute);
      },
    });
    const marks = new MarkTable(detections, secrets, memory);
    this.#runs = new MarkedRuns(
      memory,
      this.#flows.table,
      marks,
      (flow, mark, minute, first, last, packets, octets) => {
        const level = this.#flows.isEstablished(flow) ? trust.established : trust.lone;
        this.#record(mark, this.#tags.trustOf(flow) ?? level, minute, first, last, packets);
        this.#hostMinutes.add(this.#flows.table.host(flow), minute, first, last, packets, octets);
      },
    );
    this.dictionaries = {
      hosts,
      detections,
      marks,
      flows: this.#flows.table,
      prefixes: new EnforcementPrefixes(),
      flowKey: new FlowKey(secrets),
      unmarked: new UnmarkedHosts(memory),
      memory,
    };
    this.#enforced = new EnforcedPackets(this.dictionaries, rows);
    this.#minutes = Object.values(trust).map((level) => this.#detectionMinutes(level));
    this.#hostMinutes = new MinuteSums(memory, (host, minute, _first, _last, packets, octets) => {
      rows.hostMinute(host, minute, packets, octets);
    });
  }

  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void {
    this.#octets = octets;
    this.#view = view;
    this.#walk.useBuffer(octets);
    this.passed.useMemory(memory);
  }

  /** Most frames show nothing: WebAssembly takes those in, many at once, as `frame` would one by one. */
  pass(start: number, end: number, source: CaptureInterface, layout: RecordLayout): number {
    const { passed } = this;
    const isKnown = source === this.#interface && source.linkType === linkTypes.ethernet;
    const limit = this.#untilBeginning();
    const next = isKnown ? passed.pass(start, end, layout, limit) : passed.none(start);
    if (passed.frames === 0) return next;
    this.frames += passed.frames;
    this.tcpPackets += passed.tcpPackets;
    this.times.add(passed.firstHigh, passed.firstLow);
    this.times.add(passed.lastHigh, passed.lastLow);
    return next;
  }

  frame(
    start: number,
    capturedLength: number,
    originalLength: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void {
    this.#untilBeginning();
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
      this.#packet.time = this.#time(timeHigh, timeLow, source);
      this.#marked(originalLength, capturedLength);
    } else if (this.#flagged.count !== 0 && !walk.quoted) {
      const isReply = this.#mayBeFlagged(walk.network + (walk.ipVersion === 4 ? 16 : 24), walk.ipVersion);
      const isOwn =
        walk.tcp !== absent &&
        this.#mayBeFlagged(walk.network + (walk.ipVersion === 4 ? 12 : 8), walk.ipVersion);
      if (isReply || isOwn) {
        this.#packet.time = this.#time(timeHigh, timeLow, source);
        this.#unmarked(originalLength - capturedLength, isReply, isOwn);
      }
    }
    if (source.linkType === linkTypes.nflog) {
      this.#packet.time = this.#time(timeHigh, timeLow, source);
      const cutOctets = originalLength - capturedLength;
      const [octets, view, number] = [this.#octets, this.#view, this.#number];
      this.#enforced.observe({ walk, octets, view, start, end, cutOctets, number }, this.#packet);
    }
  }

  otherFrame(): void {
    this.#otherFrames++;
  }

  /** What Wireshark calls the frame, so that an analyst finds it there. */
  get #number(): number {
    return this.frames + this.#otherFrames;
  }

  /** Frames until a capture that is known may end; compares it if it does here. */
  #untilBeginning(): number {
    const { beginnings } = this;
    if (this.frames === beginnings.next) beginnings.compare(this.digest);
    return beginnings.next - this.frames;
  }

  /** To be called after the last frame: minutes that are still open become rows. */
  finish(): void {
    this.#untilBeginning();
    this.#runs.finish();
    for (const minutes of this.#minutes) minutes.finish();
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

  /** Signed words throughout: an unsigned one above 2^31 would be allocated on its way into a call. */
  #digestFrame(capturedLength: number, originalLength: number, timeHigh: number, timeLow: number): void {
    const { network, tcp } = this.#walk;
    const view = this.#view;
    // Multiplied apart, because two words that change alike would cancel in a plain sum.
    const lengths = Math.imul(capturedLength, 0x9e3779b1) + Math.imul(originalLength, 0x85ebca77);
    this.digest.add(
      (timeHigh + lengths) | 0,
      timeLow | 0,
      view.getInt32(network + 12),
      view.getInt32(network + 16),
    );
    if (tcp === absent) return;
    const flags = view.getInt32(tcp + 12);
    this.digest.add(view.getInt32(tcp), view.getInt32(tcp + 4), view.getInt32(tcp + 8), flags);
  }

  /** A marked packet; its time has been noted. */
  #marked(originalLength: number, capturedLength: number): void {
    const walk = this.#walk;
    const view = this.#view;
    this.#memory.nextTurn();
    this.markedPackets++;
    digestMark(this.digest, walk, view);
    const carrier = walk.markCarrier === "ipv4" ? sightingDetail.ipv4Carrier : 0;
    if (walk.markQuoted) {
      this.#quoted(originalLength, carrier);
      return;
    }
    const network = walk.markNetwork;
    const version = view.getUint8(network) >> 4;
    const packet = this.#packet;
    packet.read(walk, network, view, originalLength - capturedLength);
    this.#tuple.readSent(view, network, version, packet.ports, packet.protocol);
    const flow = this.#flows.flowOf(this.#tuple, packet);
    // Evidence that this packet brings vouches for the mark before it, too.
    if (packet.isTcp) this.#flows.sent(flow, packet);
    const mark = this.#markOf(flow);
    this.#runs.add(flow, packet);
    const { unmarked } = this.dictionaries;
    if (unmarked.count !== 0) unmarked.end(this.#flows.table.host(flow));
    const server = this.#flows.isServer(flow) ? sightingDetail.fromServer : 0;
    this.#rows.sighting(this.#number, packet, flow, mark, originalLength, carrier | server);
    // The peer may be flagged too: then this packet also answers the peer's own flow.
    if (this.#mayBeFlagged(network + (version === 4 ? 16 : 24), version)) this.#reply(network, version);
  }

  /** The mark of the packet, which is the flow's from now on; a tag is looked at if it is not the packet's before. */
  #markOf(flow: number): number {
    const walk = this.#walk;
    const octets = this.#octets;
    const seconds = this.#packet.time / 1_000_000;
    const isTagged = isAuthenticatedLength(walk.markLength);
    const usual = isTagged
      ? this.#tags.knownMark(flow, octets, walk, seconds)
      : this.#runs.usualMark(flow, this.#view, walk.mark, walk.markLength);
    if (usual !== none) return usual;
    const host = this.#flows.table.host(flow);
    const mark = this.#internMark(host);
    // First what was counted so far is written down, with what its tag was worth.
    this.#runs.changeMark(flow, mark, this.#view, walk.mark, walk.markLength);
    if (isTagged) this.#tags.check(flow, host, mark, octets, walk, seconds);
    else this.#tags.forget(flow);
    return mark;
  }

  #internMark(host: number): number {
    const { mark, markLength, markCount } = this.#walk;
    const { marks } = this.dictionaries;
    if (!isAuthenticatedLength(markLength))
      return marks.intern(host, this.#view, mark, markLength, markCount);
    return marks.intern(host, this.#tags.plainOption(this.#octets, this.#walk), 0, markLength, markCount);
  }

  /** What became of the tags so far. */
  get tags(): { readonly verified: number; readonly unchecked: number } {
    return this.#tags;
  }

  /** A mark inside an ICMP error: a sighting that never ranks. */
  #quoted(originalLength: number, carrier: number): void {
    const walk = this.#walk;
    const view = this.#view;
    this.quotedMarks++;
    this.#tuple.readSent(view, walk.markNetwork, view.getUint8(walk.markNetwork) >> 4, 0, 0);
    const { host0, host1, host2, host3 } = this.#tuple;
    const host = this.dictionaries.hosts.intern(host0, host1, host2, host3);
    const mark = this.#internMark(host);
    this.#rows.quotedSighting(
      this.#number,
      this.#packet,
      mark,
      originalLength,
      carrier | sightingDetail.quoted,
    );
  }

  /** A packet without a mark to, or of, an address that may be flagged. */
  #unmarked(cutOctets: number, isReply: boolean, isOwn: boolean): void {
    const walk = this.#walk;
    this.#memory.nextTurn();
    if (walk.ipVersion === 6) digestAddresses(this.digest, this.#view, walk.network);
    this.#packet.read(walk, walk.network, this.#view, cutOctets);
    if (isReply) this.#reply(walk.network, walk.ipVersion);
    if (!isOwn || !couldBeMarked(walk, this.#packet)) return;
    this.#tuple.readSent(this.#view, walk.network, walk.ipVersion, this.#packet.ports, this.#packet.protocol);
    const host = this.#unmarkedHost();
    if (host !== none) this.dictionaries.unmarked.add(host, this.#packet.time);
  }

  /** The flagged host that should have marked this packet: it begins a connection, or goes on with one that was marked. */
  #unmarkedHost(): number {
    const { host0, host1, host2, host3 } = this.#tuple;
    const flow = this.dictionaries.flows.find(this.#tuple);
    if (flow !== none) return this.#flows.table.host(flow);
    if (!beginsConnection(this.#packet)) return none;
    const host = this.dictionaries.hosts.find(host0, host1, host2, host3);
    return host !== none && this.dictionaries.hosts.isFlagged(host) ? host : none;
  }

  #reply(network: number, version: number): void {
    const packet = this.#packet;
    this.#tuple.readReceived(this.#view, network, version, packet.ports, packet.protocol);
    const flow = this.dictionaries.flows.find(this.#tuple);
    if (flow !== none) this.#flows.replied(flow, packet);
  }

  /** Whether the address at `at` may have sent marks. */
  #mayBeFlagged(at: number, version: number): boolean {
    const view = this.#view;
    const { hosts } = this.dictionaries;
    const hash =
      version === 4
        ? hosts.hash(0, 0, mappedWord, view.getInt32(at))
        : hosts.hash(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
    return this.#flagged.has(hash);
  }

  /** Counts the detections of a mark, seen in this minute from `first` to `last`. */
  #record(mark: number, level: number, minute: number, first: number, last: number, packets: number): void {
    const { marks } = this.dictionaries;
    const seconds = (minuteStart(minute) + last) / 1_000_000;
    const records = marks.records(mark);
    for (let record = 0; record < records; record++) {
      const detection = marks.detection(mark, record);
      const isTrue = isPlausible(marks.detectedAt(mark, record), seconds);
      const minutes = this.#minutes[isTrue ? level : trust.implausible];
      minutes?.add(detection, minute, first, last, packets, 0);
    }
  }

  #detectionMinutes(level: number): MinuteSums {
    return new MinuteSums(this.#memory, (detection, minute, first, last, packets) => {
      this.#rows.detectionMinute(detection, minute, level, first, last, packets);
    });
  }
}
