/**
 * One file of the spool: a header line, then one line an event. Its name is the number of its first event. The header
 * holds the tallies of everything before it, so that the last segment alone tells the totals since the spool began.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { syncFolder, writeWhole } from "./atomic-file.ts";
import { checkedLine, readCheckedLine } from "./checked-line.ts";

/** Sums by name, as `event drop:leaks`. */
export type Tallies = ReadonlyMap<string, number>;

export interface SegmentHeader {
  readonly tallies: Readonly<Record<string, number>>;
}

export interface SegmentContent {
  readonly header: SegmentHeader;
  /** Events in order, undefined where a line is damaged. */
  readonly events: readonly unknown[];
  /** Octets up to the last whole line. */
  readonly octets: number;
}

export function segmentName(first: number): string {
  return `${String(first).padStart(16, "0")}.events`;
}

/** Number of a segment's first event by its name, or undefined if the file is none. */
export function firstOf(name: string): number | undefined {
  return /^\d{16}\.events$/.test(name) ? Number(name.slice(0, 16)) : undefined;
}

/** What a segment holds; undefined if a crash left it without a header. */
export function readSegment(path: string): SegmentContent | undefined {
  const content = readFileSync(path);
  const octets = content.lastIndexOf(10) + 1;
  const [first = "", ...lines] = content.toString("utf8", 0, octets).split("\n").slice(0, -1);
  const header = readCheckedLine(first);
  if (!header) return undefined;
  const events = lines.map((line) => readCheckedLine(line)?.value);
  return { header: header.value as SegmentHeader, events, octets };
}

/** The segment that is written to. */
export class OpenSegment {
  readonly first: number;
  readonly path: string;
  readonly #file: number;
  #octets: number;
  #hasUnsynced = false;

  private constructor(first: number, path: string, file: number, octets: number) {
    this.first = first;
    this.path = path;
    this.#file = file;
    this.#octets = octets;
  }

  /** A new one; on return its header is on the disk. */
  static create(folder: string, first: number, tallies: Tallies): OpenSegment {
    const path = `${folder}/${segmentName(first)}`;
    const header = Buffer.from(checkedLine({ tallies: Object.fromEntries(tallies) } satisfies SegmentHeader));
    rmSync(path, { force: true });
    const file = openSync(path, "a", 0o600);
    try {
      writeWhole(file, header);
      fsyncSync(file);
      syncFolder(folder);
    } catch (error) {
      closeSync(file);
      rmSync(path, { force: true });
      throw error;
    }
    return new OpenSegment(first, path, file, header.length);
  }

  /** Goes on with one, after its last whole line. */
  static resume(folder: string, first: number, octets: number): OpenSegment {
    const path = `${folder}/${segmentName(first)}`;
    const file = openSync(path, "a");
    ftruncateSync(file, octets);
    return new OpenSegment(first, path, file, octets);
  }

  get octets(): number {
    return this.#octets;
  }

  /** Writes all of the lines or nothing. @throws the error of the file system, as ENOSPC. */
  append(lines: Buffer): void {
    try {
      writeWhole(this.#file, lines);
    } catch (error) {
      ftruncateSync(this.#file, this.#octets);
      throw error;
    }
    this.#octets += lines.length;
    this.#hasUnsynced = true;
  }

  /** On return everything written outlives a power cut. */
  sync(): void {
    if (this.#hasUnsynced) fdatasyncSync(this.#file);
    this.#hasUnsynced = false;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The whole lines of a file from an offset on, of at most `longest` octets, but one at least. */
export function readLines(path: string, offset: number, size: number, longest: number): string[] {
  for (let octets = longest; ; octets *= 2) {
    const part = readPart(path, offset, Math.min(octets, size - offset));
    const whole = part.lastIndexOf(10) + 1;
    if (whole > 0) return part.toString("utf8", 0, whole).split("\n").slice(0, -1);
    if (offset + octets >= size) return [];
  }
}

/** Octets of a file from an offset, at most `longest`. */
function readPart(path: string, offset: number, longest: number): Buffer {
  const file = openSync(path, "r");
  try {
    const part = Buffer.allocUnsafe(longest);
    return part.subarray(0, readSync(file, part, 0, longest, offset));
  } finally {
    closeSync(file);
  }
}
