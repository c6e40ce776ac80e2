/**
 * The node that leaks: a cgroup of its own, which the real marker marks; the worm stand-in in it; beside it the detector,
 * which calls the real `tattle mark add`.
 */
import { once } from "node:events";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findCgroupRoot } from "../../live-agent/marker/adopt-connections.ts";
import { waitUntil } from "../support/netns.ts";
import type { ExperimentNetwork, Place } from "./experiment-network.ts";
import { leakedFile, leakedNames } from "./leaked-files.ts";
import type { LeakReport } from "./node-report.ts";

export class MarkingNode {
  readonly cgroup: string;
  readonly reports: LeakReport[] = [];
  readonly #network: ExperimentNetwork;
  readonly #place: Place;
  readonly #folder: string;
  readonly #build: string;
  readonly #settings: string;

  constructor(network: ExperimentNetwork, node: number, folder: string, build: string) {
    this.#network = network;
    this.#place = `node${node}`;
    this.#folder = folder;
    this.#build = build;
    this.cgroup = join(findCgroupRoot() ?? "", `${network.prefix}-node${node}`);
    this.#settings = join(folder, "mark.json");
    const settings = { kind: 253, stateFolder: join(folder, "mark-state"), pinFolder: this.#pins };
    writeFileSync(this.#settings, JSON.stringify(settings));
    // Mounted here, so that bpftool need not, which would mount twice.
    mkdirSync(this.#pins);
    const mount = spawnSync("mount", ["-t", "bpf", "bpf", this.#pins], { encoding: "utf8" });
    if (mount.status !== 0) throw new Error(`mount -t bpf: ${mount.stderr}`);
    mkdirSync(join(folder, "private"));
    for (const name of leakedNames) writeFileSync(join(folder, "private", name), leakedFile(name));
    mkdirSync(this.cgroup);
  }

  get #pins(): string {
    return join(this.#folder, "pins");
  }

  /** On return the detector sees new folders. */
  async watch(): Promise<void> {
    const add = this.#tattle("mark", "add", "leak/sharing-folder");
    this.#listen(this.#start("sharing-detector", [join(this.#folder, "upload"), ...add]));
    await this.#reported("watching");
  }

  /** The worm runs; on return the detector's command is done. */
  async leak(): Promise<void> {
    const folders = [join(this.#folder, "private"), join(this.#folder, "upload")];
    const worm = this.#start("worm-stand-in", folders, this.cgroup);
    this.#listen(worm);
    await once(worm, "close");
    await this.#reported("marked");
  }

  /** What was detected is kept, and packets are marked no more. */
  async switchOff(): Promise<void> {
    await this.#network.run(this.#place, this.#tattle("mark", "off"));
  }

  /** Takes marker and cgroup away; the node's processes must have ended. */
  async close(): Promise<void> {
    await this.#network.run(this.#place, this.#tattle("mark", "detach")).catch(() => undefined);
    await waitUntil("the node's processes have ended", () => {
      try {
        rmdirSync(this.cgroup);
        return true;
      } catch {
        return false;
      }
    });
  }

  #tattle(...words: string[]): string[] {
    const main = join(this.#build, "cli", "main.js");
    return [process.execPath, main, ...words, "--settings", this.#settings, "--cgroup", this.cgroup];
  }

  #start(program: string, words: readonly string[], cgroup?: string): ChildProcess {
    const line = [process.execPath, join(this.#build, "cli", `${program}.js`), ...words];
    return this.#network.start(this.#place, line, cgroup);
  }

  #listen(child: ChildProcess): void {
    let rest = "";
    child.stdout?.on("data", (text: Buffer) => {
      const lines = (rest + text.toString()).split("\n");
      rest = lines.pop() ?? "";
      this.reports.push(...lines.map((line) => JSON.parse(line) as LeakReport));
    });
    child.stderr?.pipe(process.stderr);
  }

  async #reported(event: LeakReport["event"]): Promise<void> {
    await this.#network.waitUntil(
      `the detector says ${event}`,
      () => {
        const refused = this.reports.find((report) => report.event === "refused");
        if (refused) throw new Error(`tattle mark add: ${refused.said ?? ""}`);
        return this.reports.some((report) => report.event === event);
      },
      60_000,
    );
  }
}
