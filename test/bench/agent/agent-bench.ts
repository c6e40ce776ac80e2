/** `npm run bench agent`: what the live agent costs, and what it keeps up with, in network namespaces (needs root). */
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { buildCommand } from "../../support/build-command.ts";
import { backends } from "../../../live-agent/enforcement/iptables.ts";
import { Topology, whyNoNamespaces } from "../../support/netns.ts";
import { measureAltering } from "./altered-traffic.ts";
import type { AlterResult } from "./altered-traffic.ts";
import { measureFirst, measureFlood, measureLatency } from "./marked-traffic.ts";
import type { FirstResult, FloodResult, LatencyResult } from "./marked-traffic.ts";
import {
  measureFirstLook,
  measureForwarding,
  measureThroughput,
  throughputCases,
} from "./unmarked-traffic.ts";
import type { ForwardingResult, RuleCost, ThroughputResult } from "./unmarked-traffic.ts";

export interface AgentBench {
  readonly throughput: readonly ThroughputResult[];
  readonly forwarding: readonly ForwardingResult[];
  readonly firstLook: readonly RuleCost[];
  readonly altering: readonly AlterResult[];
  readonly first: FirstResult;
  readonly latency: LatencyResult;
  readonly floods: readonly FloodResult[];
  readonly loadBefore: number;
}

export interface AgentBenchSettings {
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

/** @throws Error if namespaces cannot be made here */
export async function benchAgent({ quick, tell }: AgentBenchSettings): Promise<AgentBench> {
  const reason = whyNoNamespaces();
  if (reason !== undefined) throw new Error(reason);
  const [loadBefore = NaN] = loadavg();
  const folder = mkdtempSync(join(tmpdir(), "tattle-bench-agent-"));
  const build = buildCommand();
  const topology = await Topology.open();
  const place = { topology, build, folder };
  try {
    tell("the first marked packets");
    const first = await measureFirst(place, quick ? 50 : 1000);
    tell("a thousand marked packets a second");
    const latency = await measureLatency(place, quick ? 2 : 20, 1000);
    const floods: FloodResult[] = [];
    for (const sampling of [{}, { sampling: { rate: 10, burst: 20 } }]) {
      tell(`a flood; sampling: ${JSON.stringify(sampling)}`);
      floods.push(await measureFlood(place, sampling, quick ? 1 : 10));
    }
    tell("the first look");
    const firstLook = await measureFirstLook(topology, folder, quick ? 1 : 7);
    const forwarding: ForwardingResult[] = [];
    for (const backend of backends) {
      tell(`forwarding: ${backend}`);
      forwarding.push(await measureForwarding(topology, folder, backend, quick ? 2 : 15));
    }
    tell("altered connections");
    const altering = await measureAltering(topology, quick ? 2 : 7, (quick ? 50 : 300) * 1_000_000);
    topology.start("outside", "nice", ["-n", "-10", "iperf3", "-s"]);
    const throughput: ThroughputResult[] = [];
    for (const one of throughputCases) {
      tell(`unmarked traffic: ${one.what}`);
      throughput.push(await measureThroughput(topology, one, quick ? 2 : 15));
    }
    return { throughput, forwarding, firstLook, altering, first, latency, floods, loadBefore };
  } finally {
    await topology.close();
    rmSync(folder, { recursive: true, force: true });
    rmSync(build, { recursive: true, force: true });
  }
}
