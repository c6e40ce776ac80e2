/** The paper's experiment, small: 24 nodes in 4 groups, one leak, one marking router. The full one is `npm run experiment`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCommand, repositoryRoot } from "../support/build-command.ts";
import { listLeftovers } from "./experiment-network.ts";
import { quickPlan } from "./experiment-plan.ts";
import { requestsOf } from "./request-order.ts";
import { nodePrograms, runExperiment } from "./run-experiment.ts";
import type { RunResult } from "./run-result.ts";
import { whyNoExperiment } from "./why-no-experiment.ts";

const reason = whyNoExperiment();
if (reason !== undefined) console.warn(`not run: the paper's experiment; ${reason}`);

/** Nobody beyond the router searches before 34 s: marking takes seconds on a machine that is busy. */
const seed = 63;

/** Namespaces, cgroups, mounts, folders and processes of a run by this process. */
function leftBy(pid: number): string[] {
  const name = `tattle-experiment-${pid}`;
  const { namespaces, cgroups, folders } = listLeftovers((other) => other === pid);
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const commandLines = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ");
      } catch {
        return "";
      }
    });
  const named = [...mounts, ...commandLines].filter((text) => text.includes(name));
  return [...namespaces, ...cgroups, ...folders, ...named];
}

describe("the order of requests", () => {
  test("is that of the seed", () => {
    expect(requestsOf(quickPlan, 2, 9)).toEqual(requestsOf(quickPlan, 2, 9));
    expect(requestsOf(quickPlan, 3, 9)).not.toEqual(requestsOf(quickPlan, 2, 9));
    expect(requestsOf(quickPlan, 2, 10)).not.toEqual(requestsOf(quickPlan, 2, 9));
  });

  test("has searches of a sixth of the nodes, and nobody asks themselves", () => {
    const searches = (node: number): number =>
      requestsOf(quickPlan, 2, node).filter(({ kind }) => kind === "search").length;
    expect([11, 12, 13].map((node) => searches(node) > 0)).toEqual([false, true, false]);
    expect(requestsOf(quickPlan, 2, 9).some(({ peer }) => peer === 9)).toBe(false);
  });
});

describe.runIf(reason === undefined)("the paper's experiment, 24 nodes (needs root)", () => {
  let build = "";
  let output = "";
  let result: RunResult;
  beforeAll(async () => {
    build = buildCommand(nodePrograms);
    output = mkdtempSync(join(tmpdir(), "tattle-quick-experiment-"));
    const signal = new AbortController().signal;
    const tell = (): void => undefined;
    result = await runExperiment({
      plan: quickPlan,
      seed,
      variant: "drop",
      output,
      build,
      signal,
      tell,
    });
  }, 300_000);
  afterAll(() => {
    for (const folder of [build, output]) rmSync(folder, { recursive: true, force: true });
  });

  test("a detector notices the leak, and the node's packets are marked", () => {
    const { found, commandDone, firstPacket } = result.marking;
    expect(found).toBeGreaterThanOrEqual(0);
    expect(commandDone).toBeGreaterThanOrEqual(found);
    expect(firstPacket).toBeGreaterThanOrEqual(found);
  });

  test("the leaked files are taken inside, and nowhere beyond the router although nodes there ask for them", () => {
    expect(result.inside).toMatchObject([{ node: 12, from: 7 }]);
    expect(result.askedFromBeyond.searchers).toBeGreaterThan(1);
    expect(result.askedFromBeyond).toMatchObject({ octets: 0, notZero: 0 });
    expect(result.outside).toEqual([]);
  });

  test("communications with nodes beyond the router are cut, whoever opens them", () => {
    const { cut, openedByNode, openedByPeer } = result.communications;
    expect(openedByNode).toBeGreaterThan(5);
    expect(openedByPeer).toBeGreaterThan(5);
    expect(openedByNode + openedByPeer).toBe(cut);
  });

  test("no marked packet is beyond the router; iptables, events and captures count the same packets", () => {
    const { border, acted, missed } = result;
    expect(missed).toBe(0);
    expect(border.markedBeyond).toBe(0);
    expect(border.stopped).toBe(border.marked);
    expect(acted?.iptables).toBe(border.stopped);
    expect((acted?.events ?? 0) + (acted?.gaps ?? 0)).toBe(border.stopped);
  });

  test("the evidence shows who inside took the files", () => {
    expect(result.exposed).toBeGreaterThan(0);
    expect(result.exposed).toBeLessThan((result.inside[0]?.at ?? NaN) + 0.1);
  });

  test("nothing is left of it", () => {
    expect(leftBy(process.pid)).toEqual([]);
  });

  test("nothing is left of one that is interrupted, as by Ctrl-C", async () => {
    const stopping = new AbortController();
    let leftMeanwhile: string[] = [];
    const tell = (line: string): void => {
      if (!line.includes("requests begin")) return;
      leftMeanwhile = leftBy(process.pid);
      stopping.abort(new Error("interrupted"));
    };
    const ended = join(output, "ended");
    const settings = { plan: quickPlan, seed, variant: "drop", output: ended, build, tell } as const;
    await expect(runExperiment({ ...settings, signal: stopping.signal })).rejects.toThrow();
    expect(leftMeanwhile.length).toBeGreaterThan(24);
    expect(leftBy(process.pid)).toEqual([]);
  }, 240_000);
});

describe.runIf(reason === undefined)("`npm run experiment` (needs root)", () => {
  test("nothing is left when Ctrl-C is pressed while it sets up, and again and again", async () => {
    const output = join(tmpdir(), `tattle-interrupted-${process.pid}`);
    const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
      scripts: { experiment: string };
    };
    const [command = "", ...words] = scripts.experiment.split(" ");
    // A process group of its own, all of which a terminal sends the signal to.
    const child = spawn(command, [...words, "--quick", "--output", output], {
      cwd: repositoryRoot,
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    const pid = child.pid ?? NaN;
    let said = "";
    let again: NodeJS.Timeout | undefined;
    child.stderr.on("data", (text: Buffer) => {
      said += text.toString();
      if (said.includes("24 nodes")) again ??= setInterval(() => process.kill(-pid, "SIGINT"), 50);
    });
    child.on("exit", () => {
      clearInterval(again);
    });
    await once(child, "close");
    expect(said).toContain("ended by SIGINT");
    expect(leftBy(pid)).toEqual([]);
  }, 240_000);
});
