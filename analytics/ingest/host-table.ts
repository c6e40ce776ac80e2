/** Addresses seen in a capture, as dense local ids: four words each, IPv4 as the IPv4-mapped IPv6 address (RFC 4291). */
import { formatIpv4, formatIpv6 } from "../../wire/address.ts";
import { finish, grown, HashSlots, none } from "./hash-slots.ts";
import type { Secrets } from "./secrets.ts";

/** Third word of an IPv4-mapped address. */
export const mappedWord = 0xffff;

export class HostTable {
  readonly #slots = new HashSlots();
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  readonly #multiplier3: number;
  /** Four words a host. */
  words = new Uint32Array(4 * 256);

  constructor(secrets: Secrets) {
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
    const slots = this.#slots;
    let slot = slots.first(this.hash(word0, word1, word2, word3));
    let id = slots.at(slot);
    while (id !== none && !this.is(id, word0, word1, word2, word3)) {
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    return id;
  }

  /** Id of an address, a new one if it was not seen. */
  intern(word0: number, word1: number, word2: number, word3: number): number {
    const slots = this.#slots;
    const hash = this.hash(word0, word1, word2, word3);
    let slot = slots.first(hash);
    let id = slots.at(slot);
    while (id !== none) {
      if (this.is(id, word0, word1, word2, word3)) return id;
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    id = slots.add(slot, hash);
    if (id * 4 === this.words.length) this.words = grown(this.words, id * 8);
    this.words[id * 4] = word0;
    this.words[id * 4 + 1] = word1;
    this.words[id * 4 + 2] = word2;
    this.words[id * 4 + 3] = word3;
    return id;
  }

  hashOf(id: number): number {
    const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = this.words.subarray(id * 4, id * 4 + 4);
    return this.hash(word0, word1, word2, word3);
  }

  /** RFC 5952 text; IPv4 in dotted decimal. */
  text(id: number): string {
    const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = this.words.subarray(id * 4, id * 4 + 4);
    if (word0 === 0 && word1 === 0 && word2 === mappedWord) return formatIpv4(word3);
    return formatIpv6(word0, word1, word2, word3);
  }

  /** Whether this is the address of a host. */
  is(id: number, word0: number, word1: number, word2: number, word3: number): boolean {
    const words = this.words;
    const at = id * 4;
    return (
      words[at + 3] === word3 >>> 0 &&
      words[at + 2] === word2 >>> 0 &&
      words[at + 1] === word1 >>> 0 &&
      words[at] === word0 >>> 0
    );
  }
}
