/**
 * The gap filler: marks what leaves by an interface without a TCP socket, as resets of closed ports and raw packets
 * (live-agent/kernel/mark-gaps.bpf.c). It is there only for interfaces that the settings name.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { removeEmptyQdisc, runTc } from "../enforcement/alter.ts";
import { bpftool } from "./bpftool.ts";
import type { KernelPlace } from "./kernel-marks.ts";
import { mapPin, requireObject, shippedObjects } from "./kernel-marks.ts";

/** Its place among the filters of an interface; the enforcement's stands behind it. */
const filterPlace = ["egress", "prio", "48", "handle", "0x7b"];
const programName = "tattle_gaps";

/**
 * Puts the program on these interfaces, where it is not yet, and takes it from others.
 * @throws KernelError if kernel or tc refuses it
 */
export async function fillGaps(place: KernelPlace, interfaces: readonly string[]): Promise<void> {
  for (const name of await listFilled(place)) if (!interfaces.includes(name)) await remove(place, name);
  const missing = await listUnfilled(place, interfaces);
  if (missing.length === 0) return;
  const pin = await load(place);
  for (const name of missing) {
    const { stdout } = await runTc(place.run, ["-j", "qdisc", "show", "dev", name]);
    if (!stdout.includes('"clsact"')) await runTc(place.run, ["qdisc", "add", "dev", name, "clsact"]);
    const filter = `filter replace dev ${name} ${filterPlace.join(" ")} protocol all bpf direct-action`;
    await runTc(place.run, [...filter.split(" "), "object-pinned", pin]);
  }
}

/** The interfaces among these that lack the program. */
export async function listUnfilled(place: KernelPlace, interfaces: readonly string[]): Promise<string[]> {
  if (interfaces.length === 0) return [];
  const filled = await listFilled(place);
  return interfaces.filter((name) => !filled.includes(name));
}

async function load({ run, pinFolder }: KernelPlace): Promise<string> {
  const pin = join(pinFolder, "gaps");
  if (existsSync(pin)) return pin;
  requireObject(shippedObjects.gaps);
  const names = ["tattle_marks", "tattle_counts", "tattle_keys"] as const;
  const maps = names.flatMap((name) => ["map", "name", name, "pinned", mapPin(pinFolder, name)]);
  await bpftool(run, ["prog", "load", shippedObjects.gaps, pin, "type", "classifier", ...maps]);
  return pin;
}

async function listFilled({ run }: KernelPlace): Promise<string[]> {
  const { stdout } = await runTc(run, ["qdisc", "show"]);
  const names = [...stdout.matchAll(/^qdisc clsact \S+ dev (\S+)/gm)].map(([, name = ""]) => name);
  const filled: string[] = [];
  for (const name of names) {
    const filters = await runTc(run, ["filter", "show", "dev", name, "egress"]);
    if (filters.stdout.includes(programName)) filled.push(name);
  }
  return filled;
}

async function remove({ run }: KernelPlace, name: string): Promise<void> {
  await runTc(run, ["filter", "delete", "dev", name, ...filterPlace, "bpf"]);
  await removeEmptyQdisc(run, name);
}
