/**
 * The marking program in the kernel: loaded once, attached to a cgroup beside whatever else is there, found again by its
 * pins. It marks on until it is detached, whether tattle runs or not.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";
import { markValueOctets, withStamp } from "./mark-value.ts";
import { askBpftool, bpftool, octetWords, parseOctetWords, property } from "./bpftool.ts";

/** Where the package has the compiled programs, if clang was there when it was made. */
export const shippedObjects = {
  sockets: fileURLToPath(new URL("../kernel/mark-sockets.bpf.o", import.meta.url)),
  adopt: fileURLToPath(new URL("../kernel/mark-adopt.bpf.o", import.meta.url)),
  gaps: fileURLToPath(new URL("../kernel/mark-gaps.bpf.o", import.meta.url)),
} as const;

export interface KernelPlace {
  readonly run: RunCommand;
  /** Folder in a bpf file system. */
  readonly pinFolder: string;
  /** Folder of the cgroup. */
  readonly cgroup: string;
}

/** Packets since the program was loaded, by what became of their mark. */
export interface PacketCounts {
  /** Carried every record that holds, or the six newest. */
  readonly whole: number;
  /** Carried fewer, because other options took the room. */
  readonly shortened: number;
  /** Had room for none. */
  readonly unmarked: number;
}

const key = ["key", "0", "0", "0", "0"];
const attachType = "sock_ops";
const programName = "tattle_mark";

export function programPin(pinFolder: string): string {
  return join(pinFolder, "program");
}

/** Maps that the programs share. */
export function mapPin(pinFolder: string, name: "tattle_marks" | "tattle_counts" | "tattle_keys"): string {
  return join(pinFolder, name);
}

function marksPin(pinFolder: string): string {
  return mapPin(pinFolder, "tattle_marks");
}

/**
 * Loads the program if it is not there. Its map is empty then: nothing is marked.
 * @throws KernelError if the object is missing or the kernel refuses it
 */
export async function loadProgram({ run, pinFolder }: KernelPlace): Promise<void> {
  const pins = [programPin(pinFolder), marksPin(pinFolder)];
  if (pins.every((pin) => existsSync(pin)) && (await takesOurValue(run, pinFolder))) return;
  requireObject(shippedObjects.sockets);
  // A half is what a kill between two pins leaves; none of it can be used.
  removePins(pinFolder);
  mkdirSync(pinFolder, { recursive: true, mode: 0o700 });
  const load = ["prog", "load", shippedObjects.sockets, programPin(pinFolder), "type", "sockops"];
  await bpftool(run, [...load, "pinmaps", pinFolder]);
}

/** One that an earlier version of tattle loaded may read another structure; it gives way. */
async function takesOurValue(run: RunCommand, pinFolder: string): Promise<boolean> {
  const shown = await askBpftool(run, ["map", "show", "pinned", marksPin(pinFolder)]);
  return property(shown, "bytes_value") === markValueOctets;
}

/** @throws KernelError that says what makes the object */
export function requireObject(path: string): void {
  if (existsSync(path)) return;
  throw new KernelError(
    `the marker needs ${path}, which does not exist`,
    "npm run build:bpf makes it; it needs clang and libbpf-dev",
  );
}

/** Identifier of the loaded program; undefined if there is none. */
export async function findProgram({ run, pinFolder }: KernelPlace): Promise<number | undefined> {
  const shown = await askBpftool(run, ["prog", "show", "pinned", programPin(pinFolder)]);
  const id = property(shown, "id");
  return typeof id === "number" ? id : undefined;
}

/** Whether the loaded program is attached to the cgroup. */
export async function isAttached(place: KernelPlace): Promise<boolean> {
  const id = await findProgram(place);
  return id !== undefined && (await listAttached(place)).includes(id);
}

/**
 * Attaches the loaded program beside those of others (BPF_F_ALLOW_MULTI), and says whether it was not there. One whose
 * pins somebody removed would mark on with its last records, so it goes.
 */
export async function attachProgram(place: KernelPlace): Promise<boolean> {
  const own = await findProgram(place);
  const attached = await listAttached(place);
  for (const id of attached) if (id !== own) await detach(place, id);
  if (own === undefined || attached.includes(own)) return false;
  const program = ["pinned", programPin(place.pinFolder)];
  await bpftool(place.run, ["cgroup", "attach", place.cgroup, attachType, ...program, "multi"]);
  return true;
}

export async function detachProgram(place: KernelPlace): Promise<void> {
  for (const id of await listAttached(place)) await detach(place, id);
}

async function detach({ run, cgroup }: KernelPlace, id: number): Promise<void> {
  await bpftool(run, ["cgroup", "detach", cgroup, attachType, "id", String(id)]);
}

/** Identifiers of marking programs at the cgroup, ours or an earlier one's. */
async function listAttached({ run, cgroup }: KernelPlace): Promise<number[]> {
  if (!existsSync(cgroup)) return [];
  const shown = await askBpftool(run, ["cgroup", "show", cgroup]);
  const entries = Array.isArray(shown) ? (shown as unknown[]) : [];
  return entries.flatMap((entry) => {
    const id = property(entry, "id");
    return property(entry, "name") === programName && typeof id === "number" ? [id] : [];
  });
}

/** Forgets program and maps; the kernel frees them when nothing is attached any more. */
export function removePins(pinFolder: string): void {
  for (const name of ["program", "gaps", "tattle_marks", "tattle_counts", "tattle_keys", "tattle_sockets"])
    rmSync(join(pinFolder, name), { force: true });
}

/** Puts the mark on the next packet, and on all after it. */
export async function writeMarkValue({ run, pinFolder }: KernelPlace, value: Uint8Array): Promise<void> {
  const words = octetWords(withStamp(value, randomBytes(8)));
  await bpftool(run, ["map", "update", "pinned", marksPin(pinFolder), ...key, "value", ...words]);
}

/** Ends marking with the next packet. */
export async function removeMarkValue(place: KernelPlace): Promise<void> {
  if ((await readMarkValue(place)) === undefined) return;
  await bpftool(place.run, ["map", "delete", "pinned", marksPin(place.pinFolder), ...key]);
}

/** What the program writes now; undefined if nothing. */
export async function readMarkValue({ run, pinFolder }: KernelPlace): Promise<Uint8Array | undefined> {
  const shown = await askBpftool(run, ["map", "dump", "pinned", marksPin(pinFolder)]);
  const [entry] = Array.isArray(shown) ? (shown as unknown[]) : [];
  return parseOctetWords(property(entry, "value"));
}

export async function readPacketCounts({ run, pinFolder }: KernelPlace): Promise<PacketCounts | undefined> {
  const shown = await askBpftool(run, ["map", "dump", "pinned", mapPin(pinFolder, "tattle_counts")]);
  if (!Array.isArray(shown)) return undefined;
  const [whole = 0, shortened = 0, unmarked = 0] = shown.map((entry: unknown) => {
    const values = property(entry, "values");
    const sums = Array.isArray(values)
      ? values.map((value: unknown) => readU64(property(value, "value")))
      : [];
    return sums.reduce((sum, count) => sum + count, 0);
  });
  return { whole, shortened, unmarked };
}

function readU64(words: unknown): number {
  const octets = parseOctetWords(words);
  return octets?.length === 8 ? Number(new DataView(octets.buffer).getBigUint64(0, true)) : 0;
}
