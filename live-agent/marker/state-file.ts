/**
 * The state of the marker on disk: only for its owner, replaced as a whole, changed by one process at a time. Whoever
 * may write here could silence the host, so a folder that others may write to is refused.
 */
import { spawn } from "node:child_process";
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../events/atomic-file.ts";
import { emptyState, formatState, parseState } from "./mark-state.ts";
import type { MarkState } from "./mark-state.ts";

const longestWaitMs = 20_000;
const writableByOthers = 0o022;

export class StateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StateError";
  }
}

/**
 * Runs `work` while no other process does; what it leaves behind is released by the kernel, whatever ends the process.
 * @throws StateError if another holds the state for too long
 */
export async function withLockedState<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  openFolder(folder);
  const lock = openSync(join(folder, "mark.lock"), "a", 0o600);
  try {
    await lockFile(lock, folder);
    return await work();
  } finally {
    closeSync(lock);
  }
}

/** flock(1) locks the open file, which is ours as much as its own, and which stays locked until we close it. */
async function lockFile(file: number, folder: string): Promise<void> {
  const child = spawn("flock", ["-x", "3"], {
    stdio: ["ignore", "ignore", "ignore", file],
    timeout: longestWaitMs,
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (error) => {
      reject(new StateError(`cannot run flock: ${error.message}`, { cause: error }));
    });
  });
  if (status !== 0) throw new StateError(`another process has held ${folder} for ${longestWaitMs / 1000} s`);
}

/**
 * The state; an empty one if nothing was ever said.
 * @throws StateError if the file is not a state: guessing could silence the host
 */
export function readState(folder: string): MarkState {
  const path = stateFile(folder);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return emptyState;
    throw error;
  }
  const state = parseState(text);
  if (!state) throw new StateError(`${path}: not a state of the marker; tattle mark clear makes a new one`);
  return state;
}

/** On return the state outlives a power cut. The caller holds the lock. */
export function writeState(folder: string, state: MarkState): void {
  replaceFile(stateFile(folder), formatState(state));
}

export function stateFile(folder: string): string {
  return join(folder, "mark.json");
}

function openFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(folder);
  if ((mode & writableByOthers) !== 0 || (uid !== 0 && uid !== process.getuid?.()))
    throw new StateError(
      `${folder}: others may write to it (mode ${(mode & 0o777).toString(8)}, owner ${uid})`,
    );
}
