/**
 * Events on their way to the dashboard, on disk: append-only segments, and the number of the last event that the
 * dashboard has acknowledged. An event that `append` took is neither lost nor doubled by a kill at any point: it keeps
 * its id, and what is sent again after a crash is the same event under the same id.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFileSoon } from "./atomic-file.ts";
import { checkedJson, checkedLine } from "./checked-line.ts";
import { acknowledgedFile, recoverSpool } from "./spool-recovery.ts";
import { OpenSegment, readLines, segmentName } from "./spool-segment.ts";
import type { SegmentContent } from "./spool-segment.ts";

export interface SpoolSettings {
  /** Of all segments together; beyond it events are refused. */
  readonly maximumOctets: number;
  /** Of one segment; the smallest amount that is freed at a time. */
  readonly segmentOctets: number;
  /** `always`: an event that was taken outlives a power cut. `batch`: one that was sent does; a kill loses neither. */
  readonly sync: "always" | "batch";
}

export const defaultSpool: SpoolSettings = {
  maximumOctets: 512 * 1024 * 1024,
  segmentOctets: 8 * 1024 * 1024,
  sync: "batch",
};

/** What an event adds to the tallies, found again when the spool is opened. */
export type TallyOf<Event> = (event: Event) => { readonly name: string; readonly amount: number } | undefined;

/** An event before it has its id. */
export type Unnumbered<Event> = Event extends unknown ? Omit<Event, "id"> : never;

export interface SpooledBatch {
  /** JSON of the events in order, one a line, each line with its line feed. */
  readonly lines: string;
  readonly events: number;
  /** Number of the last of them. */
  readonly last: number;
  /** Octets that they take in their segment. */
  readonly octets: number;
}

/** Where the first event that is not acknowledged is. */
interface Place {
  /** Number of the segment's first event. */
  readonly segment: number;
  readonly offset: number;
}

export class Spool<Event extends { readonly id: string }> {
  readonly #folder: string;
  readonly #settings: SpoolSettings;
  readonly #tallyOf: TallyOf<Event>;
  readonly #id: string;
  readonly #tallies = new Map<string, number>();
  /** Number of each segment's first event, oldest first, and its octets. */
  readonly #segments: Map<number, number>;
  #current: OpenSegment;
  #next: number;
  #acknowledged: number;
  #place: Place;
  #damaged = 0;
  #wake: (() => void) | undefined;

  /** Opens or makes the folder, mode 0700. One process at a time. */
  constructor(folder: string, settings: SpoolSettings, tallyOf: TallyOf<Event>) {
    this.#folder = folder;
    this.#settings = settings;
    this.#tallyOf = tallyOf;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { id, acknowledged, segments, newest } = recoverSpool(folder);
    this.#id = id;
    this.#acknowledged = acknowledged;
    this.#segments = segments;
    const { segment, next } = newest
      ? this.#goOn(newest.first, newest.content)
      : this.#begin(acknowledged + 1);
    this.#next = next;
    this.#current = segment;
    this.#segments.set(this.#current.first, this.#current.octets);
    this.#removeAcknowledged();
    this.#place = this.#findPlace();
  }

  #begin(next: number): { readonly segment: OpenSegment; readonly next: number } {
    return { segment: OpenSegment.create(this.#folder, next, this.#tallies), next };
  }

  #goOn(first: number, content: SegmentContent): { readonly segment: OpenSegment; readonly next: number } {
    const { header, events, octets } = content;
    for (const [name, amount] of Object.entries(header.tallies)) this.#tallies.set(name, amount);
    for (const event of events) {
      // Each line has a checksum: what is read is what `append` wrote.
      if (event === undefined) this.#damaged++;
      else this.#tally(event as Event);
    }
    const next = first + events.length;
    if (this.#acknowledged < next) return { segment: OpenSegment.resume(this.#folder, first, octets), next };
    // A power cut took events that the dashboard has: their numbers must not be used again.
    return this.#begin(this.#acknowledged + 1);
  }

  #path(first: number): string {
    return join(this.#folder, segmentName(first));
  }

  #tally(event: Event): void {
    const tally = this.#tallyOf(event);
    if (tally) this.#tallies.set(tally.name, this.tally(tally.name) + tally.amount);
  }

  /** Sum of a name over all events that were ever taken. */
  tally(name: string): number {
    return this.#tallies.get(name) ?? 0;
  }

  get tallies(): ReadonlyMap<string, number> {
    return this.#tallies;
  }

  /** Events that wait to be acknowledged. */
  get waiting(): number {
    return this.#next - 1 - this.#acknowledged;
  }

  get octets(): number {
    let sum = 0;
    for (const octets of this.#segments.values()) sum += octets;
    return sum;
  }

  /** Lines that failed their check when the spool was opened: the disk is damaged. */
  get damagedLines(): number {
    return this.#damaged;
  }

  /**
   * Takes events, in order, and gives them their ids. False if there is no room: then none was taken.
   * @throws the error of the file system unless the disk is full
   */
  append(events: readonly Unnumbered<Event>[]): boolean {
    if (events.length === 0) return true;
    const numbered = events.map((event, index) => this.#number(event, this.#next + index));
    const lines = Buffer.from(numbered.map(checkedLine).join(""));
    if (this.octets + lines.length > this.#settings.maximumOctets) return false;
    try {
      this.#rotate();
      this.#current.append(lines);
      if (this.#settings.sync === "always") this.#current.sync();
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
    this.#segments.set(this.#current.first, this.#current.octets);
    this.#next += numbered.length;
    for (const event of numbered) this.#tally(event);
    this.#wake?.();
    return true;
  }

  #number(event: Unnumbered<Event>, number: number): Event {
    return { ...event, id: `${this.#id}-${number}` } as unknown as Event;
  }

  #rotate(): void {
    const { segmentOctets, maximumOctets } = this.#settings;
    if (this.#current.octets < Math.min(segmentOctets, maximumOctets / 4)) return;
    this.#current.sync();
    const next = OpenSegment.create(this.#folder, this.#next, this.#tallies);
    this.#current.close();
    this.#current = next;
    this.#segments.set(next.first, next.octets);
    this.#leaveSegment();
  }

  /**
   * The oldest events that are not acknowledged, all of one segment; undefined if there are none. They are on the disk
   * before they are given, so that no power cut gives their ids to others.
   */
  next(mostEvents: number, mostOctets: number): SpooledBatch | undefined {
    if (this.waiting === 0) return undefined;
    this.#current.sync();
    const { segment, offset } = this.#place;
    const size = this.#segments.get(segment) ?? 0;
    const lines = readLines(this.#path(segment), offset, size, mostOctets).slice(0, mostEvents);
    // A damaged end of a segment holds nothing that could be sent.
    if (lines.length === 0)
      return { lines: "", events: 0, last: this.#lastOf(segment), octets: size - offset };
    const whole = lines.map(checkedJson).filter((json) => json !== undefined);
    return {
      lines: whole.map((json) => `${json}\n`).join(""),
      events: whole.length,
      last: this.#acknowledged + lines.length,
      octets: lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
    };
  }

  /** The oldest event that is not acknowledged, if it can be read. */
  oldest(): Event | undefined {
    const [line] = this.next(1, 4096)?.lines.split("\n") ?? [];
    return line ? (JSON.parse(line) as Event) : undefined;
  }

  #lastOf(segment: number): number {
    for (const first of this.#segments.keys()) if (first > segment) return first - 1;
    return this.#next - 1;
  }

  /** Notes that the dashboard has the events of the batch that `next` gave last. */
  acknowledge(batch: SpooledBatch): void {
    replaceFileSoon(join(this.#folder, acknowledgedFile), `${batch.last}\n`);
    this.#acknowledged = batch.last;
    this.#place = { segment: this.#place.segment, offset: this.#place.offset + batch.octets };
    this.#leaveSegment();
  }

  /** At the end of a segment that is written no more, goes on to the next one. */
  #leaveSegment(): void {
    if (this.#place.segment === this.#current.first) return;
    if (this.#place.offset < (this.#segments.get(this.#place.segment) ?? 0)) return;
    this.#removeAcknowledged();
    this.#place = this.#findPlace();
  }

  #removeAcknowledged(): void {
    const firsts = [...this.#segments.keys()];
    for (const [index, first] of firsts.entries()) {
      const following = firsts[index + 1];
      if (following === undefined || following > this.#acknowledged + 1) return;
      rmSync(this.#path(first), { force: true });
      this.#segments.delete(first);
    }
  }

  #findPlace(): Place {
    const [segment = this.#current.first] = this.#segments.keys();
    // The header, and what is acknowledged of a segment of which something is not.
    const skipped = 1 + Math.max(0, this.#acknowledged + 1 - segment);
    const content = readFileSync(this.#path(segment));
    let offset = 0;
    for (let line = 0; line < skipped; line++) {
      const end = content.indexOf(10, offset);
      offset = end < 0 ? content.length : end + 1;
    }
    // Numbers that a lost tail left unused.
    this.#acknowledged = Math.max(this.#acknowledged, segment - 1);
    return { segment, offset };
  }

  /** Resolves when there are events to send, or the signal aborts. */
  async waitForEvents(signal: AbortSignal): Promise<void> {
    if (this.waiting > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  close(): void {
    this.#current.sync();
    this.#current.close();
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
