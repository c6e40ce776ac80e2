/**
 * Blocks of a pcapng (draft-ietf-opsawg-pcapng): type, length, body, length again. A file is one or more sections, each
 * with its own byte order and interfaces. Blocks that hold no frame for us are skipped by their length.
 */
import type { FrameSink, RecordLayout } from "./frame-sink.ts";
import { readInterfaceDescription } from "./pcapng-interface.ts";
import type { PcapngInterface } from "./pcapng-interface.ts";
import { readNames } from "./pcapng-names.ts";
import { maximumRecordOctets, usualSnapLength } from "./record-walker.ts";
import type { Damage, RecordWalker } from "./record-walker.ts";

/** Reads the same in both byte orders. */
export const sectionHeaderBlock = 0x0a0d0d0a;
const interfaceBlock = 1;
const obsoletePacketBlock = 2;
const simplePacketBlock = 3;
const nameBlock = 4;
const enhancedPacketBlock = 6;

/**
 * Blocks without a packet that Wireshark gives a frame number: systemd's journal, system calls as sysdig writes them (in
 * three versions), custom blocks (that may be copied, or not). Measured with tshark 4.0.
 */
const otherFrameBlocks: ReadonlySet<number> = new Set([9, 0x204, 0x216, 0x221, 0xbad, 0x40000bad]);

const byteOrderMagic = 0x1a2b3c4d;
/** Octets of block type and both lengths. */
const blockOverhead = 12;
/** Octets of a packet block beside the frame and its options. */
const packetBlockOverhead = 32;
/** A hostile capture must not fill the memory with interfaces. */
const maximumInterfaces = 65_536;

export class PcapngWalker implements RecordWalker {
  readonly format = "pcapng";
  readonly alignment = 4;
  readonly largestRecord = usualSnapLength + packetBlockOverhead;
  frames = 0;
  readonly interfaces: PcapngInterface[] = [];
  readonly names = new Map<string, string>();
  damage: Damage | undefined;
  needed = blockOverhead;
  readonly #sink: FrameSink;
  #octets: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #little = true;
  /** Index of the section's first interface. */
  #sectionStart = 0;
  /** Time of the newest frame on the section's first interface: simple packet blocks have none of their own. */
  #simpleTimeHigh = 0;
  #simpleTimeLow = 0;
  /** Interface of the newest packet block, for sinks that pass over some by themselves; undefined in big-endian sections. */
  #newest: PcapngInterface | undefined;
  #layout: RecordLayout | undefined;
  /** Whether octets of the section were skipped that may have described an interface. */
  #hasLost = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void {
    this.#octets = octets;
    this.#view = view;
    this.#sink.useBuffer(octets, view, memory);
  }

  /** Hot: once a block. Nothing is allocated for blocks that hold a frame. */
  walk(start: number, end: number): number {
    const view = this.#view;
    let at = start;
    this.needed = blockOverhead;
    while (at + blockOverhead <= end) {
      const type = view.getUint32(at, this.#little);
      if (type === sectionHeaderBlock && !this.#readByteOrder(at)) return at;
      const length = view.getUint32(at + 4, this.#little);
      if (length < blockOverhead || length > maximumRecordOctets || (length & 3) !== 0) {
        this.damage = {
          reason: `a block of ${length} octets; a multiple of 4 from 12 to 16 MiB is possible`,
        };
        return at;
      }
      const next = at + length;
      if (next > end) {
        this.needed = length;
        return at;
      }
      const trailer = view.getUint32(next - 4, this.#little);
      if (trailer !== length) {
        this.damage = { reason: `a block of ${length} octets that ends with the length ${trailer}` };
        return at;
      }
      if (type === enhancedPacketBlock) {
        const behind = this.#passFrom(at, end);
        if (behind > at) {
          at = behind;
          continue;
        }
        this.#enhancedPacket(at, length);
      } else this.#otherBlock(type, at, length);
      if (this.damage) return at;
      at = next;
    }
    return at;
  }

  /** Whether a section begins at `at`; its byte order holds from here. */
  #readByteOrder(at: number): boolean {
    const little = this.#view.getUint32(at + 8, true) === byteOrderMagic;
    if (!little && this.#view.getUint32(at + 8, false) !== byteOrderMagic) {
      const found = this.#view
        .getUint32(at + 8)
        .toString(16)
        .padStart(8, "0");
      this.damage = {
        reason: `a section header with byte-order magic ${found}, expected 1a2b3c4d`,
        refused: true,
      };
      return false;
    }
    this.#little = little;
    return true;
  }

  /** Lets the sink pass over packet blocks of the interface that the last one was of; returns where it ended. */
  #passFrom(at: number, end: number): number {
    const sink = this.#sink;
    const source = this.#newest;
    if (this.#layout === undefined || source === undefined || !sink.pass || !sink.passed) return at;
    const behind = sink.pass(at, end, source, this.#layout);
    const { frames, newestHigh, newestLow } = sink.passed;
    if (frames === 0) return at;
    this.frames += frames;
    if (source.index === this.#sectionStart) {
      this.#simpleTimeHigh = newestHigh;
      this.#simpleTimeLow = newestLow;
    }
    return behind;
  }

  #noteInterface(source: PcapngInterface): void {
    this.#newest = source;
    const interfaceNumber = source.index - this.#sectionStart;
    this.#layout = this.#little
      ? { format: "pcapng", interfaceNumber, largest: maximumRecordOctets }
      : undefined;
  }

  #enhancedPacket(at: number, length: number): void {
    if (length < packetBlockOverhead) return this.#tooShort(length, packetBlockOverhead);
    const view = this.#view;
    const little = this.#little;
    const captured = view.getUint32(at + 20, little);
    if (captured > length - packetBlockOverhead) return this.#overfull(length, captured);
    const source = this.#interface(view.getUint32(at + 8, little), length);
    if (source === undefined) return;
    const high = view.getUint32(at + 12, little);
    const low = view.getUint32(at + 16, little);
    this.#hand(at + 28, captured, view.getUint32(at + 24, little), high, low, source);
  }

  #obsoletePacket(at: number, length: number): void {
    if (length < packetBlockOverhead) return this.#tooShort(length, packetBlockOverhead);
    const view = this.#view;
    const little = this.#little;
    const captured = view.getUint32(at + 20, little);
    if (captured > length - packetBlockOverhead) return this.#overfull(length, captured);
    const source = this.#interface(view.getUint16(at + 8, little), length);
    if (source === undefined) return;
    const high = view.getUint32(at + 12, little);
    const low = view.getUint32(at + 16, little);
    this.#hand(at + 28, captured, view.getUint32(at + 24, little), high, low, source);
  }

  /** On the section's first interface, without a time: it gets that of the frame before it. */
  #simplePacket(at: number, length: number): void {
    if (length < 16) return this.#tooShort(length, 16);
    const source = this.#interface(0, length);
    if (source === undefined) return;
    const original = this.#view.getUint32(at + 8, this.#little);
    const limit = source.snapLength === 0 ? original : source.snapLength;
    const captured = Math.min(original, limit, length - 16);
    this.#hand(at + 12, captured, original, this.#simpleTimeHigh, this.#simpleTimeLow, source);
  }

  #hand(
    start: number,
    captured: number,
    original: number,
    timeHigh: number,
    timeLow: number,
    source: PcapngInterface,
  ): void {
    if (source.index === this.#sectionStart) {
      this.#simpleTimeHigh = timeHigh;
      this.#simpleTimeLow = timeLow;
    }
    if (source !== this.#newest) this.#noteInterface(source);
    this.frames++;
    this.#sink.frame(start, captured, original, timeHigh, timeLow, source);
  }

  /** The section's interface of this number; damage if it was never described. */
  #interface(number: number, octets: number): PcapngInterface | undefined {
    const source = this.interfaces[this.#sectionStart + number];
    if (source === undefined) {
      const described = this.interfaces.length - this.#sectionStart;
      const reason = `a packet of interface ${number}, but the section describes ${described} interfaces`;
      this.damage = { reason, octets };
    }
    return source;
  }

  #tooShort(octets: number, least: number): void {
    this.damage = { reason: `a block of ${octets} octets, expected at least ${least}`, octets };
  }

  #overfull(octets: number, captured: number): void {
    const reason = `${captured} captured octets in a block that has room for ${octets - packetBlockOverhead}`;
    this.damage = { reason, octets };
  }

  #otherBlock(type: number, at: number, length: number): void {
    switch (type) {
      case sectionHeaderBlock:
        return this.#sectionHeader(at, length);
      case interfaceBlock:
        return this.#interfaceDescription(at, length);
      case obsoletePacketBlock:
        return this.#obsoletePacket(at, length);
      case simplePacketBlock:
        return this.#simplePacket(at, length);
      case nameBlock:
        return readNames(this.#octets, this.#view, at, at + length, this.#little, this.names);
      default:
        // Statistics, decryption secrets, and whatever will be invented, are passed over.
        if (otherFrameBlocks.has(type)) this.#sink.otherFrame?.();
    }
  }

  #sectionHeader(at: number, length: number): void {
    if (length < 28) {
      this.damage = {
        reason: `a section header of ${length} octets, expected at least 28`,
        refused: true,
      };
      return;
    }
    const major = this.#view.getUint16(at + 12, this.#little);
    const minor = this.#view.getUint16(at + 14, this.#little);
    // Some programs write 1.2; nothing differs.
    if (major !== 1 || (minor !== 0 && minor !== 2)) {
      this.damage = { reason: `pcapng version ${major}.${minor}; only 1.0 is known`, refused: true };
      return;
    }
    this.#sectionStart = this.interfaces.length;
    this.#newest = undefined;
    this.#layout = undefined;
    this.#simpleTimeHigh = 0;
    this.#simpleTimeLow = 0;
    this.#hasLost = false;
  }

  #interfaceDescription(at: number, length: number): void {
    // Not skipped: the numbers of all further interfaces would be wrong.
    if (length < 20) {
      this.damage = { reason: `an interface block of ${length} octets, expected at least 20`, refused: true };
      return;
    }
    if (this.#hasLost) {
      this.damage = { reason: "an interface behind a gap, where its number is unknown", refused: true };
      return;
    }
    const index = this.interfaces.length;
    if (index === maximumInterfaces) {
      this.damage = { reason: `more than ${maximumInterfaces} interfaces`, refused: true };
      return;
    }
    this.interfaces.push(
      readInterfaceDescription(this.#octets, this.#view, at, at + length, this.#little, index),
    );
  }

  /**
   * A block whose length stands at both ends; a packet's frame must fit. Of any type, and any interface: a chain that
   * took true blocks for none would prove others.
   */
  plausibleEnd(at: number, end: number): number {
    const view = this.#view;
    if (at + 28 > end) return end;
    const type = view.getUint32(at, this.#little);
    const length = view.getUint32(at + 4, this.#little);
    if (length < blockOverhead || length > maximumRecordOctets || (length & 3) !== 0) return 0;
    if (type === enhancedPacketBlock && !this.#fits(at, length)) return 0;
    // Nearly any four octets are the length of a block that the end cuts, if it may be of any length.
    if (at + length > end) return length > this.largestRecord ? 0 : at + length;
    return view.getUint32(at + length - 4, this.#little) === length ? at + length : 0;
  }

  #fits(at: number, length: number): boolean {
    return this.#view.getUint32(at + 20, this.#little) <= length - packetBlockOverhead;
  }

  /** Behind a lost section header all interfaces would be wrong, behind a lost interface all those described later. */
  hidesState(start: number, end: number): boolean {
    const view = this.#view;
    for (let at = start; at + 8 <= end; at += 4) {
      const word = view.getUint32(at, this.#little);
      if (word === sectionHeaderBlock || word === byteOrderMagic) return true;
      if (view.getUint32(at, !this.#little) === byteOrderMagic) return true;
      if (word === interfaceBlock && (at === start || this.#isInterface(at, end))) return true;
    }
    return false;
  }

  #isInterface(at: number, end: number): boolean {
    const length = this.#view.getUint32(at + 4, this.#little);
    if (length < 20 || (length & 3) !== 0 || at + length > end) return false;
    return this.#view.getUint32(at + length - 4, this.#little) === length;
  }

  resume(): void {
    this.#hasLost ||= this.damage?.octets === undefined;
    this.damage = undefined;
  }
}
