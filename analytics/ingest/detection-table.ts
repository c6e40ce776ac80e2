/** Detections seen in a capture: host, detected-at, category and activity, as dense local ids. */
import { finish, grown, HashSlots, none } from "./hash-slots.ts";
import type { Secrets } from "./secrets.ts";

export class DetectionTable {
  readonly #slots = new HashSlots();
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;
  /** Three words a detection: local host id, detected-at (seconds since 1970), category * 256 + activity. */
  words = new Uint32Array(3 * 256);

  constructor(secrets: Secrets) {
    const [m0 = 1, m1 = 1, m2 = 1] = secrets.multipliers.subarray(4);
    this.#multiplier0 = m0;
    this.#multiplier1 = m1;
    this.#multiplier2 = m2;
  }

  get count(): number {
    return this.#slots.count;
  }

  /** Id of a detection, a new one if it was not seen. */
  intern(host: number, detectedAt: number, codes: number): number {
    const slots = this.#slots;
    const hash = finish(
      Math.imul(host, this.#multiplier0) +
        Math.imul(detectedAt, this.#multiplier1) +
        Math.imul(codes, this.#multiplier2),
    );
    let slot = slots.first(hash);
    let id = slots.at(slot);
    while (id !== none) {
      const at = id * 3;
      if (this.words[at] === host && this.words[at + 1] === detectedAt >>> 0 && this.words[at + 2] === codes)
        return id;
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    id = slots.add(slot, hash);
    if (id * 3 === this.words.length) this.words = grown(this.words, id * 6);
    this.words[id * 3] = host;
    this.words[id * 3 + 1] = detectedAt;
    this.words[id * 3 + 2] = codes;
    return id;
  }
}
