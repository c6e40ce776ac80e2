/** Rows of equal length under numbers from 0, in the pages of a walk's memory; a row is zeros when it is first asked for. */
import type { WalkMemory } from "./walk-memory.ts";

/** Pages to begin with. */
const fewPages = 16;

export class PagedRows {
  readonly rowsPerPage: number;
  readonly #memory: WalkMemory;
  readonly #stamps: Uint32Array;
  readonly #pageBits: number;
  readonly #rowWords: number;
  readonly #rowBits: number;
  readonly #rowMask: number;
  /** Of every page: its first word in memory; 0 where it has to be asked for, as all have to once memory is full. */
  #starts = new Int32Array(fewPages);
  /** Of every page: its number in memory; -1 - its place in the file; 0 if nobody asked for it yet. */
  #entries = new Int32Array(fewPages);

  /** Pages of the memory that are kept for this one's rows. */
  #next = 0;
  #reservedEnd = 0;
  /** Pages so far. */
  #pages = 1;

  constructor(memory: WalkMemory, rowWords: number) {
    this.#memory = memory;
    this.#stamps = memory.stamps;
    this.#pageBits = memory.pageBits;
    this.#rowWords = rowWords;
    this.#rowBits = Math.floor(Math.log2(2 ** memory.pageBits / rowWords));
    this.rowsPerPage = 2 ** this.#rowBits;
    this.#rowMask = this.rowsPerPage - 1;
    memory.serve(this);
  }

  /** Where in the memory's words the row begins, until the next turn. */
  place(row: number): number {
    const start = this.#starts[row >>> this.#rowBits] ?? 0;
    if (start === 0) return this.#placeIn(row >>> this.#rowBits) + (row & this.#rowMask) * this.#rowWords;
    return start + (row & this.#rowMask) * this.#rowWords;
  }

  /** Whether anybody asked for a row of this one's page before. */
  holds(row: number): boolean {
    return (this.#entries[row >>> this.#rowBits] ?? 0) !== 0;
  }

  /** Rows from 0 on among which all are that anybody asked for. */
  get end(): number {
    return this.#entries.length * this.rowsPerPage;
  }

  /** By the memory: which pages are asked for matters from now on. */
  memoryIsFull(): void {
    this.#starts = new Int32Array(0);
    this.#giveBackReserve();
  }

  /** By the memory: the page is in the file from now on. */
  wrote(page: number, filePage: number): void {
    this.#entries[page] = -1 - filePage;
  }

  /** Gives everything back. */
  release(): void {
    for (const entry of this.#entries) if (entry !== 0) this.#memory.release(entry);
    this.#entries = new Int32Array(fewPages);
    this.#starts = new Int32Array(0);
    this.#giveBackReserve();
    this.#memory.forget(this);
  }

  #giveBackReserve(): void {
    while (this.#next < this.#reservedEnd) this.#memory.giveBack(this.#next++);
  }

  #placeIn(page: number): number {
    let frame = this.#entries[page] ?? 0;
    if (frame <= 0) frame = this.#fetch(page);
    const start = frame << this.#pageBits;
    if (this.#memory.isFull) this.#stamps[frame] = this.#memory.turn;
    else this.#starts[page] = start;
    return start;
  }

  /** Pages next to each other, the more the larger the table is: the processor finds those faster. */
  #reserve(): void {
    const pages = Math.min(this.#memory.mostReserved, this.#pages);
    this.#next = this.#memory.reserve(pages);
    this.#reservedEnd = this.#next + pages;
  }

  #fetch(page: number): number {
    if (page >= this.#entries.length) {
      const length = Math.max(page + 1, this.#entries.length * 2);
      this.#entries = longer(this.#entries, length);
      if (!this.#memory.isFull) this.#starts = longer(this.#starts, length);
    }
    if (this.#next === this.#reservedEnd && !this.#memory.isFull) this.#reserve();
    const frame = this.#next < this.#reservedEnd ? this.#next++ : this.#memory.take();
    this.#memory.fetch(this, page, frame, -1 - (this.#entries[page] ?? 0));
    this.#entries[page] = frame;
    this.#pages++;
    return frame;
  }
}

function longer(values: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(length);
  result.set(values);
  return result;
}
