/**
 * A host whose connections are marked by the kernel: a cgroup with the program of mark-connections.bpf.c. What the test
 * makes in cgroup and BPF file systems is removed by `close`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import type { Topology } from "../support/netns.ts";

const source = fileURLToPath(new URL("mark-connections.bpf.c", import.meta.url));
const peer = fileURLToPath(new URL("peer.mjs", import.meta.url));

/** Why connections cannot be marked here; undefined if they can. */
export function whyNoMarking(): string | undefined {
  for (const program of ["clang", "bpftool", "tc"]) {
    if (spawnSync(program, ["--version"]).error && spawnSync(program, ["-V"]).error)
      return `${program} is missing`;
  }
  return cgroupRoot() === undefined ? "no cgroup2 file system is mounted" : undefined;
}

/** Milliseconds. SYNs that meet no neighbour yet are sent again after one second and three (RFC 6298 section 2). */
const answered = 4500;
const unanswered = 1500;

export interface Answer {
  readonly octets?: number;
  readonly zeros?: number;
  /** From the first octets to the last; told by a server that does not look at them. */
  readonly milliseconds?: number;
  readonly error?: string;
}

export class MarkingHost {
  readonly #topology: Topology;
  readonly #cgroup: string;
  readonly #folder: string;

  private constructor(topology: Topology, cgroup: string, folder: string) {
    this.#topology = topology;
    this.#cgroup = cgroup;
    this.#folder = folder;
  }

  static async open(topology: Topology): Promise<MarkingHost> {
    const folder = mkdtempSync(join(tmpdir(), "tattle-marking-"));
    const cgroup = join(cgroupRoot() ?? "", `tattle-test-${process.pid}-${Date.now()}`);
    mkdirSync(cgroup);
    const host = new MarkingHost(topology, cgroup, folder);
    try {
      await host.#load();
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  /** The options, at most two, that connections carry from now on. */
  async carry(...options: readonly Uint8Array[]): Promise<void> {
    for (const place of [0, 1]) {
      const option = options[place] ?? new Uint8Array();
      const octets = [option.length, 0, 0, 0, ...option, ...new Uint8Array(64 - option.length)];
      const hex = octets.map((octet) => octet.toString(16).padStart(2, "0"));
      const key = ["key", "hex", String(place), "0", "0", "0"];
      await must("bpftool", ["map", "update", "pinned", this.#map, ...key, "value", "hex", ...hex]);
    }
  }

  /** Connects, sends octets that are not zero, and says what the other side answered. */
  async send(address: string, octets: number, port = 7000, patienceMs = answered): Promise<Answer> {
    const script = 'echo $$ > "$0/cgroup.procs"; exec "$@"';
    const commandLine = [process.execPath, peer, "send", address, port, octets, patienceMs].map(String);
    const run = this.#topology.runner("host");
    const { stdout, stderr } = await run("sh", ["-c", script, this.#cgroup, ...commandLine]);
    if (stdout === "") throw new Error(`the client said nothing: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  /** The same where no answer is expected: the SYN is sent once more, and no answer comes to that one either. */
  async sendInVain(address: string, octets: number): Promise<Answer> {
    return this.send(address, octets, 7000, unanswered);
  }

  async close(): Promise<void> {
    await runCommand("bpftool", ["cgroup", "detach", this.#cgroup, "sock_ops", "pinned", this.#program]);
    rmdirSync(this.#cgroup);
    spawnSync("umount", [this.#pins]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #pins(): string {
    return join(this.#folder, "pins");
  }

  get #program(): string {
    return join(this.#pins, "mark_connections");
  }

  get #map(): string {
    return join(this.#pins, "options");
  }

  async #load(): Promise<void> {
    const object = join(this.#folder, "mark.o");
    const headers = `-I/usr/include/${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu`;
    await must("clang", ["-O2", "-g", "-target", "bpf", headers, "-c", source, "-o", object]);
    mkdirSync(this.#pins);
    await must("mount", ["-t", "bpf", "bpf", this.#pins]);
    await must("bpftool", ["prog", "load", object, this.#program, "type", "sockops", "pinmaps", this.#pins]);
    await must("bpftool", ["cgroup", "attach", this.#cgroup, "sock_ops", "pinned", this.#program, "multi"]);
  }
}

/** Starts the other side of the connections. */
export async function serve(
  topology: Topology,
  mode: "serve" | "drain" = "serve",
  port = 7000,
): Promise<void> {
  const child = topology.start("outside", process.execPath, [peer, mode, String(port)]);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
}

async function must(command: string, commandArguments: readonly string[]): Promise<void> {
  const { status, stderr } = await runCommand(command, commandArguments);
  if (status !== 0) throw new Error(`${command} ${commandArguments.join(" ")}: ${stderr}`);
}

function cgroupRoot(): string | undefined {
  if (!existsSync("/proc/mounts")) return undefined;
  return /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
}
