/**
 * Which addresses carried a mark so far: a bitmap over their hashes that stays in the processor's first cache, so that
 * asking it of every unmarked packet costs next to nothing. It may say yes wrongly, never no.
 */

/** 16 KiB to begin with; 2^22 bits are enough for every address to miss with some chance. */
const smallestBits = 17;
const largestBits = 22;
/** Bits to an address, so that two of three hundred random addresses hit. */
const bitsPerAddress = 128;

export class AddressFilter {
  #shift = 32 - smallestBits;
  /** All that the bitmap may ever take; untouched memory costs nothing. */
  #room = new Uint32Array(2 ** largestBits / 32);
  #words = this.#room.subarray(0, 2 ** smallestBits / 32);
  /** Of the addresses entered, for as long as the bitmap may still become wider: at most 2^14 of them. */
  #hashes = new Set<number>();
  /** Addresses entered, and then some: once the bitmap is as wide as it becomes, the same one may count again. */
  count = 0;

  /** Highest bits of a hash that name its bit are what is left of it behind this shift; 32 while nothing is entered. */
  get shift(): number {
    return this.count === 0 ? 32 : this.#shift;
  }

  /** Moves the bitmap into `room`, 512 KiB that nobody else writes to. */
  moveTo(room: Uint32Array<ArrayBuffer>): void {
    room.set(this.#words);
    this.#room = room;
    this.#words = room.subarray(0, this.#words.length);
  }

  has(hash: number): boolean {
    const bit = hash >>> this.#shift;
    return (((this.#words[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  /** Enters an address by its hash; again is nothing new. */
  enter(hash: number): void {
    if (this.#hashes.has(hash)) return;
    const bits = 32 - this.#shift;
    this.count++;
    if (bits === largestBits) this.#set(hash);
    else {
      this.#hashes.add(hash);
      if (this.count * bitsPerAddress > 2 ** bits) this.#widen(bits + 1);
      else this.#set(hash);
    }
  }

  #widen(bits: number): void {
    this.#shift = 32 - bits;
    this.#words = this.#room.subarray(0, 2 ** bits / 32).fill(0);
    for (const hash of this.#hashes) this.#set(hash);
    if (bits === largestBits) this.#hashes.clear();
  }

  #set(hash: number): void {
    const bit = hash >>> this.#shift;
    this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }
}
