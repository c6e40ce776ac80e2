/**
 * One run of the paper's experiment (its section 5) in network namespaces: nodes that share files, one that leaks and is
 * marked, a router that acts on the mark. Everything is made and removed here; evidence and result stay in a folder.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BorderRouter } from "./border-router.ts";
import { ExperimentNetwork, makeRunFolder, removeRunFolder } from "./experiment-network.ts";
import { addressOf, collectingSeconds, groupOf, networkOf, nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";
import { judgeRun } from "./judge-run.ts";
import type { RunRemains } from "./judge-run.ts";
import { MarkingNode } from "./marking-node.ts";
import { PacketCapture } from "./packet-capture.ts";
import type { RunResult, Variant } from "./run-result.ts";
import { SharingNodes } from "./sharing-nodes.ts";

export interface RunSettings {
  readonly plan: ExperimentPlan;
  readonly seed: number;
  readonly variant: Variant;
  /** Where captures, database and result.json go. */
  readonly output: string;
  /** The built command and the programs of the nodes. */
  readonly build: string;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Programs of a run that are built beside the command. */
export const nodePrograms = ["file-sharer", "worm-stand-in", "sharing-detector"].map(
  (name) => `test/experiment/${name}.ts`,
);

/** Kernel objects of a run, and how they are taken away again. */
interface Stage {
  /** By performance.now(). */
  readonly openedAt: number;
  readonly settings: RunSettings;
  readonly folder: string;
  readonly network: ExperimentNetwork;
  readonly nodes: SharingNodes;
  readonly leaking: MarkingNode;
  readonly router: BorderRouter;
}

export async function runExperiment(settings: RunSettings): Promise<RunResult> {
  const { plan, tell, signal } = settings;
  const openedAt = performance.now();
  const folder = makeRunFolder();
  let network: ExperimentNetwork | undefined;
  let leaking: MarkingNode | undefined;
  try {
    tell(
      `${nodesOf(plan).length} nodes in ${plan.groups} groups, seed ${settings.seed}, ${settings.variant}`,
    );
    network = await ExperimentNetwork.open(plan, signal);
    signal.throwIfAborted();
    const nodes = new SharingNodes(network, plan, join(folder, "nodes"));
    leaking = new MarkingNode(network, plan.leakNode, nodes.folderOf(plan.leakNode), settings.build);
    const router = new BorderRouter(network, {
      place: `router${plan.protectedGroup}`,
      folder: join(folder, "router"),
      build: settings.build,
      action: actionOf(settings.variant),
      letsHandshakesPass: settings.variant === "handshakes",
      waitSeconds: collectingSeconds(plan),
    });
    return await stageRun({ openedAt, settings, folder, network, nodes, leaking, router });
  } finally {
    await network?.endPrograms();
    await leaking?.close();
    await network?.close();
    removeRunFolder(folder);
  }
}

function actionOf(variant: Variant): "drop" | "alter" | "strip" {
  switch (variant) {
    case "drop":
    case "control":
    case "switched-off":
    case "secondary":
    case "handshakes":
      return "drop";
    case "alter":
    case "strip":
      return variant;
  }
}

async function stageRun(stage: Stage): Promise<RunResult> {
  const { settings, nodes, leaking, router } = stage;
  const { plan, variant, build, seed, signal, tell } = settings;
  const captures = await startCaptures(stage);
  if (variant !== "control") await router.start();
  const cgroups = new Map([[plan.leakNode, leaking.cgroup]]);
  await nodes.open(build, { seed, passOn: variant === "secondary" }, cgroups);
  signal.throwIfAborted();
  await leaking.watch();
  const setUp = (performance.now() - stage.openedAt) / 1000;
  const startMs = Date.now() + 200;
  nodes.begin(startMs);
  tell(`requests begin; the leak comes in ${plan.buildUp} s`);
  await delay(startMs + plan.buildUp * 1000 - Date.now(), undefined, { signal });
  await leaking.leak();
  const leakedAt = (leaking.reports.find(({ event }) => event === "copied")?.at ?? NaN) / 1000;
  tell(`it leaks and is marked; ${plan.seconds} s to go`);
  const switched = variant === "switched-off" ? await switchOff(stage, leakedAt) : undefined;
  await delay((leakedAt + plan.seconds) * 1000 - Date.now(), undefined, { signal });
  return concludeRun(stage, captures, { leakedAt, setUp, memory: nodes.memory, switched });
}

/** Ends everything in an order in which nothing goes uncounted, and keeps what was found. */
async function concludeRun(
  { settings, network, nodes, leaking, router }: Stage,
  captures: readonly PacketCapture[],
  known: Pick<RunRemains, "leakedAt" | "setUp" | "memory" | "switched">,
): Promise<RunResult> {
  const { plan, variant, output, tell } = settings;
  // What it has not sent by now is not sent any more, so that counters, events and captures end together.
  await network.run(`node${plan.leakNode}`, ["ip", "link", "set", "eth0", "down"]);
  await nodes.end(nodesOf(plan));
  const counted = variant === "control" ? undefined : await router.counted();
  await router.stop();
  // The kernel hands packets to tcpdump within a second; a signal before that loses the last ones.
  await delay(1500);
  let missed = 0;
  for (const capture of captures) missed += await capture.stop();
  tell("the run is over; what happened is read from captures and database");
  mkdirSync(output, { recursive: true });
  for (const { file } of captures) cpSync(file, join(output, basename(file)));
  const evidence = variant === "control" ? "" : join(output, "evidence.duckdb");
  if (evidence !== "") cpSync(router.database, evidence);
  const told = { leakReports: leaking.reports, reports: nodes.reports, notifiedAt: router.notifiedAt };
  const result = await judgeRun({ ...known, ...told, settings, evidence, counted, missed });
  writeFileSync(join(output, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

async function startCaptures({ settings, folder, network }: Stage): Promise<PacketCapture[]> {
  const { plan } = settings;
  const address = addressOf(plan, plan.leakNode);
  const net = networkOf(groupOf(plan, plan.leakNode));
  const router = `router${plan.protectedGroup}` as const;
  const crossing = ["tcp and host", address, "and not", `(src net ${net} and dst net ${net})`].join(" ");
  return [
    await PacketCapture.start(network, router, join(folder, "inside.pcap"), ["-i", "br0", crossing]),
    await PacketCapture.start(network, router, join(folder, "outside.pcap"), ["-i", "up0", crossing]),
    await PacketCapture.start(network, `node${plan.leakNode}`, join(folder, "node.pcap"), [
      "-i",
      "eth0",
      "tcp",
    ]),
  ];
}

/** Halfway, as a detector that was wrong does. */
async function switchOff(
  { settings, leaking, router }: Stage,
  leakedAt: number,
): Promise<{ readonly at: number; readonly rulesChanged: boolean }> {
  const { plan, signal, tell } = settings;
  await delay((leakedAt + plan.seconds / 2) * 1000 - Date.now(), undefined, { signal });
  const before = await router.rules();
  await leaking.switchOff();
  const at = Date.now() / 1000;
  tell("the mark is switched off");
  return { at, rulesChanged: (await router.rules()) !== before };
}
