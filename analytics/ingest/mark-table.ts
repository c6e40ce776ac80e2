/** Marks seen in a capture: a host and the octets of the option, as dense local ids, and the detections of each. */
import { firstRecord } from "../../wire/mark.ts";
import { recordOctets } from "../../wire/mark-format.ts";
import type { DetectionTable } from "./detection-table.ts";
import { finish, grown, HashSlots, none } from "./hash-slots.ts";
import type { Secrets } from "./secrets.ts";

export class MarkTable {
  readonly #slots = new HashSlots();
  readonly #detections: DetectionTable;
  readonly #hostMultiplier: number;
  readonly #octetMultiplier: number;
  /** Octets of all options, one behind the other. */
  #pool = new Uint8Array(4096);
  #poolEnd = 0;
  /** Three words a mark: local host id, where its option starts in the pool, where its detections start. */
  #marks = new Uint32Array(3 * 256);
  /** Local detection ids of all marks, and the time of each. */
  #detectionPool = new Uint32Array(256);
  #detectionEnd = 0;

  constructor(detections: DetectionTable, secrets: Secrets) {
    const [hostMultiplier = 1, octetMultiplier = 1] = secrets.multipliers.subarray(7);
    this.#detections = detections;
    this.#hostMultiplier = hostMultiplier;
    this.#octetMultiplier = octetMultiplier;
  }

  get count(): number {
    return this.#slots.count;
  }

  host(mark: number): number {
    return this.#marks[mark * 3] ?? 0;
  }

  /** A copy of the whole option, kind and length included. */
  option(mark: number): Uint8Array {
    return this.#pool.slice(this.#optionStart(mark), this.#optionEnd(mark));
  }

  kind(mark: number): number {
    return this.#pool[this.#optionStart(mark)] ?? 0;
  }

  /** Where the detections of a mark start; they end where the next mark's start. */
  detectionsStart(mark: number): number {
    return mark < this.count ? (this.#marks[mark * 3 + 2] ?? 0) : this.#detectionEnd;
  }

  detectionAt(place: number): number {
    return this.#detectionPool[place] ?? 0;
  }

  /** Whether a mark is the option `octets[start, start + length)`. */
  isOption(mark: number, octets: Uint8Array, start: number, length: number): boolean {
    const optionStart = this.#optionStart(mark);
    if (this.#optionEnd(mark) - optionStart !== length) return false;
    const pool = this.#pool;
    for (let index = 2; index < length; index++) {
      if (pool[optionStart + index] !== octets[start + index]) return false;
    }
    return pool[optionStart] === octets[start];
  }

  /** Id of a host's mark; a new one gets its detections, unless it is only quoted by someone else. */
  intern(
    host: number,
    view: DataView,
    octets: Uint8Array,
    start: number,
    length: number,
    count: number,
  ): number {
    const slots = this.#slots;
    let sum = Math.imul(host, this.#hostMultiplier);
    for (let at = start; at < start + length; at++) {
      sum = Math.imul(sum ^ (octets[at] ?? 0), this.#octetMultiplier);
      sum ^= sum >>> 16;
    }
    const hash = finish(sum);
    let slot = slots.first(hash);
    let id = slots.at(slot);
    while (id !== none) {
      if (slots.hasHash(id, hash) && this.host(id) === host && this.isOption(id, octets, start, length))
        return id;
      slot = slots.next(slot);
      id = slots.at(slot);
    }
    id = slots.add(slot, hash);
    this.#store(id, host, octets, start, length);
    for (let record = 0; record < count; record++) {
      const at = firstRecord(start, length, count) + record * recordOctets;
      this.#addDetection(this.#detections.intern(host, view.getUint32(at), view.getUint16(at + 4)));
    }
    return id;
  }

  #store(id: number, host: number, octets: Uint8Array, start: number, length: number): void {
    if (id * 3 === this.#marks.length) this.#marks = grown(this.#marks, id * 6);
    this.#marks[id * 3] = host;
    this.#marks[id * 3 + 1] = this.#poolEnd;
    this.#marks[id * 3 + 2] = this.#detectionEnd;
    if (this.#poolEnd + length > this.#pool.length) {
      const pool = new Uint8Array(this.#pool.length * 2);
      pool.set(this.#pool);
      this.#pool = pool;
    }
    for (let index = 0; index < length; index++) this.#pool[this.#poolEnd++] = octets[start + index] ?? 0;
  }

  #addDetection(detection: number): void {
    if (this.#detectionEnd === this.#detectionPool.length) {
      this.#detectionPool = grown(this.#detectionPool, this.#detectionEnd * 2);
    }
    this.#detectionPool[this.#detectionEnd++] = detection;
  }

  #optionStart(mark: number): number {
    return this.#marks[mark * 3 + 1] ?? 0;
  }

  #optionEnd(mark: number): number {
    return mark + 1 < this.count ? (this.#marks[mark * 3 + 4] ?? 0) : this.#poolEnd;
  }
}
