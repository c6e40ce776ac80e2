/**
 * Packets that the kernel logged with the verdict in the prefix (link type 239) -> events. The same frame walk as for
 * captures; a packet without a mark, as one whose headers the matchers could not read, is an event without detections.
 */
import type { CaptureInterface, FrameSink } from "../../capture/frame-sink.ts";
import type { EnforcementEvent } from "../../policy/event.ts";
import { formatAddress } from "../../wire/address.ts";
import { linkTypes, nflogAttribute, nflogMark, nflogPrefix, noNetworkHeader } from "../../wire/link-layer.ts";
import { decodeRecord, firstRecord } from "../../wire/mark.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { recordOctets } from "../../wire/mark-format.ts";
import { absent, defaultMarkSelection, PacketWalk, protocols } from "../../wire/packet-walk.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import { tagFindings } from "../enforcement/packet-place.ts";
import { parseLabel } from "./gap-account.ts";
import type { Unnumbered } from "./spool.ts";

export type LoggedEvent = Unnumbered<EnforcementEvent>;

export interface NflogEventSettings {
  /** Identity of the agent. */
  readonly agent: string;
  /** NFLOG group of packets whose connection both sides had spoken in; those of other groups are lone. */
  readonly establishedGroup?: number;
  /** Lowest of the two bits of the packet mark that say what was found of tags; absent: nobody checks them. */
  readonly tagShift?: number;
  readonly selection?: MarkSelection;
}

type Label = ReturnType<typeof parseLabel>;

/** Different prefixes that are remembered; rule sets have dozens. */
const mostLabels = 4096;

export class NflogEvents implements FrameSink {
  readonly #settings: NflogEventSettings;
  readonly #selection: MarkSelection;
  readonly #take: (event: LoggedEvent) => void;
  readonly #labels = new Map<string, Label>();
  #octets: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #walk: PacketWalk;
  /** Logged packets that are no event: no prefix of ours, or no IP header. */
  ignored = 0;

  constructor(settings: NflogEventSettings, take: (event: LoggedEvent) => void) {
    this.#settings = settings;
    this.#selection = settings.selection ?? defaultMarkSelection;
    this.#take = take;
    this.#walk = new PacketWalk(this.#octets, this.#selection);
  }

  useBuffer(octets: Uint8Array, view: DataView): void {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    this.#view = view;
    this.#walk = new PacketWalk(octets, this.#selection);
  }

  frame(
    start: number,
    capturedLength: number,
    _originalLength: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void {
    const end = start + capturedLength;
    const label = source.linkType === linkTypes.nflog ? this.#label(start, end) : undefined;
    this.#walk.walk(source.linkType, start, end);
    if (!label || this.#walk.network === absent) {
      this.ignored++;
      return;
    }
    const time = source.microseconds(timeHigh, timeLow) / 1_000_000;
    this.#take(this.#event(label, time, end, this.#trust(start, end)));
  }

  #trust(start: number, end: number): LoggedEvent["trust"] {
    const finding = this.#tagFinding(start, end);
    if (finding === tagFindings.verified) return "verified";
    if (finding === tagFindings.invalid) return "invalid";
    // The group is in the header, in network order (LINKTYPE_NFLOG of tcpdump.org).
    const isEstablished = this.#view.getUint16(start + 2) === this.#settings.establishedGroup;
    return isEstablished ? "established" : "lone";
  }

  #tagFinding(start: number, end: number): number {
    const { tagShift } = this.#settings;
    if (tagShift === undefined) return tagFindings.unchecked;
    const at = nflogAttribute(this.#octets, nflogMark, start, end);
    // The kernel leaves out a mark of zero.
    if (at === noNetworkHeader || at + 4 > end) return tagFindings.unchecked;
    return (this.#view.getUint32(at) >>> tagShift) & 3;
  }

  #label(start: number, end: number): Label {
    const at = nflogAttribute(this.#octets, nflogPrefix, start, end);
    if (at === noNetworkHeader) return undefined;
    const length = this.#view.getUint16(at - 4, true) - 4;
    const limit = Math.min(end, at + Math.min(length, 64));
    const nul = this.#octets.subarray(at, limit).indexOf(0);
    const text = this.#octets.toString("latin1", at, nul < 0 ? limit : at + nul);
    if (!this.#labels.has(text) && this.#labels.size < mostLabels) this.#labels.set(text, parseLabel(text));
    return this.#labels.get(text) ?? parseLabel(text);
  }

  #event(label: NonNullable<Label>, time: number, end: number, trust: LoggedEvent["trust"]): LoggedEvent {
    const walk = this.#walk;
    const isMarked = walk.mark !== absent && !walk.markQuoted;
    const network = isMarked ? walk.markNetwork : walk.network;
    const version = this.#view.getUint8(network) >> 4 === 4 ? 4 : 6;
    const hasPorts = network === walk.network && this.#hasPorts(end);
    return {
      type: "enforcement",
      agent: this.#settings.agent,
      time,
      host: formatAddress(this.#view, network + (version === 4 ? 12 : 8), version),
      peer: formatAddress(this.#view, network + (version === 4 ? 16 : 24), version),
      protocol: network === walk.network ? walk.protocol : this.#outerProtocol(network, version),
      hostPort: hasPorts ? this.#view.getUint16(walk.transport) : 0,
      peerPort: hasPorts ? this.#view.getUint16(walk.transport + 2) : 0,
      trust,
      ...label,
      ...(isMarked ? { option: this.#octets.toString("hex", walk.mark, walk.mark + walk.markLength) } : {}),
      detections: isMarked ? this.#records() : [],
      length: this.#packetLength(network, version, end),
    };
  }

  #hasPorts(end: number): boolean {
    const { transport, protocol } = this.#walk;
    return (
      transport !== absent &&
      transport + 4 <= end &&
      (protocol === protocols.tcp || protocol === protocols.udp)
    );
  }

  #outerProtocol(network: number, version: 4 | 6): number {
    return this.#view.getUint8(network + (version === 4 ? 9 : 6));
  }

  #records(): DetectionRecord[] {
    const { mark, markLength, markCount } = this.#walk;
    const first = firstRecord(mark, markLength, markCount);
    return Array.from({ length: markCount }, (_, index) =>
      decodeRecord(this.#view, first + index * recordOctets),
    );
  }

  /** Octets of the IP packet, by its own length; one that the network card was to split has none. */
  #packetLength(network: number, version: 4 | 6, end: number): number {
    const length = version === 4 ? this.#view.getUint16(network + 2) : 40 + this.#view.getUint16(network + 4);
    return length === 0 || (version === 6 && length === 40) ? end - network : length;
  }
}
