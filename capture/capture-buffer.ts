/**
 * The buffer that a capture streams through. Reads land on a page boundary, which makes them twice as fast as into an
 * ordinary Buffer (its octets start 16 into a page); WebAssembly memory is the only page-aligned memory of JavaScript.
 * The unfinished record at the end of one read is moved to just before the next read, so records stay contiguous.
 */
import { maximumRecordOctets } from "./record-walker.ts";

const wasmPage = 65_536;

/** Octets a read: what is read must still be in the processor's cache when it is walked. */
export const readOctets = 512 * 1024;

/** Octets a read that goes on beside the walk: large enough that waiting for the other thread is rare. */
export const aheadOctets = 4 * 1024 * 1024;

/** No frame lies below: what a sink shares with WebAssembly code that looks at the same memory has its place there. */
export const frameFloor = 1024 * 1024;

/**
 * Where reads land, and where the next one lands while this one is walked. Before each is room for the longest
 * unfinished record; pages that nothing touches cost nothing.
 */
const base = frameFloor + maximumRecordOctets;
const otherBase = base + aheadOctets + maximumRecordOctets;
const usualOctets = otherBase + aheadOctets;

/**
 * A process that may not reserve address space (ulimit -v) gets no WebAssembly memory; ordinary memory is only slower.
 */
function allocate(octets: number): WebAssembly.Memory | ArrayBuffer {
  const pages = Math.ceil(octets / wasmPage);
  try {
    return new WebAssembly.Memory({ initial: pages });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new ArrayBuffer(pages * wasmPage);
  }
}

function bufferOf(allocated: WebAssembly.Memory | ArrayBuffer): ArrayBuffer {
  return allocated instanceof ArrayBuffer ? allocated : allocated.buffer;
}

export class CaptureBuffer {
  #allocated = allocate(usualOctets);
  /** Where the last read landed. */
  #place = base;
  octets = new Uint8Array(bufferOf(this.#allocated));
  view = new DataView(bufferOf(this.#allocated));
  /** What has been read and not been walked: `[start, end)`. */
  start = base;
  end = base;

  get hasGrown(): boolean {
    return this.octets.length > usualOctets;
  }

  /** The memory of `octets`, where it is one of WebAssembly. */
  get memory(): WebAssembly.Memory | undefined {
    return this.#allocated instanceof ArrayBuffer ? undefined : this.#allocated;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Where a read may land while the octets since the last one are walked. */
  get otherPlace(): number {
    return this.#place === base ? otherBase : base;
  }

  clear(): void {
    this.#place = base;
    this.start = base;
    this.end = base;
  }

  /** Moves what is left to just before the place where the next read lands: the last one's, or the other. */
  rewind(to: "same place" | "other place"): void {
    const left = this.end - this.start;
    if (to === "other place") this.#place = this.otherPlace;
    if (left > 0) this.octets.copyWithin(this.#place - left, this.start, this.end);
    this.start = this.#place - left;
    this.end = this.#place;
  }

  /** Makes room for a read behind `end`; returns whether the memory is another one now. */
  reserve(octets: number): boolean {
    const limit = this.hasGrown ? this.octets.length : this.#place + aheadOctets;
    if (this.end + octets <= limit) return false;
    const left = this.octets.subarray(this.start, this.end);
    // All that the longest record may take, behind where the other place was: it is copied once only.
    this.#allocated = allocate(Math.max(usualOctets, this.end) + maximumRecordOctets + octets);
    this.octets = new Uint8Array(bufferOf(this.#allocated));
    this.view = new DataView(bufferOf(this.#allocated));
    this.octets.set(left, this.start);
    return true;
  }
}

/** One buffer is kept for the next reading: to reserve and release address space takes longer than to read a small file. */
let spare: CaptureBuffer | undefined;

/** An empty buffer, to be given back. */
export function borrowBuffer(): CaptureBuffer {
  const buffer = spare ?? new CaptureBuffer();
  spare = undefined;
  return buffer;
}

/** Nobody may use the buffer from now on. One that grew for a long record is let go, with its memory. */
export function giveBackBuffer(buffer: CaptureBuffer): void {
  buffer.clear();
  if (!buffer.hasGrown) spare = buffer;
}
