/** An interface of a pcapng and its clock (draft-ietf-opsawg-pcapng section 4.2). */
import type { CaptureClock, CaptureInterface } from "./frame-sink.ts";
import { findBlockOption } from "./pcapng-options.ts";

const nameOption = 2;
const resolutionOption = 9;
const offsetOption = 14;

/** Microseconds when nothing else is said. */
const usualResolution = 6;

/** Exact integers end here, in the year 2255; hostile resolutions lead far beyond. */
const latest = Number.MAX_SAFE_INTEGER;

export class PcapngInterface implements CaptureInterface {
  readonly index: number;
  readonly linkType: number;
  readonly snapLength: number;
  readonly name?: string;
  readonly clock: CaptureClock;
  /** Ticks a microsecond, if the clock ticks in powers of ten and is fine enough; 0 if not. */
  readonly #ticksPerMicrosecond: number;
  readonly #resolution: number;
  /** Added to every time, microseconds. */
  readonly #offset: number;

  constructor(
    index: number,
    linkType: number,
    snapLength: number,
    name: string | undefined,
    resolution: number,
    offsetSeconds: number,
  ) {
    this.index = index;
    this.linkType = linkType;
    this.snapLength = snapLength;
    if (name !== undefined) this.name = name;
    this.clock = { resolution, offsetSeconds, isSplit: false };
    this.#resolution = resolution;
    this.#ticksPerMicrosecond = resolution >= 6 && resolution <= 12 ? 10 ** (resolution - 6) : 0;
    this.#offset = offsetSeconds * 1_000_000;
  }

  /** The high half is divided first, so that no step exceeds 53 bits. Times outside 1970 to 2255 are held at its ends. */
  microseconds(high: number, low: number): number {
    const divisor = this.#ticksPerMicrosecond;
    if (divisor === 0) return clamp(this.#offset + this.#unusualMicroseconds(high, low));
    const whole = Math.floor(high / divisor);
    const rest = (high - whole * divisor) * 2 ** 32 + low;
    return clamp(this.#offset + whole * 2 ** 32 + Math.floor(rest / divisor));
  }

  /** Resolutions coarser than a microsecond, finer than a picosecond, or in powers of two (top bit set). */
  #unusualMicroseconds(high: number, low: number): number {
    const ticks = BigInt(high) * 2n ** 32n + BigInt(low);
    const exponent = BigInt(this.#resolution & 0x7f);
    const ticksPerSecond = (this.#resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
    return Number((ticks * 1_000_000n) / ticksPerSecond);
  }
}

function clamp(microseconds: number): number {
  return microseconds < 0 ? 0 : Math.min(microseconds, latest);
}

/** Reads an interface description block whose octets are `[start, end)`. */
export function readInterfaceDescription(
  octets: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  little: boolean,
  index: number,
): PcapngInterface {
  const options = start + 16;
  const name = findBlockOption(view, nameOption, options, end - 4, little);
  const resolution = findBlockOption(view, resolutionOption, options, end - 4, little);
  const offset = findBlockOption(view, offsetOption, options, end - 4, little);
  return new PcapngInterface(
    index,
    view.getUint16(start + 8, little),
    view.getUint32(start + 12, little),
    name && new TextDecoder().decode(octets.subarray(name.offset, name.offset + Math.min(name.length, 255))),
    resolution && resolution.length >= 1 ? view.getUint8(resolution.offset) : usualResolution,
    offset && offset.length >= 8 ? Number(view.getBigInt64(offset.offset, little)) : 0,
  );
}
