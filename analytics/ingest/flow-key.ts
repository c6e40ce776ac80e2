/**
 * 64-bit keys of flows that are the same in every capture of one database: HalfSipHash-2-4 with the 64-bit output
 * (J.-P. Aumasson and D. J. Bernstein, the SipHash reference code), keyed by the database's seed.
 * Whole words only, since all that goes in are addresses, ports and numbers. `low` and `high` hold the result.
 */
import type { Secrets } from "./secrets.ts";

export class FlowKey {
  low = 0;
  high = 0;
  readonly #key0: number;
  readonly #key1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;
  #words = 0;

  constructor(secrets: Secrets) {
    this.#key0 = secrets.flowKeyHigh;
    this.#key1 = secrets.flowKeyLow;
  }

  begin(): void {
    this.#v0 = this.#key0;
    this.#v1 = this.#key1 ^ 0xee;
    this.#v2 = this.#key0 ^ 0x6c796765;
    this.#v3 = this.#key1 ^ 0x74656462;
    this.#words = 0;
  }

  add(word: number): void {
    this.#words++;
    this.#compress(word);
  }

  /** Sets `low` and `high` to the hash of the words so far; more may be added afterwards. */
  digest(): void {
    const v0 = this.#v0;
    const v1 = this.#v1;
    const v2 = this.#v2;
    const v3 = this.#v3;
    this.#compress(this.#words << 26);
    this.#v2 ^= 0xee;
    for (let round = 0; round < 4; round++) this.#round();
    this.low = (this.#v1 ^ this.#v3) >>> 0;
    this.#v1 ^= 0xdd;
    for (let round = 0; round < 4; round++) this.#round();
    this.high = (this.#v1 ^ this.#v3) >>> 0;
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }

  #compress(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = (v2 << 16) | (v2 >>> 16);
    this.#v3 = v3;
  }
}
