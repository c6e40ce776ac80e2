/**
 * A host that the marker marks: a cgroup, a bpf file system, a state folder and settings of its own, all removed by
 * `close`. Never the cgroup root: nothing else on the machine is marked by a test.
 */
import { spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCgroupRoot } from "../../live-agent/marker/adopt-connections.ts";
import { readClocks } from "../../live-agent/marker/boot-clock.ts";
import { parseMarkSettings } from "../../live-agent/marker/mark-settings.ts";
import { addRecord } from "../../live-agent/marker/mark-state.ts";
import type { KeptRecord } from "../../live-agent/marker/mark-state.ts";
import { changeState, detachMarker } from "../../live-agent/marker/marker.ts";
import type { Marker } from "../../live-agent/marker/marker.ts";
import type { Place, Topology } from "../support/netns.ts";
import { endProcess, whyNoNamespaces } from "../support/netns.ts";

const talker = fileURLToPath(new URL("talker.mjs", import.meta.url));

/** Why no host can be marked here; undefined if one can. */
export function whyNoMarkedHost(): string | undefined {
  const reason = whyNoNamespaces();
  if (reason !== undefined) return reason;
  for (const program of ["clang", "bpftool", "tcpdump"])
    if (spawnSync(program, ["--version"]).error) return `${program} is missing`;
  const root = findCgroupRoot();
  if (root === undefined) return "no cgroup2 file system is mounted";
  try {
    const folder = mkdtempSync(join(root, "tattle-try-"));
    rmdirSync(folder);
  } catch (error) {
    return `no cgroup can be made: ${String(error)}`;
  }
  const mount = spawnSync("unshare", ["--mount", "mount", "-t", "bpf", "bpf", "/mnt"], { encoding: "utf8" });
  return mount.status === 0 ? undefined : `no bpf file system can be mounted: ${mount.stderr.trim()}`;
}

/** Whether the kernel lets an iterator set the flags of sockets: since 6.12. */
export function canAdopt(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 12);
}

export class MarkedHost {
  readonly folder = mkdtempSync(join(tmpdir(), "tattle-marked-"));
  readonly settingsFile = join(this.folder, "mark.json");
  readonly marker: Marker;
  readonly #topology: Topology;

  constructor(topology: Topology, name: string, settings: object = {}) {
    this.#topology = topology;
    // So that what is refused to others is refused by the marker's own folders.
    chmodSync(this.folder, 0o755);
    const pins = join(this.folder, "pins");
    mkdirSync(pins);
    const mount = spawnSync("mount", ["-t", "bpf", "bpf", pins], { encoding: "utf8" });
    if (mount.status !== 0) throw new Error(`mount: ${mount.stderr}`);
    const cgroup = join(findCgroupRoot() ?? "", `tattle-${name}-${process.pid}`);
    mkdirSync(cgroup);
    const content = {
      kind: 253,
      cgroup,
      stateFolder: join(this.folder, "state"),
      pinFolder: join(pins, "marker"),
      ...settings,
    };
    writeFileSync(this.settingsFile, JSON.stringify(content));
    this.marker = {
      settings: parseMarkSettings(content, this.settingsFile),
      run: topology.runner("host"),
      clocks: () => readClocks(Date.now() / 1000),
    };
  }

  get cgroup(): string {
    return this.marker.settings.cgroup ?? "";
  }

  async say(...records: readonly KeptRecord[]): Promise<void> {
    const now = Date.now() / 1000;
    await changeState(this.marker, (state) =>
      records.reduce((before, record) => addRecord(before, record, now), state),
    );
  }

  async sayNothing(): Promise<void> {
    await changeState(this.marker, (state) => ({ ...state, records: [] }));
  }

  /** Starts talker.mjs in the cgroup, in a namespace; resolves with its first line of output. */
  async talk(place: Place, ...commandArguments: readonly string[]): Promise<Talker> {
    return startTalker(this.#topology, place, commandArguments, this.cgroup);
  }

  async close(): Promise<void> {
    await detachMarker(this.marker);
    for (const pid of readFileSync(join(this.cgroup, "cgroup.procs"), "utf8").split("\n").filter(Boolean))
      throw new Error(`process ${pid} is still in ${this.cgroup}`);
    if (existsSync(this.cgroup)) rmdirSync(this.cgroup);
    spawnSync("umount", [join(this.folder, "pins")]);
    rmSync(this.folder, { recursive: true });
  }
}

/** A talker.mjs that runs. */
export class Talker {
  readonly #child: ChildProcess;
  readonly lines: string[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    let rest = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts);
    });
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async end(): Promise<void> {
    await endProcess(this.#child, "SIGKILL");
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Starts talker.mjs in a namespace, and in a cgroup if one is named. */
export function startTalker(
  topology: Topology,
  place: Place,
  commandArguments: readonly string[],
  cgroup?: string,
): Talker {
  const line = [process.execPath, talker, ...commandArguments];
  if (cgroup === undefined) {
    const [command = "", ...rest] = line;
    return new Talker(topology.start(place, command, rest));
  }
  const enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"';
  return new Talker(topology.start(place, "sh", ["-c", enter, cgroup, ...line]));
}
