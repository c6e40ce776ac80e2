/**
 * Marks seen in a capture: a host and the octets of an option, as dense local ids, with the detections of each.
 * One row of 64 octets a mark: host, length, number of records, place of the detections, and the option itself.
 */
import { firstRecord, isPlausible } from "../../wire/mark.ts";
import { recordOctets } from "../../wire/mark-format.ts";
import type { DetectionTable } from "./detection-table.ts";
import { finish, HashSlots, none } from "./hash-slots.ts";
import { PagedRows } from "./paged-rows.ts";
import type { Secrets } from "./secrets.ts";
import type { WalkMemory } from "./walk-memory.ts";

const rowWords = 16;

/** Places of words in a row. */
const host = 0;
const length = 1;
const count = 2;
const detections = 3;
/** Of the option's first octet. */
const optionOctet = 16;

export class MarkTable {
  readonly #slots: HashSlots;
  readonly #detections: DetectionTable;
  readonly #hostMultiplier: number;
  readonly #wordMultiplier: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #rows: PagedRows;
  /** Local detection ids of all marks, one mark's behind the other's. */
  readonly #detectionPool: PagedRows;
  #detectionEnd = 0;

  constructor(detectionTable: DetectionTable, secrets: Secrets, memory: WalkMemory) {
    this.#slots = new HashSlots(memory);
    this.#words = memory.words;
    this.#view = memory.view;
    this.#rows = new PagedRows(memory, rowWords);
    this.#detectionPool = new PagedRows(memory, 1);
    const [hostMultiplier = 1, wordMultiplier = 1] = secrets.multipliers.subarray(7);
    this.#detections = detectionTable;
    this.#hostMultiplier = hostMultiplier;
    this.#wordMultiplier = wordMultiplier;
  }

  get count(): number {
    return this.#slots.count;
  }

  host(mark: number): number {
    return this.#words[this.#rows.place(mark) + host] ?? 0;
  }

  /** Number of records. */
  records(mark: number): number {
    return this.#words[this.#rows.place(mark) + count] ?? 0;
  }

  /** A copy of the whole option, kind and length included. */
  option(mark: number): Uint8Array {
    const at = this.#rows.place(mark);
    const start = this.#words.byteOffset + at * 4 + optionOctet;
    return new Uint8Array(this.#words.buffer, start, this.#words[at + length]).slice();
  }

  kind(mark: number): number {
    return this.#view.getUint8(this.#rows.place(mark) * 4 + optionOctet);
  }

  /** Local id of the detection of one record. */
  detection(mark: number, record: number): number {
    const first = this.#words[this.#rows.place(mark) + detections] ?? 0;
    return this.#words[this.#detectionPool.place(first + record)] ?? 0;
  }

  /** Seconds since 1970. */
  detectedAt(mark: number, record: number): number {
    const at = this.#rows.place(mark);
    const option = at * 4 + optionOctet;
    const first = firstRecord(option, this.#words[at + length] ?? 0, this.#words[at + count] ?? 0);
    return this.#view.getUint32(first + record * recordOctets);
  }

  /** Whether a record becomes plausible or implausible within this minute of 1970. */
  isBorderline(mark: number, minute: number): boolean {
    const start = minute * 60;
    const records = this.records(mark);
    for (let record = 0; record < records; record++) {
      const detectedAt = this.detectedAt(mark, record);
      if (isPlausible(detectedAt, start) !== isPlausible(detectedAt, start + 60)) return true;
    }
    return false;
  }

  /** Whether a mark is the option at `start`; no mark is shorter than 9 octets. */
  isOption(mark: number, view: DataView, start: number, octets: number): boolean {
    const place = this.#rows.place(mark);
    if (this.#words[place + length] !== octets) return false;
    const own = this.#view;
    const option = place * 4 + optionOctet;
    const last = octets - 4;
    for (let at = 0; at < last; at += 4) {
      if (own.getInt32(option + at) !== view.getInt32(start + at)) return false;
    }
    return own.getInt32(option + last) === view.getInt32(start + last);
  }

  /** Id of a host's mark of `octets` octets and `records` records at `start`. */
  intern(hostId: number, view: DataView, start: number, octets: number, records: number): number {
    const slots = this.#slots;
    let id = slots.first(this.#hash(hostId, view, start, octets));
    while (id !== none) {
      if (this.host(id) === hostId && this.isOption(id, view, start, octets)) return id;
      id = slots.next();
    }
    id = slots.add();
    this.#store(id, hostId, view, start, octets, records);
    return id;
  }

  #hash(hostId: number, view: DataView, start: number, octets: number): number {
    let hash = Math.imul(hostId, this.#hostMultiplier);
    const last = octets - 4;
    for (let at = 0; at < last; at += 4) {
      hash = Math.imul(hash ^ view.getUint32(start + at), this.#wordMultiplier);
      hash ^= hash >>> 15;
    }
    return finish(Math.imul(hash ^ view.getUint32(start + last), this.#wordMultiplier));
  }

  #store(id: number, hostId: number, view: DataView, start: number, octets: number, records: number): void {
    const at = this.#rows.place(id);
    this.#words[at + host] = hostId;
    this.#words[at + length] = octets;
    this.#words[at + count] = records;
    this.#words[at + detections] = this.#detectionEnd;
    const option = at * 4 + optionOctet;
    for (let index = 0; index < octets; index++) {
      this.#view.setUint8(option + index, view.getUint8(start + index));
    }
    const first = firstRecord(start, octets, records);
    for (let record = 0; record < records; record++) {
      const place = first + record * recordOctets;
      this.#addDetection(this.#detections.intern(hostId, view.getUint32(place), view.getUint16(place + 4)));
    }
  }

  #addDetection(detection: number): void {
    this.#words[this.#detectionPool.place(this.#detectionEnd++)] = detection;
  }
}
