/**
 * The program that checks tags before any rule sees a packet: at the ingress of every interface, for policies whose rules
 * ask for verified or invalid marks (live-agent/kernel/check-tags.bpf.c). Nothing of it is pinned inside a rule. Where it is
 * missing nothing has looked, and conditions count as met where that enforces (policy/decide.ts).
 */
import { existsSync, mkdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TagKey } from "../../policy/check-tag.ts";
import { isAboutTag } from "../../policy/policy.ts";
import type { Policy } from "../../policy/policy.ts";
import { askBpftool, bpftool, octetWords, parseOctetWords, property } from "../marker/bpftool.ts";
import { removeEmptyQdisc, runTc } from "./alter.ts";
import { KernelError } from "./kernel-error.ts";
import { tagBits } from "./packet-place.ts";
import type { RunCommand } from "./run-command.ts";
import { areSameSettings, encodeTagKeys, encodeTagSettings } from "./tag-settings.ts";

export interface TagChecking {
  /** The readers' keys. */
  readonly keys: readonly TagKey[];
  /** File of the compiled program. */
  readonly object: string;
  /** Folder in a bpf file system. */
  readonly pinFolder: string;
  /** When the machine was booted by the clock as it is now, seconds since 1970. */
  readonly bootedAt: () => number;
}

export interface TagCheckingPlace {
  readonly policy: Policy;
  readonly markShift: number;
  readonly tagChecking?: TagChecking;
  readonly iptables: { readonly run: RunCommand };
}

export const shippedTagProgram = fileURLToPath(new URL("../kernel/check-tags.bpf.o", import.meta.url));

const filterPlace = ["ingress", "prio", "48", "handle", "0x7c"];
const shownHandle = "handle 0x7c ";

/** A folder of its own for each network namespace, as agents are. */
export function defaultPinFolder(): string {
  return `/sys/fs/bpf/tattle-agent-${/\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0] ?? "0"}`;
}

/** Whether a rule of the policy asks for what tags are worth. */
export function asksForTags(policy: Policy): boolean {
  return policy.rules.some(({ trust }) => isAboutTag(trust));
}

/**
 * What the policy needs and the kernel lacks; one line each.
 * @throws KernelError if tags cannot be checked here at all
 */
export async function findMissingTagChecks(place: TagCheckingPlace): Promise<string[]> {
  const checking = requireChecking(place);
  if (!checking) return [];
  const { run } = place.iptables;
  const wrong = (await knows(place, checking)) ? [] : ["tags are checked with other keys or another clock"];
  const unchecked = await listUnchecked(run, await findProgram(run, checking));
  return [...wrong, ...unchecked.map((name) => `${name}: no program checks tags at ingress`)];
}

/** Puts there what is missing, and says what was. */
export async function attachMissingTagChecks(place: TagCheckingPlace): Promise<string[]> {
  const missing = await findMissingTagChecks(place);
  const checking = requireChecking(place);
  if (!checking || missing.length === 0) return missing;
  const { run } = place.iptables;
  const isLoaded = (await findProgram(run, checking)) !== undefined && (await readSettings(run, checking));
  if (!isLoaded) await load(run, checking);
  if (!(await knows(place, checking))) await tell(place, checking);
  for (const name of await listUnchecked(run, await findProgram(run, checking))) {
    const { stdout } = await runTc(run, ["-j", "qdisc", "show", "dev", name]);
    if (!stdout.includes('"clsact"')) await runTc(run, ["qdisc", "add", "dev", name, "clsact"]);
    const filter = `filter replace dev ${name} ${filterPlace.join(" ")} protocol all bpf direct-action`;
    await runTc(run, [...filter.split(" "), "object-pinned", programPin(checking)]);
  }
  return missing;
}

/** Leaves neither program nor keys in the kernel. */
export async function detachTagChecks(
  run: RunCommand,
  pinFolder: string = defaultPinFolder(),
): Promise<void> {
  for (const [name, filter] of await readFiltersIfAny(run)) {
    if (filter === undefined) continue;
    await runTc(run, ["filter", "delete", "dev", name, ...filterPlace, "bpf"]);
    await removeEmptyQdisc(run, name);
  }
  rmSync(pinFolder, { recursive: true, force: true });
}

function requireChecking({ policy, markShift, tagChecking }: TagCheckingPlace): TagChecking | undefined {
  if (!asksForTags(policy)) return undefined;
  const rule = policy.rules.findIndex(({ trust }) => isAboutTag(trust));
  const needs = `policy "${policy.name}": rules[${rule}].trust: "${policy.rules[rule]?.trust ?? ""}" needs`;
  if (!tagChecking)
    throw new KernelError(`${needs} the readers' keys`, "markKeys in the agent's configuration");
  if (markShift < tagBits)
    throw new KernelError(
      `${needs} two bits of the packet mark below markShift`,
      `markShift is ${markShift}`,
    );
  if (!existsSync(tagChecking.object))
    throw new KernelError(
      `${needs} ${tagChecking.object}, which does not exist`,
      "npm run build:bpf makes it; it needs clang and libbpf-dev",
    );
  return tagChecking;
}

function programPin({ pinFolder }: TagChecking): string {
  return join(pinFolder, "program");
}

async function load(run: RunCommand, checking: TagChecking): Promise<void> {
  const { pinFolder, object } = checking;
  // A half is what a kill between two pins leaves; none of it can be used.
  rmSync(pinFolder, { recursive: true, force: true });
  mkdirSync(pinFolder, { recursive: true, mode: 0o700 });
  const program = ["prog", "load", object, programPin(checking), "type", "classifier"];
  await bpftool(run, [...program, "pinmaps", pinFolder]);
}

async function findProgram(run: RunCommand, checking: TagChecking): Promise<number | undefined> {
  if (!existsSync(programPin(checking))) return undefined;
  const id = property(await askBpftool(run, ["prog", "show", "pinned", programPin(checking)]), "id");
  return typeof id === "number" ? id : undefined;
}

/** Keys last: until they are there, marks are found to have none, which opens nothing that a missing program would not. */
async function tell({ policy, markShift, iptables }: TagCheckingPlace, checking: TagChecking): Promise<void> {
  const { pinFolder, keys, bootedAt } = checking;
  const update = async (map: string, key: number, value: Uint8Array): Promise<string> => {
    const pinned = ["map", "update", "pinned", join(pinFolder, map)];
    return bpftool(iptables.run, [
      ...pinned,
      "key",
      String(key),
      "0",
      "0",
      "0",
      "value",
      ...octetWords(value),
    ]);
  };
  for (const [id, value] of encodeTagKeys(keys).entries()) await update("tag_keys", id, value);
  await update("tag_settings", 0, encodeTagSettings(policy, markShift, bootedAt()));
}

async function knows(
  { policy, markShift, iptables }: TagCheckingPlace,
  checking: TagChecking,
): Promise<boolean> {
  const found = await readSettings(iptables.run, checking);
  if (!found || !areSameSettings(encodeTagSettings(policy, markShift, checking.bootedAt()), found))
    return false;
  const keys = await readValues(iptables.run, join(checking.pinFolder, "tag_keys"));
  return encodeTagKeys(checking.keys).every(
    (value, id) => Buffer.compare(value, keys[id] ?? value.slice(1)) === 0,
  );
}

async function readSettings(run: RunCommand, { pinFolder }: TagChecking): Promise<Uint8Array | undefined> {
  return (await readValues(run, join(pinFolder, "tag_settings")))[0];
}

async function readValues(run: RunCommand, pin: string): Promise<Uint8Array[]> {
  if (!existsSync(pin)) return [];
  const shown = await askBpftool(run, ["map", "dump", "pinned", pin]);
  const entries = Array.isArray(shown) ? (shown as unknown[]) : [];
  return entries.flatMap((entry) => parseOctetWords(property(entry, "value")) ?? []);
}

async function listUnchecked(run: RunCommand, program: number | undefined): Promise<string[]> {
  const filters = await readFilters(run);
  return [...filters]
    .filter(([, filter]) => filter === undefined || filter !== program)
    .map(([name]) => name);
}

/** Without ip and tc nobody can have put a program anywhere. */
async function readFiltersIfAny(run: RunCommand): Promise<ReadonlyMap<string, number | undefined>> {
  try {
    return await readFilters(run);
  } catch (error) {
    if (error instanceof KernelError) return new Map();
    throw error;
  }
}

/** By interface, the program of our filter there. What leads back to this host for altering keeps what was found. */
async function readFilters(run: RunCommand): Promise<ReadonlyMap<string, number | undefined>> {
  const { stdout } = await run("ip", ["-o", "link", "show"]);
  const names = [...stdout.matchAll(/^\d+: ([^:@\s]+)(?:@\S+)?: <([^>]*)>/gm)]
    .filter(([, , flags = ""]) => !flags.split(",").includes("LOOPBACK"))
    .map(([, name = ""]) => name);
  const programs = new Map<string, number | undefined>(names.map((name) => [name, undefined]));
  const { stdout: qdiscs } = await run("tc", ["qdisc", "show"]);
  const clsacts = new Set([...qdiscs.matchAll(/^qdisc clsact \S+ dev (\S+)/gm)].map(([, name]) => name));
  const candidates = names.filter((name) => clsacts.has(name));
  if (candidates.length === 0) return programs;
  // In text: of JSON tc leaves a half to whoever may not look at the program itself.
  const questions = candidates.map((name) => `qdisc show dev ${name}\nfilter show dev ${name} ingress\n`);
  const shown = await run("tc", ["-force", "-batch", "-"], questions.join(""));
  let place = -1;
  for (const line of shown.stdout.split("\n")) {
    // Each has one such line, without its name, in front of its filters.
    if (line.startsWith("qdisc clsact ")) place++;
    const name = candidates[place];
    if (name !== undefined && line.includes(shownHandle))
      programs.set(name, Number(/ id (\d+)/.exec(line)?.[1] ?? -1));
  }
  return programs;
}
