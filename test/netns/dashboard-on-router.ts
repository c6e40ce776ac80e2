/** The real dashboard on the router of a topology, as a process with a database of its own. */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { AgentsAnswer, HostAnswer } from "../../dashboard/api.ts";
import { buildFolder } from "../support/built-command.ts";
import { endProcess, waitUntil } from "../support/netns.ts";
import type { Topology } from "../support/netns.ts";

const patienceMs = 30_000;
/** The router has no curl, but Node. */
const get = "fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))";

export class DashboardOnRouter {
  readonly #topology: Topology;
  readonly #database: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  constructor(topology: Topology, folder: string, port: number) {
    this.#topology = topology;
    this.#database = join(folder, "evidence.duckdb");
    this.#port = port;
  }

  /** A new token for an agent. */
  async addToken(name: string): Promise<string> {
    const line = ["agents", "add", name, "--database", this.#database];
    const { status, stdout, stderr } = await this.#topology.runner("router")(process.execPath, [
      join(buildFolder(), "cli", "main.js"),
      ...line,
    ]);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  }

  /** On return it takes requests. */
  async start(): Promise<void> {
    const line = ["serve", "--database", this.#database, "--port", String(this.#port)];
    const child = this.#topology.start("router", process.execPath, [
      join(buildFolder(), "cli", "main.js"),
      ...line,
    ]);
    this.#process = child;
    let said = "";
    let problem = "";
    child.stdout?.on("data", (text: Buffer) => (said += text.toString()));
    child.stderr?.on("data", (text: Buffer) => (problem += text.toString()));
    await waitUntil(
      "the dashboard serves",
      () => {
        if (child.exitCode !== null) throw new Error(`tattle serve ended: ${problem}`);
        return said.includes("\n");
      },
      patienceMs,
    );
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#process) await endProcess(this.#process, signal);
  }

  agents(): Promise<AgentsAnswer> {
    return this.#get("/api/agents") as Promise<AgentsAnswer>;
  }

  host(address: string): Promise<HostAnswer> {
    return this.#get(`/api/hosts/${address}`) as Promise<HostAnswer>;
  }

  async #get(path: string): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#port}${path}`;
    const { stdout } = await this.#topology.runner("router")(process.execPath, ["-e", get, url]);
    return JSON.parse(stdout) as unknown;
  }
}
