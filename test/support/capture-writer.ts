/**
 * Captures for tests: frames in, octets of a classic pcap or a pcapng out (draft-ietf-opsawg-pcap, -pcapng).
 * The product writes no captures; this is how fixtures and test inputs are made.
 */
import { linkTypes } from "../../wire/link-layer.ts";
import { joinOctets } from "./segment.ts";

export type ByteOrder = "little" | "big";

export interface SampleFrame {
  readonly octets: Uint8Array;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Octets on the wire; the captured length if absent. */
  readonly originalLength?: number;
  /** Index of the interface in a pcapng; 0 if absent. */
  readonly interface?: number;
}

export interface PcapFormat {
  readonly linkType?: number;
  readonly byteOrder?: ByteOrder;
  /** Modified is Alexey Kuznetzov's variant: 24 octets of record header. */
  readonly variant?: "microseconds" | "nanoseconds" | "modified";
  readonly snapLength?: number;
  readonly version?: readonly [major: number, minor: number];
}

const magics = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 };

export function writePcap(frames: readonly SampleFrame[], format: PcapFormat = {}): Uint8Array {
  return joinOctets(pcapHeader(format), ...frames.map((frame) => pcapRecord(frame, format)));
}

export function pcapHeader(format: PcapFormat = {}): Uint8Array {
  const little = format.byteOrder !== "big";
  const [major, minor] = format.version ?? [2, 4];
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, magics[format.variant ?? "microseconds"], little);
  view.setUint16(4, major, little);
  view.setUint16(6, minor, little);
  view.setUint32(16, format.snapLength ?? 262144, little);
  view.setUint32(20, format.linkType ?? linkTypes.ethernet, little);
  return header;
}

export function pcapRecord(frame: SampleFrame, format: PcapFormat = {}): Uint8Array {
  const little = format.byteOrder !== "big";
  const header = new Uint8Array(format.variant === "modified" ? 24 : 16);
  const view = new DataView(header.buffer);
  const fraction = frame.time % 1_000_000_000n;
  view.setUint32(0, Number(frame.time / 1_000_000_000n), little);
  view.setUint32(4, Number(format.variant === "nanoseconds" ? fraction : fraction / 1000n), little);
  view.setUint32(8, frame.octets.length, little);
  view.setUint32(12, frame.originalLength ?? frame.octets.length, little);
  return joinOctets(header, frame.octets);
}

/** The blocks of one section, all in its byte order; joined they are a pcapng. */
export class PcapngBlocks {
  readonly #little: boolean;

  constructor(byteOrder: ByteOrder = "little") {
    this.#little = byteOrder === "little";
  }

  sectionHeader(
    options: Uint8Array = new Uint8Array(),
    version: readonly [number, number] = [1, 0],
  ): Uint8Array {
    return this.block(
      0x0a0d0d0a,
      joinOctets(
        this.#u32(0x1a2b3c4d),
        this.#u16(version[0]),
        this.#u16(version[1]),
        new Uint8Array(8).fill(255),
        options,
      ),
    );
  }

  interfaceDescription(
    linkType: number,
    fields: {
      readonly snapLength?: number;
      readonly name?: string;
      readonly resolution?: number;
      /** Seconds. */
      readonly offset?: bigint;
    } = {},
  ): Uint8Array {
    const options = [
      ...(fields.name === undefined ? [] : [this.option(2, Buffer.from(fields.name))]),
      ...(fields.resolution === undefined ? [] : [this.option(9, [fields.resolution])]),
      ...(fields.offset === undefined ? [] : [this.option(14, this.#i64(fields.offset))]),
    ];
    const head = [this.#u16(linkType), this.#u16(0), this.#u32(fields.snapLength ?? 262144)];
    return this.block(1, joinOctets(...head, ...this.#closed(options)));
  }

  /** Packet with interface, time and options. `ticks` is the time in the interface's resolution. */
  enhancedPacket(
    frame: Omit<SampleFrame, "time">,
    ticks: bigint,
    options: readonly Uint8Array[] = [],
  ): Uint8Array {
    const head = [this.#u32(frame.interface ?? 0), this.#time(ticks), this.#lengths(frame)];
    return this.block(6, joinOctets(...head, aligned(frame.octets), ...this.#closed(options)));
  }

  /** The block that enhanced packets replaced. */
  obsoletePacket(frame: Omit<SampleFrame, "time">, ticks: bigint): Uint8Array {
    const head = [
      this.#u16(frame.interface ?? 0),
      this.#u16(0xffff),
      this.#time(ticks),
      this.#lengths(frame),
    ];
    return this.block(2, joinOctets(...head, aligned(frame.octets)));
  }

  /** A packet of interface 0 without a time. */
  simplePacket(octets: Uint8Array, originalLength = octets.length): Uint8Array {
    return this.block(3, joinOctets(this.#u32(originalLength), aligned(octets)));
  }

  /** Addresses (4 or 16 octets) with their names. */
  nameResolution(
    entries: readonly { readonly address: Uint8Array; readonly names: readonly string[] }[],
  ): Uint8Array {
    const records = entries.map(({ address, names }) =>
      this.option(
        address.length === 4 ? 1 : 2,
        joinOctets(address, Buffer.from(names.map((name) => `${name}\0`).join(""))),
      ),
    );
    return this.block(4, joinOctets(...records, [0, 0, 0, 0]));
  }

  decryptionSecrets(secrets: string): Uint8Array {
    const octets = Buffer.from(secrets);
    return this.block(10, joinOctets(this.#u32(0x544c534b), this.#u32(octets.length), aligned(octets)));
  }

  interfaceStatistics(index: number): Uint8Array {
    return this.block(5, joinOctets(this.#u32(index), new Uint8Array(8)));
  }

  comment(text: string): Uint8Array {
    return this.option(1, Buffer.from(text));
  }

  option(code: number, value: Uint8Array | readonly number[]): Uint8Array {
    return joinOctets(this.#u16(code), this.#u16(value.length), aligned(Uint8Array.from(value)));
  }

  block(type: number, body: Uint8Array): Uint8Array {
    const length = this.#u32(12 + aligned(body).length);
    return joinOctets(this.#u32(type), length, aligned(body), length);
  }

  #closed(options: readonly Uint8Array[]): Uint8Array[] {
    return options.length === 0 ? [] : [...options, new Uint8Array(4)];
  }

  #lengths(frame: Omit<SampleFrame, "time">): Uint8Array {
    return joinOctets(this.#u32(frame.octets.length), this.#u32(frame.originalLength ?? frame.octets.length));
  }

  #time(ticks: bigint): Uint8Array {
    return joinOctets(this.#u32(Number(ticks >> 32n)), this.#u32(Number(ticks & 0xffffffffn)));
  }

  #u16(value: number): Uint8Array {
    const octets = new Uint8Array(2);
    new DataView(octets.buffer).setUint16(0, value, this.#little);
    return octets;
  }

  #u32(value: number): Uint8Array {
    const octets = new Uint8Array(4);
    new DataView(octets.buffer).setUint32(0, value, this.#little);
    return octets;
  }

  #i64(value: bigint): Uint8Array {
    const octets = new Uint8Array(8);
    new DataView(octets.buffer).setBigInt64(0, value, this.#little);
    return octets;
  }
}

/** A pcapng of one section with interfaces of these link types, in nanoseconds. */
export function writePcapng(
  frames: readonly SampleFrame[],
  interfaceLinkTypes: readonly number[] = [linkTypes.ethernet],
  byteOrder: ByteOrder = "little",
): Uint8Array {
  const blocks = new PcapngBlocks(byteOrder);
  return joinOctets(
    blocks.sectionHeader(),
    ...interfaceLinkTypes.map((linkType) => blocks.interfaceDescription(linkType, { resolution: 9 })),
    ...frames.map((frame) => blocks.enhancedPacket(frame, frame.time)),
  );
}

function aligned(octets: Uint8Array): Uint8Array {
  const missing = (4 - (octets.length % 4)) % 4;
  return missing === 0 ? octets : joinOctets(octets, new Uint8Array(missing));
}
