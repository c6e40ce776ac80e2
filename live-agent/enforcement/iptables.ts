/** The iptables programs: reads the rules that are present, and applies a text in one transaction a table. */
import { KernelError } from "./kernel-error.ts";
import type { Family } from "./packet-place.ts";
import type { PresentTables } from "./restore-text.ts";
import type { RunCommand } from "./run-command.ts";
import type { TableName } from "./chains.ts";
import { parseSavedTable } from "./saved-rules.ts";
import type { PresentTable } from "./saved-rules.ts";

/** Two sets of programs with the same command line; the kernel keeps their rules apart, and both act. */
export const backends = ["legacy", "nft"] as const;
export type Backend = (typeof backends)[number];

export interface Iptables {
  readonly backend: Backend;
  readonly run: RunCommand;
  /** How long to wait for the lock that programs of the legacy backend share, seconds. */
  readonly lockWaitSeconds: number;
}

export const defaultLockWaitSeconds = 5;

/** `iptables-legacy-restore`, `ip6tables-nft-save` and the like. */
export function programName(backend: Backend, family: Family, verb: "save" | "restore"): string {
  return `${family === 4 ? "iptables" : "ip6tables"}-${backend}-${verb}`;
}

/**
 * The backend that plain `iptables` is here.
 * @throws KernelError if it does not say
 */
export async function detectBackend(run: RunCommand): Promise<Backend> {
  const { stdout, stderr } = await run("iptables", ["--version"]);
  if (stdout.includes("nf_tables")) return "nft";
  if (stdout.includes("legacy")) return "legacy";
  throw new KernelError(
    `iptables --version says ${JSON.stringify(stdout.trim())}, expected legacy or nf_tables`,
    stderr,
  );
}

/** @throws KernelError with what the program said */
export async function readTables(iptables: Iptables, family: Family): Promise<PresentTables> {
  const [mangle, filter] = [
    await readTable(iptables, family, "mangle"),
    await readTable(iptables, family, "filter"),
  ];
  return { mangle, filter };
}

async function readTable(iptables: Iptables, family: Family, table: TableName): Promise<PresentTable> {
  const program = programName(iptables.backend, family, "save");
  const { status, stdout, stderr } = await iptables.run(program, ["-c", "-t", table]);
  if (status !== 0) throw new KernelError(`${program} -c -t ${table} failed with status ${status}`, stderr);
  return parseSavedTable(stdout);
}

/**
 * Applies a text; nothing of a table is changed if one of its lines is refused.
 * @throws KernelError with what the program said
 */
export async function restore(iptables: Iptables, family: Family, text: string): Promise<void> {
  if (text === "") return;
  const program = programName(iptables.backend, family, "restore");
  const { status, stderr } = await iptables.run(program, restoreArguments(iptables), text);
  if (status === 0) return;
  // Status 4 is a resource problem, and the lock is the one that happens (iptables/xshared.h).
  const reason =
    status === 4 && stderr.includes("lock")
      ? `another program held the lock for ${iptables.lockWaitSeconds} s`
      : `status ${status}`;
  throw new KernelError(`${program} changed nothing: ${reason}`, stderr);
}

export function restoreArguments(iptables: Iptables): string[] {
  return ["--noflush", "-w", String(iptables.lockWaitSeconds)];
}

/**
 * How many rules the other backend holds. Rules of both act on each packet, in an order that nobody chose.
 */
export async function countOtherRules(iptables: Iptables, family: Family): Promise<number> {
  const other = iptables.backend === "nft" ? "legacy" : "nft";
  try {
    const { stdout } = await iptables.run(programName(other, family, "save"), []);
    return stdout.split("\n").filter((line) => line.startsWith("-A ")).length;
  } catch (error) {
    // Not installed: it cannot have made rules either.
    if (error instanceof KernelError) return 0;
    throw error;
  }
}
