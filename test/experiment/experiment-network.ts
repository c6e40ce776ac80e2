/**
 * The network of an experiment: a namespace for each node, each group's router and the core between them, all routed,
 * no address translation. Names hold the process id, so that what a killed run left is known and removed by the next.
 *
 *     node eth0 -- [nN br0 router up0] -- [rG core]      nodes 10.G.0.N, routers 10.G.0.254, links 172.16.G.0/30
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { findCgroupRoot } from "../../live-agent/marker/adopt-connections.ts";
import { endProcess, waitUntil } from "../support/netns.ts";
import { addressOf, groupOf, networkOf, nodesOf, routerAddress } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";

const namespaceFolder = "/run/netns";
const ownName = /^tattle-experiment-(\d+)(?:-|$)/;

export type Place = `node${number}` | `router${number}` | "core";

export interface Leftovers {
  readonly namespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly folders: readonly string[];
}

/** What runs of these processes made and did not remove. */
export function listLeftovers(ofProcess: (pid: number) => boolean): Leftovers {
  const ours = (name: string): boolean => {
    const pid = ownName.exec(name)?.[1];
    return pid !== undefined && ofProcess(Number(pid));
  };
  const namesIn = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).filter((name) => ours(name)) : [];
  const cgroupRoot = findCgroupRoot() ?? "";
  return {
    namespaces: namesIn(namespaceFolder),
    folders: namesIn(tmpdir()).map((name) => join(tmpdir(), name)),
    cgroups: cgroupRoot === "" ? [] : namesIn(cgroupRoot).map((name) => join(cgroupRoot, name)),
  };
}

export class ExperimentNetwork {
  readonly prefix = `tattle-experiment-${process.pid}`;
  readonly #plan: ExperimentPlan;
  readonly #signal: AbortSignal;
  readonly #children = new Set<ChildProcess>();

  private constructor(plan: ExperimentPlan, signal: AbortSignal) {
    this.#plan = plan;
    this.#signal = signal;
  }

  /** @throws Error with what `ip` said; what was made by then is removed */
  static async open(plan: ExperimentPlan, signal: AbortSignal): Promise<ExperimentNetwork> {
    removeLeftovers();
    const network = new ExperimentNetwork(plan, signal);
    try {
      await network.#build();
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  /** Starts a program that `close` ends; with a cgroup, in it from its first instruction on. */
  start(place: Place, line: readonly string[], cgroup?: string): ChildProcess {
    const enter = ["nsenter", `--net=${this.path(place)}`, ...line];
    const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const [command = "", ...rest] = cgroup === undefined ? enter : ["sh", "-c", script, cgroup, ...enter];
    const child = spawn(command, rest, { stdio: "pipe" });
    child.stdin.on("error", () => undefined);
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  /** What a program prints, run to its end. */
  async run(place: Place, line: readonly string[], input?: string): Promise<string> {
    const enter = [`--net=${this.path(place)}`, ...line];
    const { status, stdout, stderr } = await runCommand("nsenter", enter, input);
    if (status !== 0) throw new Error(`${place}: ${line.join(" ")}: status ${status}: ${stderr.trim()}`);
    return stdout;
  }

  /** Waits no longer than the run is wanted: what is waited for may have been ended by the same Ctrl-C. */
  async waitUntil(what: string, holds: () => boolean, patienceMs?: number): Promise<void> {
    const holdsYet = (): boolean => {
      this.#signal.throwIfAborted();
      return holds();
    };
    await waitUntil(what, holdsYet, patienceMs);
  }

  /** The file that stands for a namespace. */
  path(place: Place): string {
    return join(namespaceFolder, `${this.prefix}-${place}`);
  }

  async endPrograms(): Promise<void> {
    await Promise.all([...this.#children].map(async (child) => endProcess(child, "SIGKILL")));
  }

  async close(): Promise<void> {
    await this.endPrograms();
    removeNamespaces((pid) => pid === process.pid);
  }

  async #build(): Promise<void> {
    const { groups } = this.#plan;
    const nodes = nodesOf(this.#plan);
    const groupNumbers = Array.from({ length: groups }, (_, index) => index + 1);
    const name = (place: Place): string => `${this.prefix}-${place}`;
    const places: Place[] = [
      "core",
      ...groupNumbers.map((group): Place => `router${group}`),
      ...nodes.map((node): Place => `node${node}`),
    ];
    await batch(places.map((place) => `netns add ${name(place)}`));
    await batch([
      ...groupNumbers.map(
        (group) =>
          `link add up0 netns ${name(`router${group}`)} type veth peer name r${group} netns ${name("core")}`,
      ),
      ...nodes.map((node) => {
        const router = name(`router${groupOf(this.#plan, node)}`);
        return `link add eth0 address ${macOf(node)} netns ${name(`node${node}`)} type veth peer name n${node} netns ${router}`;
      }),
    ]);
    for (const group of groupNumbers) await this.#configureRouter(group);
    await this.#configureCore(groupNumbers);
    for (const node of nodes) {
      this.#signal.throwIfAborted();
      await this.#configureNode(node);
    }
  }

  async #configureRouter(group: number): Promise<void> {
    const members = nodesOf(this.#plan).filter((node) => groupOf(this.#plan, node) === group);
    await this.#ip(`router${group}`, [
      `link add br0 address ${macOf(254)} type bridge`,
      `addr add ${routerAddress(group)}/24 dev br0`,
      "link set lo up",
      "link set br0 up",
      `addr add 172.16.${group}.2/30 dev up0`,
      "link set up0 up",
      `route add default via 172.16.${group}.1`,
      ...members.flatMap((node) => [
        `link set n${node} master br0 up`,
        // Neighbours that are known need no place in the kernel's table, which all namespaces share.
        `neigh replace ${addressOf(this.#plan, node)} lladdr ${macOf(node)} dev br0 nud permanent`,
      ]),
    ]);
    // Traffic within the group is bridged and must not meet the router's rules, as it does not at a switch.
    const bridgeRules = "net.bridge.bridge-nf-call-iptables";
    if (existsSync(`/proc/sys/${bridgeRules.replaceAll(".", "/")}`))
      await this.run(`router${group}`, ["sysctl", "-qw", `${bridgeRules}=0`]);
    await this.run(`router${group}`, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  }

  async #configureCore(groups: readonly number[]): Promise<void> {
    await this.#ip("core", [
      "link set lo up",
      ...groups.flatMap((group) => [
        `addr add 172.16.${group}.1/30 dev r${group}`,
        `link set r${group} up`,
        `route add ${networkOf(group)} via 172.16.${group}.2`,
      ]),
    ]);
    await this.run("core", ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  }

  async #configureNode(node: number): Promise<void> {
    const router = routerAddress(groupOf(this.#plan, node));
    await this.#ip(`node${node}`, [
      "link set lo up",
      `addr add ${addressOf(this.#plan, node)}/24 dev eth0`,
      "link set eth0 up",
      `neigh replace ${router} lladdr ${macOf(254)} dev eth0 nud permanent`,
      `route add default via ${router}`,
    ]);
  }

  async #ip(place: Place, lines: readonly string[]): Promise<void> {
    await this.run(place, ["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  }
}

async function batch(lines: readonly string[]): Promise<void> {
  const { status, stderr } = await runCommand("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  if (status !== 0) throw new Error(`ip -batch: status ${status}: ${stderr.trim()}`);
}

function macOf(node: number): string {
  return `02:00:00:00:00:${node.toString(16).padStart(2, "0")}`;
}

/** What runs that are no more left behind: a run that was killed could not even end its programs. */
function removeLeftovers(): void {
  const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`);
  for (const name of listLeftovers(isGone).namespaces) {
    const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
    for (const pid of stdout.split("\n").filter(Boolean)) spawnSync("kill", ["-KILL", pid]);
  }
  removeNamespaces(isGone);
  const { cgroups, folders } = listLeftovers(isGone);
  for (const folder of folders) removeRunFolder(folder);
  for (const cgroup of cgroups) rmdirSync(cgroup);
}

/** A folder for a run's files, which `removeRunFolder` removes. */
export function makeRunFolder(): string {
  return mkdtempSync(join(tmpdir(), `tattle-experiment-${process.pid}-`));
}

/** Ends what is mounted in it first. */
export function removeRunFolder(folder: string): void {
  const mounts = readFileSync("/proc/mounts", "utf8").matchAll(/^\S+ (\S+) /gm);
  for (const [, mount = ""] of mounts) if (mount.startsWith(`${folder}/`)) runUndisturbed(["umount", mount]);
  rmSync(folder, { recursive: true, force: true });
}

function removeNamespaces(ofProcess: (pid: number) => boolean): void {
  const lines = listLeftovers(ofProcess).namespaces.map((name) => `netns delete ${name}`);
  if (lines.length > 0) runUndisturbed(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
}

/** In a session of its own, where another Ctrl-C at the terminal does not end it; again, if one came before it was there. */
function runUndisturbed(line: readonly string[], input = ""): void {
  let ended: NodeJS.Signals | null;
  do ended = spawnSync("setsid", line, { input }).signal;
  while (ended === "SIGINT");
}
