/**
 * Writes frames as a pcapng (draft-ietf-opsawg-pcapng sections 4.1 to 4.3), little-endian. Frames keep their octets,
 * lengths, and times, in the clock of the interface that they come from.
 */
import type { CaptureInterface } from "./frame-sink.ts";
import { sectionHeaderBlock } from "./pcapng-walker.ts";

const interfaceBlock = 1;
const enhancedPacketBlock = 6;
const options = { comment: 1, application: 4, name: 2, resolution: 9, offset: 14, packetId: 5 } as const;
/** The longest an option's value can be; comments are cut there. */
const longestOption = 65_535;

/** Of a frame besides its octets. */
export interface FrameFacts {
  readonly timeHigh: number;
  readonly timeLow: number;
  readonly originalLength: number;
  /** Becomes epb_packetid: the frame's number in the capture that it comes from. */
  readonly number: number;
  readonly comment?: string;
}

export class PcapngWriter {
  #octets = new Uint8Array(64 * 1024);
  #view = new DataView(this.#octets.buffer);
  #length = 0;
  /** Numbers of the section's interfaces, by those of the capture that they come from. */
  readonly #interfaces = new Map<CaptureInterface, number>();

  /** Octets that wait to be taken. */
  get length(): number {
    return this.#length;
  }

  /** What has been written since the last call. */
  take(): Uint8Array {
    const taken = this.#octets.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Begins a section; its interfaces are described where their first frames come. */
  section(comment: string, application: string): void {
    this.#interfaces.clear();
    const begin = this.#begin(sectionHeaderBlock);
    this.#word(0x1a2b3c4d);
    // Version 1.0.
    this.#word(1);
    // The section's length is not known.
    this.#word(0xffffffff);
    this.#word(0xffffffff);
    this.#text(options.comment, comment);
    this.#text(options.application, application);
    this.#word(0);
    this.#end(begin);
  }

  /** The frame `[start, start + capturedLength)` of `frame`'s buffer. */
  packet(source: CaptureInterface, octets: Uint8Array, facts: FrameFacts): void {
    const number = this.#interfaces.get(source) ?? this.#describe(source);
    const begin = this.#begin(enhancedPacketBlock);
    this.#word(number);
    const { high, low } = ticks(source, facts.timeHigh, facts.timeLow);
    this.#word(high);
    this.#word(low);
    this.#word(octets.length);
    this.#word(facts.originalLength);
    this.#bytes(octets);
    if (facts.comment !== undefined) this.#text(options.comment, facts.comment);
    this.#word(options.packetId | (8 << 16));
    this.#word(facts.number);
    this.#word(0);
    this.#word(0);
    this.#end(begin);
  }

  #describe(source: CaptureInterface): number {
    const number = this.#interfaces.size;
    this.#interfaces.set(source, number);
    const begin = this.#begin(interfaceBlock);
    this.#word(source.linkType);
    this.#word(source.snapLength);
    if (source.name !== undefined) this.#text(options.name, source.name);
    this.#word(options.resolution | (1 << 16));
    this.#word(source.clock.resolution);
    if (source.clock.offsetSeconds !== 0) {
      this.#word(options.offset | (8 << 16));
      this.#reserve(8);
      this.#view.setBigInt64(this.#length, BigInt(source.clock.offsetSeconds), true);
      this.#length += 8;
    }
    this.#word(0);
    this.#end(begin);
    return number;
  }

  #begin(type: number): number {
    const begin = this.#length;
    this.#word(type);
    // The block's length, when it is known.
    this.#word(0);
    return begin;
  }

  #end(begin: number): void {
    this.#word(this.#length + 4 - begin);
    this.#view.setUint32(begin + 4, this.#length - begin, true);
  }

  #text(code: number, text: string): void {
    const octets = new TextEncoder().encode(text).subarray(0, longestOption);
    this.#word(code | (octets.length << 16));
    this.#bytes(octets);
  }

  #word(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** Padded to four octets. */
  #bytes(octets: Uint8Array): void {
    const padded = (octets.length + 3) & ~3;
    this.#reserve(padded);
    this.#octets.set(octets, this.#length);
    this.#octets.fill(0, this.#length + octets.length, this.#length + padded);
    this.#length += padded;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#octets.length) return;
    const larger = new Uint8Array(Math.max(this.#octets.length * 2, this.#length + more));
    larger.set(this.#octets.subarray(0, this.#length));
    this.#octets = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** The time as one 64-bit count, which is how a pcapng has it. */
function ticks({ clock }: CaptureInterface, high: number, low: number): { high: number; low: number } {
  if (!clock.isSplit) return { high, low };
  const count = BigInt(high) * 10n ** BigInt(clock.resolution) + BigInt(low);
  return { high: Number(count >> 32n), low: Number(count & 0xffffffffn) };
}
