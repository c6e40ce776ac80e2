/** The agent and a collector as processes on the router of a topology, for benches. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { endProcess, waitUntil } from "../../support/netns.ts";
import type { Topology } from "../../support/netns.ts";
import { benchRules } from "./unmarked-traffic.ts";

const collector = fileURLToPath(new URL("collector.mjs", import.meta.url));
const port = 8765;
const dashboardPort = 8766;
const patienceMs = 60_000;

export interface Told {
  readonly events: number;
  readonly gaps: number;
  readonly gapPackets: number;
  readonly duplicates: number;
  /** Port of the host, and when its event came: milliseconds since 1970. */
  readonly arrivals?: readonly (readonly [port: number, at: number])[];
}

export class BenchedAgent {
  readonly #topology: Topology;
  readonly #build: string;
  readonly #folder: string;
  readonly #agent: ChildProcess;
  readonly #collector: ChildProcess;
  readonly #dashboard: ChildProcess | undefined;
  readonly #answers: string[] = [];

  private constructor(
    topology: Topology,
    build: string,
    folder: string,
    processes: readonly [ChildProcess, ChildProcess],
    dashboard: ChildProcess | undefined,
  ) {
    this.#dashboard = dashboard;
    this.#topology = topology;
    this.#build = build;
    this.#folder = folder;
    [this.#agent, this.#collector] = processes;
    const lines = this.#collector.stdout && createInterface({ input: this.#collector.stdout });
    lines?.on("line", (line) => this.#answers.push(line));
  }

  /** On return the rules are in the kernel. */
  static async start(
    topology: Topology,
    build: string,
    parent: string,
    config: object,
    reportsTo: "collector" | "dashboard" = "collector",
  ): Promise<BenchedAgent> {
    const folder = mkdtempSync(join(parent, "agent-"));
    mkdirSync(join(folder, "state"));
    const server = { url: `http://127.0.0.1:${port}`, tokenFile: "token" };
    const files = {
      "policy.json": { version: 1, name: "bench", outside: ["wan0"], rules: benchRules },
      "agent.json": { version: 1, policy: "policy.json", stateFolder: "state", server, ...config },
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), JSON.stringify(content));
    let token = "token-of-the-bench\n";
    let behind: ChildProcess | undefined;
    if (reportsTo === "dashboard") [token, behind] = await startDashboard(topology, build, folder);
    writeFileSync(join(folder, "token"), token, { mode: 0o600 });
    const ports = [port, ...(behind ? [dashboardPort] : [])].map(String);
    const collecting = topology.start("router", process.execPath, [collector, ...ports]);
    // As the service starts it (live-agent/service/tattle-agent.service).
    const main = ["--max-semi-space-size=2", join(build, "cli", "main.js")];
    const line = [...main, "agent", "run", "--config", join(folder, "agent.json")];
    const running = topology.start("router", process.execPath, line);
    let log = "";
    running.stderr?.on("data", (text: Buffer) => (log += text.toString()));
    const agent = new BenchedAgent(topology, build, folder, [running, collecting], behind);
    await waitUntil(
      "the agent enforces",
      () => {
        if (running.exitCode !== null) throw new Error(`the agent ended: ${log}`);
        return log.includes('"enforcing"') && agent.#answers.includes("listening");
      },
      patienceMs,
    );
    return agent;
  }

  /** What the collector got. */
  async told(line: "sums" | "all" = "sums"): Promise<Told> {
    const { length } = this.#answers;
    this.#collector.stdin?.write(`${line}\n`);
    await waitUntil("the collector answers", () => this.#answers.length > length, patienceMs);
    return JSON.parse(this.#answers[length] ?? "") as Told;
  }

  /** Waits until events and gaps are this many packets. */
  async isToldOf(packets: number): Promise<Told> {
    let told = await this.told();
    await waitUntil(
      `${packets} packets are told of`,
      async () => {
        told = await this.told();
        return told.events + told.gapPackets >= packets;
      },
      patienceMs,
    ).catch(() => undefined);
    return told;
  }

  /** Octets of memory at most so far. */
  get peakMemory(): number {
    const status = readFileSync(`/proc/${this.#agent.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
  }

  async close(): Promise<void> {
    await endProcess(this.#agent);
    await endProcess(this.#collector, "SIGKILL");
    if (this.#dashboard) await endProcess(this.#dashboard);
    const line = [join(this.#build, "cli", "main.js"), "agent", "remove"];
    await this.#topology.runner("router")(process.execPath, [
      ...line,
      "--config",
      join(this.#folder, "agent.json"),
    ]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The real dashboard with a database of its own; a token for the agent, and the process. */
async function startDashboard(
  topology: Topology,
  build: string,
  folder: string,
): Promise<[token: string, dashboard: ChildProcess]> {
  const tattle = join(build, "cli", "main.js");
  const database = ["--database", join(folder, "bench.duckdb")];
  const added = await topology.runner("router")(process.execPath, [
    tattle,
    "agents",
    "add",
    "bench",
    ...database,
  ]);
  if (added.status !== 0) throw new Error(`tattle agents add: ${added.stderr}`);
  const line = [tattle, "serve", ...database, "--port", String(dashboardPort)];
  const dashboard = topology.start("router", process.execPath, line);
  let [address, errors] = ["", ""];
  dashboard.stdout?.on("data", (text: Buffer) => (address += text.toString()));
  dashboard.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
  await waitUntil(
    "the dashboard serves",
    () => {
      if (dashboard.exitCode !== null) throw new Error(`tattle serve ended: ${errors}`);
      return address.includes("\n");
    },
    patienceMs,
  );
  return [added.stdout, dashboard];
}
