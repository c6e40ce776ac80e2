/**
 * The buffer that a capture streams through. Reads land on a page boundary, which makes them twice as fast as into an
 * ordinary Buffer (its octets start 16 into a page); WebAssembly memory is the only page-aligned memory of JavaScript.
 * The unfinished record at the end of one read is moved to just before the next read, so records stay contiguous.
 */
import { maximumRecordOctets } from "./record-walker.ts";

const wasmPage = 65_536;

/** Octets a read: what is read must still be in the processor's cache when it is walked. */
export const readOctets = 512 * 1024;

/** No frame lies below: what a sink shares with WebAssembly code that looks at the same memory has its place there. */
export const frameFloor = 1024 * 1024;

/** Where reads land. Before it is room for the longest unfinished record; pages that nothing touches cost nothing. */
const base = frameFloor + maximumRecordOctets;

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
  #allocated = allocate(base + readOctets);
  octets = new Uint8Array(bufferOf(this.#allocated));
  view = new DataView(bufferOf(this.#allocated));
  /** What has been read and not been walked: `[start, end)`. */
  start = base;
  end = base;

  get hasGrown(): boolean {
    return this.octets.length > base + readOctets;
  }

  /** The memory of `octets`, where it is one of WebAssembly. */
  get memory(): WebAssembly.Memory | undefined {
    return this.#allocated instanceof ArrayBuffer ? undefined : this.#allocated;
  }

  get length(): number {
    return this.end - this.start;
  }

  clear(): void {
    this.start = base;
    this.end = base;
  }

  /** Moves what is left to just before the place where reads land. */
  rewind(): void {
    const left = this.end - this.start;
    if (left > 0) this.octets.copyWithin(base - left, this.start, this.end);
    this.start = base - left;
    this.end = base;
  }

  /** Makes room for a read behind `end`; returns whether the memory is another one now. */
  reserve(octets: number): boolean {
    if (this.end + octets <= this.octets.length) return false;
    const left = this.octets.subarray(this.start, this.end);
    // Twice as much, up to what the longest record takes, so that it is copied a few times only.
    const wanted = Math.min(2 * (this.octets.length - base), maximumRecordOctets + readOctets);
    this.#allocated = allocate(Math.max(this.end + octets, base + wanted));
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
