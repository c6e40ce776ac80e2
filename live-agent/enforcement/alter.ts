/**
 * The program that zeroes payloads: loaded by tc at the egress of the outside interfaces, told by the packet mark which
 * packets (live-agent/kernel/zero-payload.bpf.c). It is there before the rules that rely on it.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KernelError } from "./kernel-error.ts";
import { defaultMarkShift } from "./packet-place.ts";
import type { RunCommand } from "./run-command.ts";

/** Where the package has the compiled program, if clang was there when it was made. */
export const shippedObject = fileURLToPath(new URL("../kernel/zero-payload.bpf.o", import.meta.url));

export interface AlterSettings {
  /** File of the compiled program. */
  readonly object: string;
}

/** The programs within the object file: at egress of a router, and of what leads back to an end host (alter-at-host.ts). */
export const zeroingPrograms = { FORWARD: "tc", INPUT: "classifier/return" } as const;
const section = zeroingPrograms.FORWARD;
/** Its place among other filters of an interface. */
const filterPlace = ["egress", "prio", "49", "handle", "0x7a"];

/**
 * Puts the program on these interfaces; replaces it where it is.
 * @throws KernelError if the object is missing or the kernel refuses it
 */
export async function attachZeroing(
  alter: AlterSettings,
  run: RunCommand,
  interfaces: readonly string[],
  markShift: number,
): Promise<void> {
  refuseWithoutProgram(alter, markShift);
  for (const name of interfaces) {
    const { stdout } = await runTc(run, ["-j", "qdisc", "show", "dev", name]);
    if (!stdout.includes('"clsact"')) await runTc(run, ["qdisc", "add", "dev", name, "clsact"]);
    const filter = `filter replace dev ${name} ${filterPlace.join(" ")} protocol all bpf direct-action`;
    await runTc(run, [...filter.split(" "), "object-file", alter.object, "section", section]);
  }
}

/** @throws KernelError if no payload can be zeroed here, whatever the kernel says */
export function refuseWithoutProgram(alter: AlterSettings, markShift: number): void {
  if (markShift !== defaultMarkShift) {
    throw new KernelError(
      `alter needs markShift ${defaultMarkShift}, got ${markShift}`,
      "the compiled program reads the packet mark there",
    );
  }
  if (!existsSync(alter.object)) {
    throw new KernelError(
      `alter needs ${alter.object}, which does not exist`,
      "npm run build:bpf makes it; it needs clang and libbpf-dev",
    );
  }
}

export async function isZeroingAttached(run: RunCommand, name: string): Promise<boolean> {
  const { status, stdout } = await run("tc", ["filter", "show", "dev", name, "egress"]);
  return status === 0 && showsFilter(stdout, section);
}

/**
 * Whether tc shows our filter. By its handle and section: the program's own name is shown to CAP_SYS_ADMIN only
 * (BPF_PROG_GET_FD_BY_ID), and the agent runs with less.
 */
export function showsFilter(shown: string, wanted: string): boolean {
  return shown.split("\n").some((line) => line.includes("handle 0x7a ") && line.includes(`:[${wanted}] `));
}

/** Interfaces on which the program is. */
export async function listZeroing(run: RunCommand): Promise<string[]> {
  const names: string[] = [];
  for (const name of await listInterfaces(run)) {
    if (await isZeroingAttached(run, name)) names.push(name);
  }
  return names;
}

/** Takes the program from every interface but these. */
export async function detachZeroing(run: RunCommand, kept: readonly string[] = []): Promise<void> {
  for (const name of await listZeroing(run)) {
    if (kept.includes(name)) continue;
    await runTc(run, ["filter", "delete", "dev", name, ...filterPlace, "bpf"]);
    await removeEmptyQdisc(run, name);
  }
}

/** Another program may have filters of its own there; without any the qdisc only costs. */
export async function removeEmptyQdisc(run: RunCommand, name: string): Promise<void> {
  for (const direction of ["ingress", "egress"]) {
    const { stdout } = await runTc(run, ["filter", "show", "dev", name, direction]);
    if (stdout.trim() !== "") return;
  }
  await runTc(run, ["qdisc", "delete", "dev", name, "clsact"]);
}

/** Interfaces with a place for such programs; none if there is no tc. */
async function listInterfaces(run: RunCommand): Promise<string[]> {
  try {
    const { stdout } = await runTc(run, ["qdisc", "show"]);
    return [...stdout.matchAll(/^qdisc clsact \S+ dev (\S+)/gm)].map(([, name = ""]) => name);
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
}

/** @throws KernelError with the words of tc */
export async function runTc(
  run: RunCommand,
  commandArguments: readonly string[],
  input?: string,
): Promise<{ stdout: string }> {
  const { status, stdout, stderr } = await run("tc", commandArguments, input);
  if (status === 0) return { stdout };
  throw new KernelError(`tc ${commandArguments.join(" ")} failed with status ${status}`, stderr);
}
