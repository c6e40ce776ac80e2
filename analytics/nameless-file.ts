/**
 * A file that has no name from the moment it is there: nobody else can open it, and it is gone with its descriptor, in
 * whatever way the process ends.
 */
import { randomUUID } from "node:crypto";
import { openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { DatabaseError } from "./database-error.ts";

/** Where files beside a database go: the database's own folder is the one that has room for what it holds. */
export function folderBeside(databasePath: string): string {
  return isAbsolute(databasePath) ? dirname(databasePath) : tmpdir();
}

/**
 * Descriptor of a new one in `folder`, to read and to write.
 * @throws DatabaseError "no room" if nothing can be made there for want of space
 */
export function openNameless(folder: string): number {
  const path = join(folder, `.tattle-${randomUUID()}.spool`);
  try {
    const descriptor = openSync(path, "wx+", 0o600);
    rmSync(path);
    return descriptor;
  } catch (error) {
    throw explainFull(folder, error);
  }
}

/** What a failed write into `folder` is to its caller: "no room" where that is the reason. */
export function explainFull(folder: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const isFull = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
  return isFull ? noRoom(folder, "no space left on device", error) : error;
}

export function noRoom(folder: string, reason: string, cause?: unknown): DatabaseError {
  const message = `${folder}: ${reason}; nothing of this capture was kept`;
  return new DatabaseError("no room", message, { cause });
}
