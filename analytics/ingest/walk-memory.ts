/**
 * The memory of a walk: so many pages and no more, which all its tables share. When all are taken, those that were not
 * asked for longest make room, and wait in a file without a name until they are asked for again. So tables of any size
 * are walked in memory of one size, and hold what they would hold in memory without bound.
 *
 * Time is counted in turns, one a packet. Nothing moves within a turn: a place that was asked for stays good until then.
 */
import { closeSync, readSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { MessageChannel } from "node:worker_threads";
import { explainFull, openNameless } from "../nameless-file.ts";
import type { PagedRows } from "./paged-rows.ts";

export interface WalkMemoryOptions {
  readonly pages?: number;
  /** A power of two, of 32 at least: no row is longer. */
  readonly pageWords?: number;
  /** For the file of what has no room. */
  readonly folder?: string;
}

/** 32 MiB: enough for 80,000 flows of as many hosts without ever writing a page out. */
const usualPages = 8192;
const usualPageWords = 1024;

/** Large buffers start 16 octets into a page of the machine; with this, rows start on cache lines. */
const alignment = 48;

/** One of so many pages is written out at once: finding the oldest takes a look at all of them. */
const shareWrittenOut = 8;

/** Pages that one write takes. */
const pagesAtOnce = 64;

interface Victim {
  readonly frame: number;
  readonly filePage: number;
}

export class WalkMemory {
  /** All pages, one behind the other; untouched ones take no memory. The first stays unused: its number means none. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly doubles: Float64Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly pageBits: number;
  /** Of every page: the turn in which it was asked for last. */
  readonly stamps: Uint32Array<ArrayBuffer>;
  turn = 1;
  /** Whether pages have to make room. True a little before the last one is taken, so that a turn has enough left. */
  isFull = false;

  readonly #folder: string;
  readonly #octets: Uint8Array<ArrayBuffer>;
  readonly #pageOctets: number;
  /** Of every page: whose it is, which one of theirs, and its place in the file (-1: none yet). */
  readonly #owners: (PagedRows | undefined)[];
  readonly #pageOf: Uint32Array<ArrayBuffer>;
  readonly #filePageOf: Int32Array<ArrayBuffer>;
  readonly #free: number[] = [];
  #next = 1;
  #descriptor = -1;
  #filePages = 0;
  #pieces: Uint8Array<ArrayBuffer> | undefined;
  readonly #freeFilePages: number[] = [];
  readonly #due: (() => void)[] = [];
  readonly #served = new Set<PagedRows>();
  readonly #nearlyFull: number;
  /** Pages that one table may keep at once for those that it will need next. */
  readonly mostReserved: number;
  /** Whether the next turn is anything at all. */
  #isBusy = false;

  constructor({ pages = usualPages, pageWords = usualPageWords, folder = tmpdir() }: WalkMemoryOptions = {}) {
    this.#folder = folder;
    this.#pageOctets = pageWords * 4;
    this.pageBits = Math.log2(pageWords);
    const octets = (pages + 1) * this.#pageOctets;
    const buffer = new ArrayBuffer(alignment + octets);
    this.words = new Uint32Array(buffer, alignment, octets / 4);
    this.doubles = new Float64Array(buffer, alignment, octets / 8);
    this.view = new DataView(buffer, alignment, octets);
    this.#octets = new Uint8Array(buffer, alignment, octets);
    this.mostReserved = Math.max(1, Math.min(64, Math.floor(pages / 16)));
    this.#nearlyFull = Math.floor(pages * 0.75);
    this.stamps = new Uint32Array(pages + 1);
    this.#owners = Array.from({ length: pages + 1 });
    this.#pageOf = new Uint32Array(pages + 1);
    this.#filePageOf = new Int32Array(pages + 1);
  }

  /** Octets in the file so far. */
  get writtenOut(): number {
    return this.#filePages * this.#pageOctets;
  }

  /** By rows whose pages are to come from here. */
  serve(rows: PagedRows): void {
    this.#served.add(rows);
    if (this.isFull) rows.memoryIsFull();
  }

  forget(rows: PagedRows): void {
    this.#served.delete(rows);
  }

  /** To be called where no place is held any more: at the latest before the next packet. */
  nextTurn(): void {
    if (this.#isBusy) this.#beginTurn();
  }

  /** A turn within work that `later` put off. */
  advance(): void {
    if (++this.turn <= 0xffff_ffff) return;
    this.stamps.fill(0);
    this.turn = 1;
  }

  /** Puts off what asks for more pages than a turn may. */
  later(work: () => void): void {
    this.#due.push(work);
    this.#isBusy = true;
  }

  /** A page into memory: a new one of zeros, or (`filePage` of 0 and up) the one that was written there. */
  fetch(owner: PagedRows, page: number, frame: number, filePage: number): void {
    if (filePage >= 0) this.#read(frame * this.#pageOctets, filePage);
    this.#owners[frame] = owner;
    this.#pageOf[frame] = page;
    this.#filePageOf[frame] = filePage;
  }

  giveBack(frame: number): void {
    this.#free.push(frame);
  }

  /** Gives back what a page took: `entry` as in PagedRows. */
  release(entry: number): void {
    const filePage = entry > 0 ? (this.#filePageOf[entry] ?? -1) : -1 - entry;
    if (filePage >= 0) this.#freeFilePages.push(filePage);
    if (entry <= 0) return;
    this.#owners[entry] = undefined;
    this.giveBack(entry);
  }

  /** Gives memory and file back; to be called when no table is looked at any more, again is nothing new. */
  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
    if (this.words.length === 0) return;
    // A buffer that is on its way to nobody goes at once. Left to itself, it would wait for the garbage collector, which
    // sees no hurry; but the database wants the room.
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(0, [this.words.buffer]);
    port1.close();
    port2.close();
  }

  #beginTurn(): void {
    for (let work = this.#due.pop(); work; work = this.#due.pop()) work();
    this.advance();
    this.#isBusy = this.isFull;
  }

  /** From now on it matters which pages are asked for. What was asked for so far counts as asked for in this turn. */
  #fillUp(): void {
    this.isFull = true;
    this.#isBusy = true;
    this.stamps.fill(this.turn);
    for (const rows of this.#served) rows.memoryIsFull();
  }

  /** The first of `pages` pages of zeros next to each other; only while memory is not full. */
  reserve(pages: number): number {
    const first = this.#next;
    this.#next += pages;
    if (this.#next >= this.#nearlyFull) this.#fillUp();
    return first;
  }

  /** A page of zeros. */
  take(): number {
    if (this.#free.length === 0 && this.#next === this.stamps.length) this.#writeOldest();
    const frame = this.#free.pop();
    if (frame === undefined) return this.#next++;
    this.#octets.fill(0, frame * this.#pageOctets, (frame + 1) * this.#pageOctets);
    return frame;
  }

  #writeOldest(): void {
    const victims = this.#oldest().map((frame): Victim => {
      const known = this.#filePageOf[frame] ?? -1;
      return { frame, filePage: known < 0 ? (this.#freeFilePages.pop() ?? this.#filePages++) : known };
    });
    this.#write(victims.toSorted((one, other) => one.filePage - other.filePage));
    for (const { frame, filePage } of victims) {
      this.#owners[frame]?.wrote(this.#pageOf[frame] ?? 0, filePage);
      this.#owners[frame] = undefined;
      this.#free.push(frame);
    }
  }

  /** Pages that were not asked for longest, and not in this turn. */
  #oldest(): number[] {
    const stamps = this.stamps.subarray(1);
    const most = Math.ceil(stamps.length / shareWrittenOut);
    const newest = Math.min(stamps.toSorted()[most - 1] ?? 0, this.turn - 1);
    const oldest: number[] = [];
    for (let frame = 1; frame <= stamps.length && oldest.length < most; frame++) {
      // One without an owner is kept for a table's next rows.
      if ((this.stamps[frame] ?? 0) <= newest && this.#owners[frame]) oldest.push(frame);
    }
    if (oldest.length === 0) throw new RangeError(`a turn asked for more than ${stamps.length} pages`);
    return oldest;
  }

  /** `victims` by their place in the file; neighbours go with one write. */
  #write(victims: readonly Victim[]): void {
    const size = this.#pageOctets;
    this.#pieces ??= new Uint8Array(pagesAtOnce * size);
    const pieces = this.#pieces;
    let count = 0;
    for (const [index, { frame, filePage }] of victims.entries()) {
      pieces.set(this.#octets.subarray(frame * size, (frame + 1) * size), count++ * size);
      if (count < pagesAtOnce && victims[index + 1]?.filePage === filePage + 1) continue;
      this.#writeAll(pieces.subarray(0, count * size), (filePage + 1 - count) * size);
      count = 0;
    }
  }

  #writeAll(octets: Uint8Array, position: number): void {
    try {
      if (this.#descriptor < 0) this.#descriptor = openNameless(this.#folder);
      for (let at = 0; at < octets.length;) {
        at += writeSync(this.#descriptor, octets, at, octets.length - at, position + at);
      }
    } catch (error) {
      throw explainFull(this.#folder, error);
    }
  }

  #read(at: number, filePage: number): void {
    const size = this.#pageOctets;
    for (let done = 0; done < size;) {
      const octets = readSync(this.#descriptor, this.#octets, at + done, size - done, filePage * size + done);
      if (octets === 0) throw new RangeError(`page ${filePage} ends at octet ${done}, expected ${size}`);
      done += octets;
    }
  }
}
