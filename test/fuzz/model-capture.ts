/**
 * Sound captures of any kind with all they may hold: both byte orders, every resolution of time, several sections and
 * interfaces, packets in all three blocks, names, comments, secrets, blocks nobody knows; and capture records as payload.
 */
import { PcapngBlocks, pcapHeader, pcapRecord } from "../support/capture-writer.ts";
import type { PcapFormat } from "../support/capture-writer.ts";
import { joinOctets } from "../support/segment.ts";
import type { Random } from "./random.ts";

export interface ModelFrame {
  /** Link type, original length, microseconds, octets. */
  readonly text: string;
  /** Where its record ends. */
  readonly end: number;
}

export interface ModelCapture {
  readonly octets: Uint8Array;
  readonly frames: readonly ModelFrame[];
  /** Where each header, record and block ends. */
  readonly ends: readonly number[];
}

interface Piece {
  readonly octets: Uint8Array;
  /** The frame that it holds. */
  readonly text?: string;
}

const linkTypes = [1, 101, 113, 239, 276];
const seconds = 1_773_738_000;

export function modelCapture(random: Random): ModelCapture {
  const pieces = random.below(2) === 0 ? pcapPieces(random) : sections(random);
  const frames: ModelFrame[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const { octets, text } of pieces) {
    end += octets.length;
    ends.push(end);
    if (text !== undefined) frames.push({ text, end });
  }
  return { octets: joinOctets(...pieces.map((piece) => piece.octets)), frames, ends };
}

function pcapPieces(random: Random): Piece[] {
  const linkType = random.pick(linkTypes);
  const format: PcapFormat = {
    linkType,
    byteOrder: random.pick(["little", "big"]),
    variant: random.pick(["microseconds", "nanoseconds", "modified"]),
    snapLength: random.pick([0, 96, 65_535, 262_144, 0xffffffff]),
  };
  const records = Array.from({ length: random.below(12) }, (): Piece => {
    const octets = payload(random);
    const originalLength = octets.length + random.pick([0, 0, 1, 70_000]);
    const fraction = random.below(1_000_000_000);
    const time = BigInt(seconds + random.below(100_000)) * 1_000_000_000n + BigInt(fraction);
    const text = describe(linkType, originalLength, Number(time / 1000n), octets);
    return { octets: pcapRecord({ octets, originalLength, time }, format), text };
  });
  return [{ octets: pcapHeader(format) }, ...records];
}

function sections(random: Random): Piece[] {
  return Array.from({ length: 1 + random.below(3) }, () => new Section(random).pieces()).flat();
}

/** A clock: ticks a second, and the octet that says so in the interface's description. */
const clocks: readonly { readonly resolution?: number; readonly ticks: bigint }[] = [
  { ticks: 1_000_000n },
  ...[0, 3, 6, 7, 9, 12, 15, 18].map((resolution) => ({ resolution, ticks: 10n ** BigInt(resolution) })),
  ...[1, 10, 20, 30, 32].map((exponent) => ({ resolution: 0x80 | exponent, ticks: 1n << BigInt(exponent) })),
];

interface ModelInterface {
  readonly linkType: number;
  readonly ticks: bigint;
  readonly offset: bigint;
}

class Section {
  readonly #random: Random;
  readonly #blocks: PcapngBlocks;
  readonly #interfaces: ModelInterface[] = [];
  /** Microseconds of the newest frame on the first interface: what simple packets get. */
  #newest: number | undefined;

  constructor(random: Random) {
    this.#random = random;
    this.#blocks = new PcapngBlocks(random.pick(["little", "big"]));
  }

  pieces(): Piece[] {
    const options = this.#random.below(2) === 0 ? this.#blocks.comment("a section") : new Uint8Array();
    const head = [{ octets: this.#blocks.sectionHeader(options) }, this.#describe()];
    return [...head, ...Array.from({ length: this.#random.below(10) }, () => this.#piece())];
  }

  #describe(): Piece {
    const random = this.#random;
    const { resolution, ticks } = random.pick(clocks);
    const offset = random.pick([0n, 0n, 3600n, -7200n]);
    const linkType = random.pick(linkTypes);
    this.#interfaces.push({ linkType, ticks, offset });
    const fields = {
      name: random.pick(["eth0", "", "x".repeat(300)]),
      ...(offset === 0n ? {} : { offset }),
      ...(resolution === undefined ? {} : { resolution }),
    };
    return { octets: this.#blocks.interfaceDescription(linkType, { ...fields, snapLength: 0 }) };
  }

  #piece(): Piece {
    const random = this.#random;
    const blocks = this.#blocks;
    switch (random.below(12)) {
      case 0:
        return this.#describe();
      case 1:
        return { octets: blocks.nameResolution([{ address: random.octets(4), names: ["a.example", "b"] }]) };
      case 2:
        return { octets: blocks.decryptionSecrets("CLIENT_RANDOM 00 00\n") };
      case 3:
        return { octets: blocks.interfaceStatistics(0) };
      case 4:
        return { octets: blocks.block(random.pick([7, 9, 0xbad, 0x80000001]), payload(random)) };
      case 5:
      case 6:
        return this.#simplePacket();
      default:
        return this.#packet(random.below(3) === 0 ? "obsolete" : "enhanced");
    }
  }

  #packet(style: "enhanced" | "obsolete"): Piece {
    const random = this.#random;
    const octets = payload(random);
    const originalLength = octets.length + random.below(3);
    const number = random.below(this.#interfaces.length);
    const { linkType, ticks, offset } = this.#interfaces[number] ?? { linkType: 0, ticks: 1n, offset: 0n };
    // 64 bits hold a time of today in attoseconds for 18 s only: then it is one of 1970.
    const whole = ticks > 10n ** 9n ? BigInt(random.below(8)) : BigInt(seconds + random.below(100_000));
    const count = whole * ticks + (BigInt(random.below(1_000_000_000)) % ticks);
    const microseconds = Math.max(0, Number((count * 1_000_000n) / ticks + offset * 1_000_000n));
    if (number === 0) this.#newest = Number((count * 1_000_000n) / ticks);
    const frame = { octets, originalLength, interface: number };
    const block =
      style === "obsolete"
        ? this.#blocks.obsoletePacket(frame, count)
        : this.#blocks.enhancedPacket(frame, count, this.#comment());
    return { octets: block, text: describe(linkType, originalLength, microseconds, octets) };
  }

  #comment(): Uint8Array[] {
    return this.#random.below(3) === 0 ? [this.#blocks.comment("marked by hand")] : [];
  }

  /** It has no time: that of the frame before it on its interface. */
  #simplePacket(): Piece {
    const octets = payload(this.#random);
    const { linkType, offset } = this.#interfaces[0] ?? { linkType: 0, offset: 0n };
    const microseconds = Math.max(0, (this.#newest ?? 0) + Number(offset) * 1_000_000);
    const text = describe(linkType, octets.length, microseconds, octets);
    return { octets: this.#blocks.simplePacket(octets), text };
  }
}

/** Any octets, or the records of another capture. */
function payload(random: Random): Uint8Array {
  const octets = random.octets(random.below(60));
  if (random.below(4) !== 0) return octets;
  const time = BigInt(seconds) * 1_000_000_000n;
  const blocks = new PcapngBlocks(random.pick(["little", "big"]));
  return random.below(2) === 0
    ? pcapRecord({ octets, time }, { byteOrder: random.pick(["little", "big"]) })
    : joinOctets(
        blocks.sectionHeader(),
        blocks.interfaceDescription(1),
        blocks.enhancedPacket({ octets }, 5n),
      );
}

function describe(
  linkType: number,
  originalLength: number,
  microseconds: number,
  octets: Uint8Array,
): string {
  return `${linkType} ${originalLength} ${microseconds} ${Buffer.from(octets).toString("hex")}`;
}
