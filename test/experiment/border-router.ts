/** What stands at the protected group's router: captures on both of its sides, and the real agent, which tells a real `tattle serve`. */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentStatus } from "../../live-agent/agent/agent-status.ts";
import { endProcess, waitUntil } from "../support/netns.ts";
import type { ExperimentNetwork, Place } from "./experiment-network.ts";

const patienceMs = 60_000;
const port = 8765;

export interface RouterSettings {
  readonly place: Place;
  readonly folder: string;
  /** The built command. */
  readonly build: string;
  readonly action: "drop" | "alter" | "strip";
  /** Whether only packets of established connections are acted on: those that anybody could forge pass. */
  readonly letsHandshakesPass: boolean;
  /** Seconds that the agent collects news before it tells people. */
  readonly waitSeconds: number;
}

export class BorderRouter {
  readonly database: string;
  readonly #network: ExperimentNetwork;
  readonly #settings: RouterSettings;
  #agent: ChildProcess | undefined;
  #serve: ChildProcess | undefined;

  constructor(network: ExperimentNetwork, settings: RouterSettings) {
    this.#network = network;
    this.#settings = settings;
    mkdirSync(settings.folder);
    this.database = join(settings.folder, "evidence.duckdb");
  }

  /** On return the rules are in the kernel. */
  async start(): Promise<void> {
    const { folder, place, action, waitSeconds, letsHandshakesPass } = this.#settings;
    const trust = letsHandshakesPass ? { trust: "established" } : {};
    const rule = { name: "leaks", category: ["leak"], action, notify: true, ...trust };
    const server = { url: `http://127.0.0.1:${port}`, tokenFile: "token" };
    const channel = { type: "wall", name: "administrator", command: ["tee", "-a", this.noticeFile] };
    const files = {
      "policy.json": { version: 1, name: "experiment", outside: ["up0"], rules: [rule] },
      "agent.json": {
        version: 1,
        name: place,
        policy: "policy.json",
        stateFolder: "state",
        server,
        notify: { grouping: { waitSeconds }, channels: [channel] },
      },
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), JSON.stringify(content));
    const token = await this.#tattle("agents", "add", place, "--database", this.database);
    writeFileSync(join(folder, "token"), token, { mode: 0o600 });
    const { child, said } = this.#start("serve", "--database", this.database, "--port", String(port));
    this.#serve = child;
    await this.#network.waitUntil(
      "tattle serve listens",
      () => isRunning(child, said) && said().includes("http"),
      patienceMs,
    );
    const agent = this.#start("agent", "run", "--config", this.#config);
    this.#agent = agent.child;
    const enforces = (): boolean =>
      isRunning(agent.child, agent.said) && agent.said().includes('"enforcing"');
    await this.#network.waitUntil("the agent enforces", enforces, patienceMs);
  }

  /** What the administrator was told; the file is not there until then. */
  get noticeFile(): string {
    return join(this.#settings.folder, "notice.txt");
  }

  /** Seconds since 1970 when the administrator was told first; undefined if never. */
  get notifiedAt(): number | undefined {
    return existsSync(this.noticeFile) ? statSync(this.noticeFile).birthtimeMs / 1000 : undefined;
  }

  /** The rules as the kernel has them, without counters. */
  async rules(): Promise<string> {
    const saved = await this.#network.run(this.#settings.place, ["iptables-save", "-t", "mangle"]);
    return saved
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .map((line) => line.replace(/\[\d+:\d+\]/, ""))
      .join("\n");
  }

  /** Packets by verdict, as iptables counts them. */
  async counted(): Promise<Record<string, number>> {
    const saved = await this.#network.run(this.#settings.place, ["iptables-save", "-c", "-t", "mangle"]);
    const counts: Record<string, number> = {};
    for (const [, packets, verdict = ""] of saved.matchAll(/^\[(\d+):\d+\] .*--comment "tattle:([a-z]+)/gm))
      counts[verdict] = (counts[verdict] ?? 0) + Number(packets);
    return counts;
  }

  /** Waits until all that was counted is told and with the dashboard; then ends the agent and the dashboard. */
  async stop(): Promise<void> {
    if (!this.#agent || !this.#serve) return;
    await waitUntil("all events are with the dashboard", async () => this.#hasToldAll(), patienceMs);
    await endProcess(this.#agent);
    await endProcess(this.#serve);
  }

  async #hasToldAll(): Promise<boolean> {
    const text = await this.#tattle("agent", "status", "--json", "--config", this.#config);
    const { heartbeat } = JSON.parse(text) as AgentStatus;
    const known = heartbeat.counters.reduce((sum, { packets }) => sum + packets, 0);
    const counted = Object.values(await this.counted()).reduce((sum, packets) => sum + packets, 0);
    return known === counted && heartbeat.spooled === 0;
  }

  get #config(): string {
    return join(this.#settings.folder, "agent.json");
  }

  #line(words: readonly string[]): string[] {
    // Agents of several routers of one machine must not meet in /run.
    const run = `RUNTIME_DIRECTORY=${join(this.#settings.folder, "run")}`;
    return ["env", run, process.execPath, join(this.#settings.build, "cli", "main.js"), ...words];
  }

  async #tattle(...words: string[]): Promise<string> {
    return this.#network.run(this.#settings.place, this.#line(words));
  }

  #start(...words: string[]): { child: ChildProcess; said: () => string } {
    const child = this.#network.start(this.#settings.place, this.#line(words));
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    return { child, said: () => text };
  }
}

function isRunning(child: ChildProcess, said: () => string): boolean {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said()}`);
  return true;
}
