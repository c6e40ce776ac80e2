/**
 * Connections and listeners older than the marker: an iterator over the sockets of each network namespace makes them
 * ask for the mark, too (live-agent/kernel/mark-adopt.bpf.c). Kernels before 6.12 refuse that.
 */
import { readFileSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { KernelError } from "../enforcement/kernel-error.ts";
import { bpftool, octetWords, property } from "./bpftool.ts";
import type { KernelPlace } from "./kernel-marks.ts";
import { requireObject, shippedObjects } from "./kernel-marks.ts";

export interface Adoption {
  readonly adopted: number;
  /** Sockets that stay as they are, with the reason. */
  readonly refused: number;
  /** Why no socket could be looked at. */
  readonly problem?: string;
}

/** What became of sockets that were there before the program was attached. */
export async function adoptConnections(place: KernelPlace): Promise<Adoption> {
  const pin = join(place.pinFolder, "adopt");
  rmSync(pin, { force: true });
  try {
    requireObject(shippedObjects.adopt);
    await bpftool(place.run, ["iter", "pin", shippedObjects.adopt, pin]);
    await nameCgroup(place, pin);
    return await iterate(place, pin);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { adopted: 0, refused: 0, problem: `${error.message}: ${String(error.cause)}` };
  } finally {
    rmSync(pin, { force: true });
  }
}

/** The program touches sockets of this cgroup alone; until it knows which, none. */
async function nameCgroup({ run, cgroup }: KernelPlace, pin: string): Promise<void> {
  const link: unknown = JSON.parse(await bpftool(run, ["link", "show", "pinned", pin]));
  const program: unknown = JSON.parse(
    await bpftool(run, ["prog", "show", "id", String(property(link, "prog_id"))]),
  );
  const maps = property(program, "map_ids");
  const map: unknown = Array.isArray(maps) ? maps[0] : undefined;
  const id = new DataView(new ArrayBuffer(8));
  id.setBigUint64(0, statSync(cgroup, { bigint: true }).ino, true);
  const value = octetWords(new Uint8Array(id.buffer));
  await bpftool(run, ["map", "update", "id", String(map), "key", "0", "0", "0", "0", "value", ...value]);
}

async function iterate({ run }: KernelPlace, pin: string): Promise<Adoption> {
  let [adopted, refused] = [0, 0];
  for (const namespace of findNetworkNamespaces()) {
    const { status, stdout } = await run("nsenter", [`--net=${namespace}`, "cat", pin]);
    // The last process of a namespace may have ended meanwhile.
    if (status !== 0) continue;
    adopted += stdout.split("+").length - 1;
    refused += stdout.split("-").length - 1;
  }
  return { adopted, refused };
}

/** One file for each network namespace that a process is in. */
function findNetworkNamespaces(): string[] {
  const files = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const file = `/proc/${pid}/ns/net`;
    try {
      const identity = readlinkSync(file);
      if (!files.has(identity)) files.set(identity, file);
    } catch {
      // The process has ended.
    }
  }
  return [...files.values()];
}

/** Folder of the cgroup2 root; undefined if none is mounted. */
export function findCgroupRoot(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
}
