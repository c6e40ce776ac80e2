/** Addresses seen in a capture, as dense local ids: four words each, IPv4 as the IPv4-mapped IPv6 address (RFC 4291). */
import { formatIpv4, formatIpv6 } from "../../wire/address.ts";
import { finish, HashSlots, none } from "./hash-slots.ts";
import { PagedRows } from "./paged-rows.ts";
import type { Secrets } from "./secrets.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** Third word of an IPv4-mapped address. */
export const mappedWord = 0xffff;

export class HostTable {
  readonly words: Uint32Array;
  readonly #slots: HashSlots;
  /** Four words a host. */
  readonly #rows: PagedRows;
  /** One word a host: 1 if it marks. */
  readonly #flags: PagedRows;
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  readonly #multiplier3: number;

  constructor(secrets: Secrets, memory: WalkMemory) {
    this.words = memory.words;
    this.#slots = new HashSlots(memory);
    this.#rows = new PagedRows(memory, 4);
    this.#flags = new PagedRows(memory, 1);
    const [m0 = 1, m1 = 1, m2 = 1, m3 = 1] = secrets.multipliers;
    this.#multiplier0 = m0;
    this.#multiplier1 = m1;
    this.#multiplier2 = m2;
    this.#multiplier3 = m3;
  }

  get count(): number {
    return this.#slots.count;
  }

  /** Of an address; the same one is entered into the filter of flagged addresses. */
  hash(word0: number, word1: number, word2: number, word3: number): number {
    return finish(
      (Math.imul(word0, this.#multiplier0) +
        Math.imul(word1, this.#multiplier1) +
        Math.imul(word2, this.#multiplier2) +
        Math.imul(word3, this.#multiplier3)) |
        0,
    );
  }

  /** Id of an address, or `none`. */
  find(word0: number, word1: number, word2: number, word3: number): number {
    let id = this.#slots.first(this.hash(word0, word1, word2, word3));
    while (id !== none && !this.is(id, word0, word1, word2, word3)) id = this.#slots.next();
    return id;
  }

  /** The host marks. */
  flag(id: number): void {
    this.words[this.#flags.place(id)] = 1;
  }

  isFlagged(id: number): boolean {
    return this.#flags.holds(id) && this.words[this.#flags.place(id)] === 1;
  }

  /** Id of an address, a new one if it was not seen. */
  intern(word0: number, word1: number, word2: number, word3: number): number {
    const slots = this.#slots;
    let id = slots.first(this.hash(word0, word1, word2, word3));
    while (id !== none) {
      if (this.is(id, word0, word1, word2, word3)) return id;
      id = slots.next();
    }
    id = slots.add();
    const at = this.#rows.place(id);
    this.words[at] = word0;
    this.words[at + 1] = word1;
    this.words[at + 2] = word2;
    this.words[at + 3] = word3;
    return id;
  }

  /** Where in `words` the four words of a host begin, until the next turn. */
  place(id: number): number {
    return this.#rows.place(id);
  }

  hashOf(id: number): number {
    const at = this.#rows.place(id);
    const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = this.words.subarray(at, at + 4);
    return this.hash(word0, word1, word2, word3);
  }

  /** RFC 5952 text; IPv4 in dotted decimal. */
  text(id: number): string {
    const at = this.#rows.place(id);
    const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = this.words.subarray(at, at + 4);
    if (word0 === 0 && word1 === 0 && word2 === mappedWord) return formatIpv4(word3);
    return formatIpv6(word0, word1, word2, word3);
  }

  /** Whether this is the address of a host. */
  is(id: number, word0: number, word1: number, word2: number, word3: number): boolean {
    const words = this.words;
    const at = this.#rows.place(id);
    return (
      words[at + 3] === word3 >>> 0 &&
      words[at + 2] === word2 >>> 0 &&
      words[at + 1] === word1 >>> 0 &&
      words[at] === word0 >>> 0
    );
  }
}
