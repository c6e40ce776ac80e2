/** Records of a snoop capture (RFC 1761): 16 octets of file header, records with 24 octets of header, all big-endian. */
import { linkTypes } from "../wire/link-layer.ts";
import type { CaptureInterface, FrameSink } from "./frame-sink.ts";
import { maximumRecordOctets } from "./record-walker.ts";
import type { Damage, RecordWalker } from "./record-walker.ts";

const fileHeaderOctets = 16;
const recordHeaderOctets = 24;

/** RFC 1761 numbers link types in its own way; IEEE 802.3 and Ethernet share ours. */
const datalinks = new Map([
  [0, linkTypes.ethernet],
  [4, linkTypes.ethernet],
]);

/** No link type has this number. */
const unknownLinkType = 0xffff;

export class SnoopWalker implements RecordWalker {
  readonly format = "snoop";
  readonly alignment = 1;
  readonly largestRecord = maximumRecordOctets;
  frames = 0;
  readonly names: ReadonlyMap<string, string> = new Map();
  interfaces: CaptureInterface[] = [];
  damage: Damage | undefined;
  needed = fileHeaderOctets;
  readonly #sink: FrameSink;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void {
    this.#view = view;
    this.#sink.useBuffer(octets, view, memory);
  }

  walk(start: number, end: number): number {
    const [source] = this.interfaces;
    if (source) return this.#records(start, end, source);
    if (end - start < fileHeaderOctets) return start;
    const version = this.#view.getUint32(start + 8);
    if (version !== 2) {
      this.damage = { reason: `snoop version ${version}; only 2 is known`, refused: true };
      return start;
    }
    const only: CaptureInterface = {
      index: 0,
      linkType: datalinks.get(this.#view.getUint32(start + 12)) ?? unknownLinkType,
      snapLength: 0,
      clock: { resolution: 6, offsetSeconds: 0, isSplit: true },
      microseconds: (seconds, microseconds) => seconds * 1_000_000 + microseconds,
    };
    this.interfaces = [only];
    return this.#records(start + fileHeaderOctets, end, only);
  }

  #records(start: number, end: number, source: CaptureInterface): number {
    const view = this.#view;
    let at = start;
    this.needed = recordHeaderOctets;
    while (at + recordHeaderOctets <= end) {
      const captured = view.getUint32(at + 4);
      const length = view.getUint32(at + 8);
      if (length < recordHeaderOctets + captured || length > maximumRecordOctets) {
        this.damage = { reason: `a record of ${length} octets that holds a frame of ${captured}` };
        return at;
      }
      if (at + length > end) {
        this.needed = length;
        return at;
      }
      const [seconds, microseconds] = [view.getUint32(at + 16), view.getUint32(at + 20)];
      this.#sink.frame(at + recordHeaderOctets, captured, view.getUint32(at), seconds, microseconds, source);
      this.frames++;
      at += length;
    }
    return at;
  }

  /** Snoop is rare, and old: damage ends the reading. */
  plausibleEnd(): number {
    return 0;
  }

  hidesState(): boolean {
    return true;
  }

  resume(): void {
    this.damage = undefined;
  }
}
