/**
 * One agent for a state folder, and one for a network namespace. Node has no flock(2), so a lock is a file that names
 * its process by id and start time: a killed agent leaves nothing that would have to be cleaned up by hand.
 */
import { linkSync, mkdirSync, readFileSync, readlinkSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pid } from "node:process";

export class AgentRunsError extends Error {
  readonly processId: number;

  constructor(processId: number, lock: string) {
    super(`an agent runs already: process ${processId}, says ${lock}`);
    this.name = "AgentRunsError";
    this.processId = processId;
  }
}

export interface AgentLock {
  release(): void;
}

/** Where the lock of this network namespace is: its rules have one owner, whatever the owners' state folders are. */
export function namespaceLock(folder: string): string {
  return join(folder, `agent-${/\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0] ?? "0"}.lock`);
}

/** Another process takes a stale lock away for a moment; longer is a crash in between. */
const takeoverTries = 200;

/** @throws AgentRunsError if the process that holds it lives. */
export function acquireLock(path: string): AgentLock {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const own = describeProcess(pid) ?? String(pid);
  const mine = `${path}.${pid}`;
  writeFileSync(mine, own, { mode: 0o600 });
  try {
    for (let tries = 0; ; tries++) {
      if (ignoring("EEXIST", () => linkSync(mine, path))) break;
      removeStale(path, tries);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return { release: () => rmSync(path, { force: true }) };
}

/** The process id of the agent that holds the lock, if one does. */
export function lockHolder(path: string): number | undefined {
  const holder = readLock(path);
  const processId = Number(holder?.split(" ")[0]);
  return holder !== undefined && describeProcess(processId) === holder ? processId : undefined;
}

/** Between reading a stale lock and removing it somebody else may have done the same: that is one at a time. */
function removeStale(path: string, tries: number): void {
  const holder = lockHolder(path);
  if (holder !== undefined) throw new AgentRunsError(holder, path);
  const takeover = `${path}.takeover`;
  if (!ignoring("EEXIST", () => mkdirSync(takeover))) {
    if (tries > takeoverTries) rmdirSync(takeover);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return;
  }
  try {
    if (lockHolder(path) === undefined) rmSync(path, { force: true });
  } finally {
    rmdirSync(takeover);
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // Absent, or another user's: whoever wants the lock meets that when making it.
    if (hasCode(error, "ENOENT") || hasCode(error, "EACCES")) return undefined;
    throw error;
  }
}

/** Process id, boot and start time (proc(5), field 22 of stat): no other process ever has the same. */
function describeProcess(processId: number): string | undefined {
  if (!Number.isInteger(processId) || processId <= 0) return undefined;
  let stat = "";
  if (!ignoring("ENOENT", () => (stat = readFileSync(`/proc/${processId}/stat`, "utf8")))) return undefined;
  // The name of the program, in parentheses, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return `${processId} ${bootId()} ${fields[19] ?? ""}`;
}

/** Of this boot of the machine. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Whether it was done; false if it failed with this code. */
function ignoring(code: string, work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (hasCode(error, code)) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
