/**
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): 64 bits of a message under a key of 16
 * octets. On pairs of 32-bit halves: bigint would allocate at every step, and a capture holds many tags.
 */

/** Octets of a key. */
export const sipKeyOctets = 16;
/** Octets of a hash. */
export const sipHashOctets = 8;

/** Writes the hash of `message[0, length)` at `at` of `into`, little-endian as in the paper. */
export function sipHash(
  key: Uint8Array,
  message: Uint8Array,
  length: number,
  into: Uint8Array,
  at: number,
): void {
  const keys = new DataView(key.buffer, key.byteOffset, sipKeyOctets);
  const state = new SipState(
    keys.getUint32(0, true),
    keys.getUint32(4, true),
    keys.getUint32(8, true),
    keys.getUint32(12, true),
  );
  const view = new DataView(message.buffer, message.byteOffset, length);
  const whole = length - (length % 8);
  for (let block = 0; block < whole; block += 8)
    state.compress(view.getUint32(block, true), view.getUint32(block + 4, true));
  // The last block: what is left, and the length in its highest octet.
  let [low, high] = [0, (length & 0xff) << 24];
  for (let place = whole; place < length; place++) {
    const octet = view.getUint8(place);
    const shift = (place - whole) * 8;
    if (shift < 32) low |= octet << shift;
    else high |= octet << (shift - 32);
  }
  state.compress(low, high);
  state.finish();
  const output = new DataView(into.buffer, into.byteOffset, into.byteLength);
  output.setUint32(at, state.low, true);
  output.setUint32(at + 4, state.high, true);
}

/** v0 to v3 of the paper, each as a lower and an upper half of 32 bits. */
class SipState {
  #low0: number;
  #high0: number;
  #low1: number;
  #high1: number;
  #low2: number;
  #high2: number;
  #low3: number;
  #high3: number;

  constructor(keyLow0: number, keyHigh0: number, keyLow1: number, keyHigh1: number) {
    // "somepseudorandomlygeneratedbytes", the paper's constants.
    this.#high0 = keyHigh0 ^ 0x736f6d65;
    this.#low0 = keyLow0 ^ 0x70736575;
    this.#high1 = keyHigh1 ^ 0x646f7261;
    this.#low1 = keyLow1 ^ 0x6e646f6d;
    this.#high2 = keyHigh0 ^ 0x6c796765;
    this.#low2 = keyLow0 ^ 0x6e657261;
    this.#high3 = keyHigh1 ^ 0x74656462;
    this.#low3 = keyLow1 ^ 0x79746573;
  }

  compress(low: number, high: number): void {
    this.#low3 ^= low;
    this.#high3 ^= high;
    this.#round();
    this.#round();
    this.#low0 ^= low;
    this.#high0 ^= high;
  }

  finish(): void {
    this.#low2 ^= 0xff;
    for (let round = 0; round < 4; round++) this.#round();
  }

  get low(): number {
    return this.#low0 ^ this.#low1 ^ this.#low2 ^ this.#low3;
  }

  get high(): number {
    return this.#high0 ^ this.#high1 ^ this.#high2 ^ this.#high3;
  }

  #round(): void {
    this.#addOneToZero();
    let [low, high] = [this.#low1, this.#high1];
    this.#low1 = ((low << 13) | (high >>> 19)) ^ this.#low0;
    this.#high1 = ((high << 13) | (low >>> 19)) ^ this.#high0;
    [this.#low0, this.#high0] = [this.#high0, this.#low0];

    this.#addThreeToTwo();
    [low, high] = [this.#low3, this.#high3];
    this.#low3 = ((low << 16) | (high >>> 16)) ^ this.#low2;
    this.#high3 = ((high << 16) | (low >>> 16)) ^ this.#high2;

    this.#addThreeToZero();
    [low, high] = [this.#low3, this.#high3];
    this.#low3 = ((low << 21) | (high >>> 11)) ^ this.#low0;
    this.#high3 = ((high << 21) | (low >>> 11)) ^ this.#high0;

    this.#addOneToTwo();
    [low, high] = [this.#low1, this.#high1];
    this.#low1 = ((low << 17) | (high >>> 15)) ^ this.#low2;
    this.#high1 = ((high << 17) | (low >>> 15)) ^ this.#high2;
    [this.#low2, this.#high2] = [this.#high2, this.#low2];
  }

  #addOneToZero(): void {
    const low = (this.#low0 >>> 0) + (this.#low1 >>> 0);
    this.#low0 = low | 0;
    this.#high0 = (this.#high0 + this.#high1 + carry(low)) | 0;
  }

  #addThreeToTwo(): void {
    const low = (this.#low2 >>> 0) + (this.#low3 >>> 0);
    this.#low2 = low | 0;
    this.#high2 = (this.#high2 + this.#high3 + carry(low)) | 0;
  }

  #addThreeToZero(): void {
    const low = (this.#low0 >>> 0) + (this.#low3 >>> 0);
    this.#low0 = low | 0;
    this.#high0 = (this.#high0 + this.#high3 + carry(low)) | 0;
  }

  #addOneToTwo(): void {
    const low = (this.#low2 >>> 0) + (this.#low1 >>> 0);
    this.#low2 = low | 0;
    this.#high2 = (this.#high2 + this.#high1 + carry(low)) | 0;
  }
}

function carry(sum: number): number {
  return sum > 0xffffffff ? 1 : 0;
}
