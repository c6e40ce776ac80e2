/** The file sharers of all nodes, as processes, and what they report. */
import type { ChildProcess } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess } from "../support/netns.ts";
import type { ExperimentNetwork } from "./experiment-network.ts";
import { nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";
import type { NodeReport, SharerSettings } from "./node-report.ts";
import { ordinaryFiles } from "./request-order.ts";

/** 240 of them fit into 2 GB with these. */
const smallMemory = ["--max-semi-space-size=1", "--max-old-space-size=16", "--v8-pool-size=0"];
/** Longer than anybody's patience lasts: no download is finished. */
const ordinaryOctets = 384 * 1024;
const patienceMs = 180_000;

export class SharingNodes {
  readonly reports: NodeReport[] = [];
  readonly #children = new Map<number, ChildProcess>();
  readonly #listening = new Set<number>();
  readonly #network: ExperimentNetwork;
  readonly #plan: ExperimentPlan;
  readonly #folder: string;

  constructor(network: ExperimentNetwork, plan: ExperimentPlan, folder: string) {
    this.#network = network;
    this.#plan = plan;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const name of ordinaryFiles) writeFileSync(join(folder, name), Buffer.alloc(ordinaryOctets, name));
    for (const node of nodesOf(plan)) {
      mkdirSync(join(this.folderOf(node), "upload"), { recursive: true });
      for (const name of ordinaryFiles)
        linkSync(join(folder, name), join(this.folderOf(node), "upload", name));
    }
  }

  folderOf(node: number): string {
    return join(this.#folder, `node${node}`);
  }

  /** Starts all of them; on return each listens. `cgroups` are those of nodes that have one. */
  async open(
    build: string,
    settings: Pick<SharerSettings, "seed" | "passOn">,
    cgroups: ReadonlyMap<number, string>,
  ): Promise<void> {
    for (const node of nodesOf(this.#plan)) {
      const own: SharerSettings = { ...settings, plan: this.#plan, node, folder: this.folderOf(node) };
      const program = join(build, "cli", "file-sharer.js");
      const line = [process.execPath, ...smallMemory, program, JSON.stringify(own)];
      const child = this.#network.start(`node${node}`, line, cgroups.get(node));
      this.#children.set(node, child);
      this.#listen(node, child);
    }
    const all = this.#children.size;
    await this.#network.waitUntil(`${all} nodes listen`, () => this.#listening.size === all, patienceMs);
  }

  /** Milliseconds since 1970 when requests begin. */
  begin(startMs: number): void {
    for (const child of this.#children.values()) child.stdin?.write(`start ${startMs}\n`);
  }

  /** Octets of memory that they take together. */
  get memory(): number {
    let kilobytes = 0;
    for (const { pid } of this.#children.values())
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
    return kilobytes * 1024;
  }

  /** Ends programs of nodes at once. */
  async end(nodes: readonly number[]): Promise<void> {
    const children = nodes.flatMap((node) => this.#children.get(node) ?? []);
    await Promise.all(children.map(async (child) => endProcess(child, "SIGKILL")));
  }

  #listen(node: number, child: ChildProcess): void {
    let rest = "";
    child.stdout?.on("data", (text: Buffer) => {
      const lines = (rest + text.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "listening") this.#listening.add(node);
        else this.reports.push(JSON.parse(line) as NodeReport);
      }
    });
    let errors = "";
    child.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
    child.on("close", (status) => {
      if (status !== null && status !== 0)
        process.stderr.write(`node ${node} ended with ${status}: ${errors}\n`);
    });
  }
}
