/**
 * Records of a classic pcap (draft-ietf-opsawg-pcap): 24 octets of file header, then records of 16 octets of header
 * and a frame. Micro- and nanoseconds, both byte orders, and Alexey Kuznetzov's variant with 24 octets a record.
 */
import type { CaptureClock, CaptureInterface, FrameSink, RecordLayout } from "./frame-sink.ts";
import { maximumRecordOctets, usualSnapLength } from "./record-walker.ts";
import type { Damage, RecordWalker } from "./record-walker.ts";

export const pcapMagics = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 };

const fileHeaderOctets = 24;

/** September 2001: no fraction of a second is as large. */
const leastSaneSeconds = 1_000_000_000;

class PcapInterface implements CaptureInterface {
  readonly index = 0;
  readonly linkType: number;
  readonly snapLength: number;
  readonly clock: CaptureClock;
  readonly #isNanoseconds: boolean;

  constructor(linkType: number, snapLength: number, isNanoseconds: boolean) {
    this.linkType = linkType;
    this.snapLength = snapLength;
    this.clock = { resolution: isNanoseconds ? 9 : 6, offsetSeconds: 0, isSplit: true };
    this.#isNanoseconds = isNanoseconds;
  }

  microseconds(seconds: number, fraction: number): number {
    return seconds * 1_000_000 + (this.#isNanoseconds ? Math.floor(fraction / 1000) : fraction);
  }
}

export class PcapWalker implements RecordWalker {
  readonly format = "pcap";
  readonly alignment = 1;
  frames = 0;
  readonly names: ReadonlyMap<string, string> = new Map();
  damage: Damage | undefined;
  needed = fileHeaderOctets;
  readonly #sink: FrameSink;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #little = true;
  #interface: PcapInterface | undefined;
  /** For sinks that pass over records by themselves; undefined if these are unusual ones. */
  #layout: RecordLayout | undefined;
  #recordHeader = 16;
  #largestFrame = usualSnapLength;
  #fractions = 1_000_000;
  /** Captured and original length; swapped in files before version 2.3. */
  #capturedAt = 8;
  #originalAt = 12;
  /** Seconds of the newest frame. */
  #lastSeconds = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#interface ? [this.#interface] : [];
  }

  get largestRecord(): number {
    return this.#recordHeader + this.#largestFrame;
  }

  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void {
    this.#view = view;
    this.#sink.useBuffer(octets, view, memory);
  }

  walk(start: number, end: number): number {
    if (this.#interface) return this.#records(start, end, this.#interface);
    if (end - start < fileHeaderOctets) return start;
    this.#interface = this.#fileHeader(start);
    return this.#interface ? this.#records(start + fileHeaderOctets, end, this.#interface) : start;
  }

  #fileHeader(at: number): PcapInterface | undefined {
    const view = this.#view;
    this.#little = view.getUint8(at) !== 0xa1;
    const magic = view.getUint32(at, this.#little);
    const major = view.getUint16(at + 4, this.#little);
    const minor = view.getUint16(at + 6, this.#little);
    if (major !== 2) {
      this.damage = { reason: `pcap version ${major}.${minor}; only 2.x is known`, refused: true };
      return undefined;
    }
    if (minor < 3) [this.#capturedAt, this.#originalAt] = [12, 8];
    if (magic === pcapMagics.modified) this.#recordHeader = 24;
    if (magic === pcapMagics.nanoseconds) this.#fractions = 1_000_000_000;
    const snapLength = view.getUint32(at + 16, this.#little);
    this.#largestFrame = Math.max(usualSnapLength, Math.min(snapLength, maximumRecordOctets));
    // The upper half holds the length of a frame check sequence, and reserved bits.
    const linkType = view.getUint32(at + 20, this.#little) & 0xffff;
    if (this.#little && this.#recordHeader === 16 && this.#capturedAt === 8)
      this.#layout = { format: "pcap", interfaceNumber: 0, largest: this.#largestFrame };
    return new PcapInterface(linkType, snapLength, magic === pcapMagics.nanoseconds);
  }

  /** Hot: once a frame. Nothing is allocated here. */
  #records(start: number, end: number, source: PcapInterface): number {
    const view = this.#view;
    const sink = this.#sink;
    const little = this.#little;
    const header = this.#recordHeader;
    const capturedAt = this.#capturedAt;
    const originalAt = this.#originalAt;
    const largest = this.#largestFrame;
    const layout = this.#layout;
    let frames = 0;
    let at = start;
    let seconds = this.#lastSeconds;
    this.needed = header;
    while (at + header <= end) {
      if (layout !== undefined && sink.pass !== undefined && sink.passed !== undefined) {
        at = sink.pass(at, end, source, layout);
        if (sink.passed.frames > 0) {
          frames += sink.passed.frames;
          seconds = sink.passed.newestHigh;
          if (at + header > end) break;
        }
      }
      const captured = view.getUint32(at + capturedAt, little);
      const next = at + header + captured;
      if (captured > largest) {
        this.damage = {
          reason: `a record of ${captured} octets; at most ${largest} are possible here`,
        };
        break;
      }
      if (next > end) {
        this.needed = next - at;
        break;
      }
      if (captured === 0 && this.#isZeroHeader(at)) {
        this.damage = { reason: "a record header of zeros only" };
        break;
      }
      seconds = view.getUint32(at, little);
      const fraction = view.getUint32(at + 4, little);
      sink.frame(at + header, captured, view.getUint32(at + originalAt, little), seconds, fraction, source);
      frames++;
      at = next;
    }
    this.frames += frames;
    this.#lastSeconds = seconds;
    return at;
  }

  /** A hole in a file reads as zeros, which would be an endless row of empty records from 1970. */
  #isZeroHeader(at: number): boolean {
    const view = this.#view;
    return view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 12) === 0;
  }

  plausibleEnd(at: number, end: number): number {
    const view = this.#view;
    if (at + this.#recordHeader > end) return end;
    const captured = view.getUint32(at + this.#capturedAt, this.#little);
    const original = view.getUint32(at + this.#originalAt, this.#little);
    if (captured === 0 || captured > original || captured > this.#largestFrame) return 0;
    if (view.getUint32(at + 4, this.#little) >= this.#fractions) return 0;
    // A chain four octets behind the true one, which would never meet it, takes fractions for seconds. Nothing else may
    // be said of times: a capture may be silent for years, and a true chain that is taken for none proves others.
    const isSane =
      this.#lastSeconds < leastSaneSeconds || view.getUint32(at, this.#little) >= leastSaneSeconds;
    if (!isSane) return 0;
    return at + this.#recordHeader + captured;
  }

  hidesState(): boolean {
    return false;
  }

  resume(): void {
    this.damage = undefined;
  }
}
