/**
 * Network namespaces for tests of the kernel: host - router - outside, with both families, made and removed by the test
 * that uses them. Names hold the process id, so that what a killed run left is known and removed by the next.
 *
 *     host eth0 10.1.0.2 fd01::2 -- lan0 router wan0 -- eth0 outside 10.2.0.2 fd02::2
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import type { CommandResult, RunCommand } from "../../live-agent/enforcement/run-command.ts";

export type Place = "host" | "router" | "outside";

export const addresses = {
  host: { 4: "10.1.0.2", 6: "fd01::2" },
  outside: { 4: "10.2.0.2", 6: "fd02::2" },
} as const;

/** Ethernet addresses of host and router as test/support/link-frame.ts writes them. */
const [hostMac, routerMac, outsideMac] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"];

const hostNetworks = ["10.1.0.2/24", "10.1.0.3/24", "fd01::2/64", "fd01::3/64"];
const outsideNetworks = [
  "10.2.0.2/24",
  "10.2.0.3/24",
  "10.2.0.4/24",
  "fd02::2/64",
  "fd02::3/64",
  "fd02::4/64",
];

const namespaceFolder = "/run/netns";
const ownName = /^tattle-(\d+)-\d+-(host|router|outside)$/;
let made = 0;

/** Why namespaces cannot be made here; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "making network namespaces needs root";
  const result = spawnSync("unshare", ["--net", "true"], { encoding: "utf8" });
  return result.status === 0 ? undefined : `unshare --net fails: ${result.stderr.trim()}`;
}

export class Topology {
  readonly #prefix: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  static async open(): Promise<Topology> {
    removeLeftovers();
    const topology = new Topology(`tattle-${process.pid}-${made++}`);
    try {
      await topology.#build();
    } catch (error) {
      await topology.close();
      throw error;
    }
    return topology;
  }

  /** Runs programs in one of the namespaces; `ip netns exec` would hide /sys/fs/bpf and the cgroups. */
  runner(place: Place): RunCommand {
    const enter = `--net=${this.path(place)}`;
    return (command, commandArguments, input) =>
      runCommand("nsenter", [enter, command, ...commandArguments], input);
  }

  /** The file that stands for a namespace. */
  path(place: Place): string {
    return `${namespaceFolder}/${this.#prefix}-${place}`;
  }

  /** What a program prints; fails with what it said if its status is not 0. */
  async run(place: Place, line: string): Promise<string> {
    const [command = "", ...rest] = line.split(" ");
    return printedBy(line, await this.runner(place)(command, rest));
  }

  /** Starts a program that `close` ends. */
  start(place: Place, command: string, commandArguments: readonly string[]): ChildProcess {
    const enter = `--net=${this.path(place)}`;
    const child = spawn("nsenter", [enter, command, ...commandArguments], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#children) await endProcess(child);
    for (const place of ["host", "router", "outside"])
      await runCommand("ip", ["netns", "delete", `${this.#prefix}-${place}`]);
  }

  async #build(): Promise<void> {
    const name = (place: Place): string => `${this.#prefix}-${place}`;
    const lines = [
      ...(["host", "router", "outside"] as const).map((place) => `netns add ${name(place)}`),
      `link add eth0 netns ${name("host")} address ${hostMac} type veth peer name lan0 netns ${name("router")} address ${routerMac}`,
      `link add wan0 netns ${name("router")} type veth peer name eth0 address ${outsideMac} netns ${name("outside")}`,
    ];
    for (const line of lines) printedBy(line, await runCommand("ip", line.split(" ")));
    await this.#configure("host", "eth0", hostNetworks);
    await this.#configure("outside", "eth0", outsideNetworks);
    await this.#configure("router", "lan0", ["10.1.0.1/24", "fd01::1/64"]);
    await this.#configure("router", "wan0", ["10.2.0.1/24", "fd02::1/64"]);
    await this.run("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    for (const [place, net] of [
      ["host", 1],
      ["outside", 2],
    ] as const) {
      await this.run(place, `ip route add default via 10.${net}.0.1`);
      await this.run(place, `ip -6 route add default via fd0${net}::1`);
    }
    await this.#introduce("lan0", hostMac, hostNetworks);
    await this.#introduce("wan0", outsideMac, outsideNetworks);
  }

  /** The router knows its neighbours: packets that wait for an answer to that question can be forgotten. */
  async #introduce(name: string, mac: string, networks: readonly string[]): Promise<void> {
    for (const network of networks) {
      const [address = ""] = network.split("/");
      await this.run("router", `ip neigh replace ${address} lladdr ${mac} dev ${name} nud permanent`);
    }
  }

  async #configure(place: Place, name: string, networks: readonly string[]): Promise<void> {
    await this.run(place, "ip link set lo up");
    for (const network of networks) {
      const nodad = network.includes(":") ? " nodad" : "";
      await this.run(place, `ip addr add ${network} dev ${name}${nodad}`);
    }
    await this.run(place, `ip link set ${name} up`);
  }
}

/** Ends a process and waits until it has ended. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    child.once("close", resolve);
    child.kill(signal);
  });
}

/** Waits until `holds` does, at most this long. */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function printedBy(line: string, { status, stdout, stderr }: CommandResult): string {
  if (status !== 0) throw new Error(`${line}: status ${status}: ${stderr.trim()}`);
  return stdout;
}

/** Namespaces of test processes that are no more. */
function removeLeftovers(): void {
  if (!existsSync(namespaceFolder)) return;
  for (const name of readdirSync(namespaceFolder)) {
    const pid = ownName.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync("ip", ["netns", "delete", name]);
  }
}
