/**
 * Which capture this is, by content: the same file under another name or compressed gives the same digest. Four lanes
 * of multiply and rotate over every frame's time, lengths and header words, keyed by the database's seed, because a
 * cryptographic digest of every frame would cost a fifth of the whole walk. Two captures of equal digest hold the same
 * frames, whatever their comments and byte order; who does not know the seed cannot write a second one of the same digest.
 */
import { createHash } from "node:crypto";
import type { Secrets } from "./secrets.ts";

export class ContentDigest {
  #lane0: number;
  #lane1: number;
  #lane2: number;
  #lane3: number;
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  readonly #multiplier3: number;
  /** As add uses them. */
  readonly multipliers: Uint32Array;
  readonly #labels = createHash("sha256");

  constructor(secrets: Secrets) {
    this.multipliers = secrets.multipliers.subarray(12, 16);
    const [m0 = 1, m1 = 1, m2 = 1, m3 = 1] = this.multipliers;
    this.#multiplier0 = m0;
    this.#multiplier1 = m1;
    this.#multiplier2 = m2;
    this.#multiplier3 = m3;
    this.#lane0 = ~m3;
    this.#lane1 = ~m0;
    this.#lane2 = ~m1;
    this.#lane3 = ~m2;
  }

  /** Four words of a frame. Each lane takes its neighbour in, so that every word reaches all of them. */
  add(word0: number, word1: number, word2: number, word3: number): void {
    const lane0 = Math.imul(this.#lane0 ^ word0, this.#multiplier0);
    const lane1 = Math.imul(this.#lane1 ^ word1, this.#multiplier1);
    const lane2 = Math.imul(this.#lane2 ^ word2, this.#multiplier2);
    const lane3 = Math.imul(this.#lane3 ^ word3, this.#multiplier3);
    this.#lane0 = lane0 ^ ((lane3 >>> 15) | (lane3 << 17));
    this.#lane1 = lane1 ^ ((lane0 >>> 13) | (lane0 << 19));
    this.#lane2 = lane2 ^ ((lane1 >>> 17) | (lane1 << 15));
    this.#lane3 = lane3 ^ ((lane2 >>> 11) | (lane2 << 21));
  }

  /** Puts the lanes where another program goes on with them (quiet/quiet-frames.as.ts). */
  lend(lanes: Int32Array): void {
    lanes[0] = this.#lane0;
    lanes[1] = this.#lane1;
    lanes[2] = this.#lane2;
    lanes[3] = this.#lane3;
  }

  takeBack(lanes: Int32Array): void {
    [this.#lane0 = 0, this.#lane1 = 0, this.#lane2 = 0, this.#lane3 = 0] = lanes;
  }

  /** Something rare that sets captures apart: format, interfaces. */
  addLabel(label: string): void {
    this.#labels.update(`${label.length}:${label}`);
  }

  /** Of the frames so far alone, `frames` of them: what a capture that goes on begins with. 32 hexadecimal digits. */
  streamId(frames: number): string {
    const lanes = [this.#lane0, this.#lane1, this.#lane2, this.#lane3, frames];
    return createHash("sha256").update(lanes.join(" ")).digest("hex").slice(0, 32);
  }

  /** 32 hexadecimal digits. */
  finish(frames: number): string {
    this.addLabel([this.#lane0, this.#lane1, this.#lane2, this.#lane3, frames].map(Number).join(" "));
    return this.#labels.digest("hex").slice(0, 32);
  }
}
