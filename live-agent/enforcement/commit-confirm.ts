/**
 * Rules that go back to what they were unless somebody confirms them in time: for changes made from afar, which may cut
 * off the one who makes them. A process of its own does that, so it happens also when the agent is killed.
 *
 * The state is one file. Confirming and reverting both begin by renaming it, and only one can: rename is atomic.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachZeroing, listZeroing } from "./alter.ts";
import type { AlterSettings } from "./alter.ts";
import { attachReturns, listReturns } from "./alter-at-host.ts";
import { readTables, restore } from "./iptables.ts";
import type { Backend, Iptables } from "./iptables.ts";
import { KernelError } from "./kernel-error.ts";
import { defaultMarkShift } from "./packet-place.ts";
import type { Family } from "./packet-place.ts";
import { correct, rememberRules } from "./restore-text.ts";
import type { RunCommand } from "./run-command.ts";
import type { Ruleset } from "./chains.ts";

export const defaultConfirmSeconds = 60;

export interface CommitSettings {
  /** Holds the state; made if it does not exist, for its owner only. */
  readonly folder: string;
  /** Seconds until the rules go back. */
  readonly seconds: number;
  /** Starts a process that calls `revertUnlessConfirmed` with the folder, which is added as its last argument. */
  readonly guardCommand: readonly string[];
}

interface PendingCommit {
  /** Tells this change from a later one: the guard of a change that was confirmed must not end another. */
  readonly id: string;
  readonly seconds: number;
  readonly backend: Backend;
  readonly lockWaitSeconds: number;
  /** What was before, a set of rules for each family. */
  readonly rulesets: readonly Ruleset[];
  readonly zeroing: {
    readonly object: string;
    readonly interfaces: readonly string[];
    /** Interfaces that zeroed packets are led back to. */
    readonly returns: readonly string[];
  };
}

const pendingFile = (folder: string): string => join(folder, "pending.json");
const revertingFile = (folder: string): string => join(folder, "reverting.json");
const revertedFile = (folder: string): string => join(folder, "reverted.json");

/** How the last change stands. Only the guard may touch the rules while it is `pending` or `reverting`. */
export type CommitState = "none" | "pending" | "reverting" | "reverted";

export function readCommitState(folder: string): CommitState {
  // In this order a state that moves on meanwhile is not missed.
  if (existsSync(pendingFile(folder))) return "pending";
  if (existsSync(revertingFile(folder))) return "reverting";
  return existsSync(revertedFile(folder)) ? "reverted" : "none";
}

/** Forgets that a change was taken back. Whether one was. */
export function forgetRevert(folder: string): boolean {
  const wasReverted = existsSync(revertedFile(folder));
  rmSync(revertedFile(folder), { force: true });
  return wasReverted;
}

/**
 * Remembers the rules as they are and starts the guard; call it before the new rules are applied. Returns the guard's
 * process id.
 * @throws KernelError if another change waits to be confirmed
 */
export async function armRevert(
  point: {
    readonly iptables: Iptables;
    readonly families: readonly Family[];
    readonly alter: AlterSettings;
  },
  settings: CommitSettings,
): Promise<number> {
  const { iptables, families, alter } = point;
  const rulesets: Ruleset[] = [];
  for (const family of families) rulesets.push(rememberRules(family, await readTables(iptables, family)));
  const pending: PendingCommit = {
    id: randomUUID(),
    seconds: settings.seconds,
    backend: iptables.backend,
    lockWaitSeconds: iptables.lockWaitSeconds,
    rulesets,
    zeroing: {
      object: alter.object,
      interfaces: await listZeroing(iptables.run),
      returns: await listReturns(iptables.run),
    },
  };
  mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  forgetRevert(settings.folder);
  writePending(settings.folder, pending);
  try {
    return await startGuard(settings);
  } catch (error) {
    rmSync(pendingFile(settings.folder), { force: true });
    throw error;
  }
}

/** Keeps the rules. False if there is nothing to confirm: confirmed before, or reverted. */
export function confirmCommit(folder: string): boolean {
  const confirmed = join(folder, "confirmed.json");
  if (!renameIfThere(pendingFile(folder), confirmed)) return false;
  rmSync(confirmed, { force: true });
  return true;
}

/** What the guard does: waits, and takes the rules back unless they were confirmed. Whether it took them back. */
export async function revertUnlessConfirmed(folder: string, run: RunCommand): Promise<boolean> {
  const pending = readPending(folder);
  if (!pending) return false;
  await new Promise((resolve) => {
    setTimeout(resolve, pending.seconds * 1000);
  });
  if (readPending(folder)?.id !== pending.id) return false;
  if (!renameIfThere(pendingFile(folder), revertingFile(folder))) return false;
  const { backend, lockWaitSeconds, zeroing } = pending;
  if (zeroing.interfaces.length > 0) {
    await attachZeroing({ object: zeroing.object }, run, zeroing.interfaces, defaultMarkShift);
  }
  if (zeroing.returns.length > 0) {
    await attachReturns({ object: zeroing.object }, run, zeroing.returns, defaultMarkShift);
  }
  for (const wanted of pending.rulesets) {
    const iptables = { backend, lockWaitSeconds, run };
    await restore(iptables, wanted.family, correct(wanted, await readTables(iptables, wanted.family)).text);
  }
  // Stays "reverting" if something above failed: what was to be restored can be read there.
  renameSync(revertingFile(folder), revertedFile(folder));
  return true;
}

/** The file is written by this program into a folder that is the owner's alone. */
function readPending(folder: string): PendingCommit | undefined {
  try {
    return JSON.parse(readFileSync(pendingFile(folder), "utf8")) as PendingCommit;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function writePending(folder: string, pending: PendingCommit): void {
  try {
    writeFileSync(pendingFile(folder), JSON.stringify(pending), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    throw new KernelError("another change waits to be confirmed", `${pendingFile(folder)} exists`);
  }
}

/** In a session of its own: neither the agent's end nor the terminal's ends it. */
async function startGuard({ guardCommand, folder }: CommitSettings): Promise<number> {
  const [command = "", ...commandArguments] = guardCommand;
  const guard = spawn(command, [...commandArguments, folder], { detached: true, stdio: "ignore" });
  await new Promise<void>((resolve, reject) => {
    guard.once("spawn", resolve);
    guard.once("error", (error) => {
      reject(new KernelError(`cannot start the guard ${command}`, error.message));
    });
  });
  guard.unref();
  return guard.pid ?? 0;
}

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
