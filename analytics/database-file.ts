/**
 * Which database files this process has open. By device and inode too, so that a second name (a link) is no way around.
 * Nothing here opens the file of an open database: POSIX locks are dropped when a process closes any descriptor of it.
 */
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isMainThread } from "node:worker_threads";
import { DatabaseError } from "./database-error.ts";

export interface FileClaim {
  /** Absolute, without links. */
  readonly path: string;
  /** To be called once the file exists. */
  confirm(): void;
  release(): void;
}

// On the global object, because a process may load this module twice (sources and build).
const registryKey: unique symbol = Symbol.for("tattle.open-databases");
const globals = globalThis as typeof globalThis & { [registryKey]?: Set<string> | undefined };
const open = globals[registryKey] ?? new Set<string>();
globals[registryKey] = open;

/**
 * Claims `path` for one open database.
 * @throws DatabaseError if this process has it open, if its folder is missing, or if it is no DuckDB file.
 */
export function claimFile(path: string): FileClaim {
  if (!isMainThread) {
    // A worker thread has globals of its own, so the registry could not see the other threads' databases.
    throw new DatabaseError("cannot be opened", `${path}: a database is opened by the main thread only`);
  }
  const real = canonicalPath(path);
  const keys = [real];
  const inode = inodeKey(real);
  if (inode !== undefined) keys.push(inode);
  if (keys.some((key) => open.has(key))) {
    throw new DatabaseError("open in this process", `${path}: this process has the database open already`);
  }
  if (inode !== undefined) refuseForeignFile(real);
  for (const key of keys) open.add(key);
  return {
    path: real,
    confirm: () => {
      const created = inodeKey(real);
      if (created === undefined || keys.includes(created)) return;
      keys.push(created);
      open.add(created);
    },
    release: () => {
      for (const key of keys) open.delete(key);
    },
  };
}

function canonicalPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    // Not there yet: DuckDB creates it.
  }
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch (cause) {
    throw new DatabaseError("folder missing", `${path}: the folder ${dirname(absolute)} does not exist`, {
      cause,
    });
  }
}

function inodeKey(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status && `${status.dev}:${status.ino}`;
}

function refuseForeignFile(path: string): void {
  if (!statSync(path).isFile()) throw new DatabaseError("not a file", `${path}: not a regular file`);
  // DuckDB would try to load an extension for other databases' files. Its own have this word behind a checksum.
  const header = Buffer.alloc(12);
  const descriptor = openForReading(path);
  const octets = readSync(descriptor, header, 0, 12, 0);
  closeSync(descriptor);
  if (octets < 12 || header.toString("latin1", 8) !== "DUCK") {
    throw new DatabaseError("not a database", `${path}: not a DuckDB database`);
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseError("cannot be opened", `${path}: ${reason}`, { cause });
  }
}
