/**
 * Open addressing for the dictionaries that grow while a capture is walked: hash -> dense id. The keys themselves lie
 * in the tables that use this. The hash stands beside the id, so that only rows of the same hash are looked at, and
 * the highest bits of it name the slot, so that growing goes through both tables from front to back.
 * Multipliers are secret, so that no capture can be written whose addresses and ports all fall into one slot.
 */
import { PagedRows } from "./paged-rows.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** No entry. */
export const none = -1;

/** Words of a slot: id + 1 of its entry, 0 if it is free; the entry's hash. */
const slotWords = 2;

/** Share of the slots that may be taken. Those behind each other are one line of the cache, mostly. */
const fullest = 0.75;

/** Slots that are moved in one turn. */
const slotsPerTurn = 256;

export class HashSlots {
  /** Entries so far; ids are 0 to count - 1. */
  count = 0;
  readonly #memory: WalkMemory;
  readonly #words: Uint32Array;
  #slots: PagedRows;
  #length = 1024;
  #shift = 22;
  /** Slots that are taken. */
  #taken = 0;
  #isDue = false;
  /** The search that goes on: for what, and where it is. */
  #hash = 0;
  #slot = 0;
  #place = 0;

  constructor(memory: WalkMemory) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#slots = new PagedRows(memory, slotWords);
  }

  /** Begins a search: the first id that has this hash, or `none`. */
  first(hash: number): number {
    this.#hash = hash;
    return this.#seek(hash >>> this.#shift);
  }

  /** Goes on with it. */
  next(): number {
    return this.#seek((this.#slot + 1) & (this.#length - 1));
  }

  /** Enters the next id where the search ended with `none`. */
  add(): number {
    if (++this.#taken > this.#length * fullest) this.#growNextTurn();
    this.#words[this.#place + 1] = this.#hash;
    return this.replace();
  }

  /** Enters the next id in place of the one that the search found: a newer entry of the same key. */
  replace(): number {
    const id = this.count++;
    this.#words[this.#place] = id + 1;
    return id;
  }

  /** Skips entries of other hashes. */
  #seek(from: number): number {
    const words = this.#words;
    let slot = from;
    let place = this.#slots.place(slot);
    while (words[place] !== 0 && ((words[place + 1] ?? 0) | 0) !== this.#hash) {
      slot = (slot + 1) & (this.#length - 1);
      place = this.#slots.place(slot);
    }
    this.#slot = slot;
    this.#place = place;
    return (words[place] ?? 0) - 1;
  }

  /** Growing goes through all slots: more than a turn may. */
  #growNextTurn(): void {
    if (this.#taken === this.#length) throw new RangeError(`${this.#length} entries in one turn`);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#memory.later(() => {
      this.#isDue = false;
      while (this.#taken > this.#length * fullest) this.#grow();
    });
  }

  #grow(): void {
    const memory = this.#memory;
    const words = this.#words;
    const old = this.#slots;
    const oldLength = this.#length;
    this.#slots = new PagedRows(memory, slotWords);
    this.#length *= 2;
    this.#shift--;
    for (let slot = 0; slot < oldLength; slot++) {
      if (slot % slotsPerTurn === 0) memory.advance();
      const from = old.place(slot);
      const entry = words[from] ?? 0;
      if (entry !== 0) this.#move(entry, words[from + 1] ?? 0);
    }
    old.release();
  }

  #move(entry: number, hash: number): void {
    const words = this.#words;
    let slot = hash >>> this.#shift;
    let at = this.#slots.place(slot);
    while (words[at] !== 0) {
      slot = (slot + 1) & (this.#length - 1);
      at = this.#slots.place(slot);
    }
    words[at] = entry;
    words[at + 1] = hash;
  }
}

/**
 * Sums of products with odd secrets use their high bits best; this brings the others in.
 * Signed, as all hashes here: an unsigned one above 2^31 would be allocated wherever a call is not inlined.
 */
export function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 12);
}
