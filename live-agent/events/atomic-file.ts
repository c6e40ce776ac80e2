/** Files that are either the old content or the new one, whatever happens in between (rename(2) is atomic). */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Replaces the file; on return the new content outlives a power cut. Mode 0600: what an agent saw is nobody else's. */
export function replaceFile(path: string, content: string): void {
  replaceBy(path, content, true);
  syncFolder(dirname(path));
}

/** Replaces the file without waiting for the disk: a kill leaves the old or the new content, a power cut perhaps neither. */
export function replaceFileSoon(path: string, content: string): void {
  replaceBy(path, content, false);
}

function replaceBy(path: string, content: string, sync: boolean): void {
  const beside = `${path}.new`;
  try {
    writeNew(beside, content, sync);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function writeNew(path: string, content: string, sync: boolean): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeWhole(file, Buffer.from(content));
    if (sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes names made, renamed or removed in a folder outlive a power cut. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** write(2) may write less than it was given, as when the disk becomes full; the next call then says why. */
export function writeWhole(file: number, octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) at += writeSync(file, octets, at);
}
