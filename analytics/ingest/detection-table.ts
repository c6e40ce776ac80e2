/** Detections seen in a capture: host, detected-at, category and activity, as dense local ids. */
import { finish, HashSlots, none } from "./hash-slots.ts";
import { PagedRows } from "./paged-rows.ts";
import type { Secrets } from "./secrets.ts";
import type { WalkMemory } from "./walk-memory.ts";

export class DetectionTable {
  readonly words: Uint32Array;
  readonly #slots: HashSlots;
  /** Three words a detection: local host id, detected-at (seconds since 1970), category * 256 + activity. */
  readonly #rows: PagedRows;
  readonly #multiplier0: number;
  readonly #multiplier1: number;
  readonly #multiplier2: number;

  constructor(secrets: Secrets, memory: WalkMemory) {
    this.words = memory.words;
    this.#slots = new HashSlots(memory);
    this.#rows = new PagedRows(memory, 3);
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
    let id = slots.first(hash);
    while (id !== none) {
      const at = this.#rows.place(id);
      if (this.words[at] === host && this.words[at + 1] === detectedAt >>> 0 && this.words[at + 2] === codes)
        return id;
      id = slots.next();
    }
    id = slots.add();
    const at = this.#rows.place(id);
    this.words[at] = host;
    this.words[at + 1] = detectedAt;
    this.words[at + 2] = codes;
    return id;
  }

  /** Where in `words` the three words of a detection begin, until the next turn. */
  place(id: number): number {
    return this.#rows.place(id);
  }
}
