/**
 * An append-only log of JSON entries in one file, replayed at start. An entry whose `append` returned is there after a
 * crash or a power cut; one that was cut short is not. Rewritten as a whole when its owner says what is still true.
 */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile, syncFolder, writeWhole } from "../events/atomic-file.ts";
import { checkedLine, readCheckedLine } from "../events/checked-line.ts";

export class Journal {
  readonly #path: string;
  #file: number;
  #octets = 0;
  /** Lines at opening that failed their check: at most the last one after a crash, more if the disk is damaged. */
  readonly damagedLines: number;

  /** Opens or makes the file, mode 0600, and hands over its entries in order. */
  constructor(path: string, replay: (entry: unknown) => void) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, "a", 0o600);
    syncFolder(dirname(path));
    this.damagedLines = this.#replay(replay);
  }

  /** Octets in the file. */
  get octets(): number {
    return this.#octets;
  }

  #replay(replay: (entry: unknown) => void): number {
    const content = readFileSync(this.#path);
    const whole = content.lastIndexOf(10) + 1;
    let damaged = whole < content.length ? 1 : 0;
    for (const line of content.toString("utf8", 0, whole).split("\n").slice(0, -1)) {
      const entry = readCheckedLine(line);
      if (entry) replay(entry.value);
      else damaged++;
    }
    // What a crash cut short would make the next entry unreadable too.
    if (whole < content.length) ftruncateSync(this.#file, whole);
    this.#octets = whole;
    return damaged;
  }

  /**
   * Writes one entry; on return it is on the disk.
   * @throws the error of the file system, as ENOSPC; the log is then as it was before.
   */
  append(entry: unknown): void {
    const line = Buffer.from(checkedLine(entry));
    try {
      writeWhole(this.#file, line);
      fsyncSync(this.#file);
    } catch (error) {
      ftruncateSync(this.#file, this.#octets);
      throw error;
    }
    this.#octets += line.length;
  }

  /** Replaces all entries by these, all at once. False if the disk has no room: the log is then longer, and as true. */
  rewrite(entries: Iterable<unknown>): boolean {
    let content = "";
    for (const entry of entries) content += checkedLine(entry);
    try {
      replaceFile(this.#path, content);
    } catch {
      return false;
    }
    closeSync(this.#file);
    this.#file = openSync(this.#path, "a", 0o600);
    this.#octets = Buffer.byteLength(content);
    return true;
  }

  close(): void {
    closeSync(this.#file);
  }
}
