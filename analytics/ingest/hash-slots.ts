/**
 * Open addressing for the dictionaries that grow while a capture is walked: hash -> dense id, in typed arrays.
 * The keys themselves lie in the tables that use this. Multipliers are secret, so that no capture can be written
 * whose addresses and ports all fall into one slot.
 */

/** No entry. */
export const none = -1;

export class HashSlots {
  /** Entries so far; ids are 0 to count - 1. */
  count = 0;
  /** Id + 1 of the entry in each slot, 0 if it is free. */
  #slots = new Uint32Array(1024);
  #shift = 22;
  #hashes = new Uint32Array(512);

  /** Where the search for `hash` begins. */
  first(hash: number): number {
    return hash >>> this.#shift;
  }

  next(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  /** The id in a slot, or `none` where the search ends. */
  at(slot: number): number {
    return (this.#slots[slot] ?? 0) - 1;
  }

  /** Enters the next id at the free slot where its search ended. */
  add(slot: number, hash: number): number {
    const id = this.count++;
    if (id === this.#hashes.length) this.#hashes = grown(this.#hashes, id * 2);
    this.#hashes[id] = hash;
    this.#slots[slot] = id + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  /** Lets another, newer entry of the same key take the slot of `id`. */
  replace(slot: number, hash: number): number {
    const id = this.count++;
    if (id === this.#hashes.length) this.#hashes = grown(this.#hashes, id * 2);
    this.#hashes[id] = hash;
    this.#slots[slot] = id + 1;
    return id;
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    this.#slots = slots;
    this.#shift--;
    for (const entry of old) {
      if (entry === 0) continue;
      let slot = this.first(this.#hashes[entry - 1] ?? 0);
      while (slots[slot] !== 0) slot = this.next(slot);
      slots[slot] = entry;
    }
  }
}

/** A larger copy; the new part is zero. */
export function grown(values: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(length);
  result.set(values);
  return result;
}

/**
 * Sums of products with odd secrets use their high bits best; this brings the others in.
 * Signed, as all hashes here: an unsigned one above 2^31 would be allocated wherever a call is not inlined.
 */
export function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 12);
}
