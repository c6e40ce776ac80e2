/** What altering costs: throughput of a marked connection that reads zeros, over one that is accepted. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { applyPolicy, removeRules } from "../../../live-agent/enforcement/enforcement.ts";
import type { EnforcementPoint } from "../../../live-agent/enforcement/enforcement.ts";
import type { Hook } from "../../../live-agent/enforcement/enforcement-settings.ts";
import { buildKernelPrograms, nowSeconds, pointOn } from "../../netns/enforcement-support.ts";
import { MarkingHost, serve } from "../../netns/marking-host.ts";
import { policyOf } from "../../policy/policy-support.ts";
import { addresses } from "../../support/netns.ts";
import type { Topology } from "../../support/netns.ts";
import { markOption } from "../../support/segment.ts";
import { measurePairs, ratioOf } from "./ratio.ts";
import type { Ratio } from "./ratio.ts";

export interface AlterResult {
  readonly where: "a router" | "an end host";
  readonly ratio: Ratio;
  readonly program: string;
  /** Nanoseconds of the program for a packet, as the kernel counts; packets are up to 64 KB here. */
  readonly perPacket: number;
}

const port = 7001;
const statistics = "/proc/sys/kernel/bpf_stats_enabled";

export async function measureAltering(
  topology: Topology,
  pairs: number,
  octets: number,
): Promise<AlterResult[]> {
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  await serve(topology, "drain", port);
  const host = await MarkingHost.open(topology);
  const before = readFileSync(statistics, "utf8");
  writeFileSync(statistics, "1");
  try {
    await host.carry(markOption([{ detectedAt: nowSeconds(), category: 2, activity: 1 }]));
    const send = async (point: EnforcementPoint): Promise<number> => {
      await applyPolicy(point, nowSeconds());
      const { milliseconds = NaN } = await host.send(addresses.outside[4], octets, port);
      return octets / milliseconds;
    };
    const results: AlterResult[] = [];
    for (const [where, place, hook, name] of [
      ["a router", "router", "FORWARD", "tattle_zero"],
      ["an end host", "outside", "INPUT", "tattle_return"],
    ] as const) {
      const altering = pointAt(topology, place, hook, "alter");
      let perPacket = NaN;
      const rates = await measurePairs(
        pairs,
        async () => {
          const rate = await send(altering);
          perPacket = nanoseconds(name);
          return rate;
        },
        () => send(pointAt(topology, place, hook, "accept")),
      );
      await removeRules(altering);
      results.push({ where, ratio: ratioOf(rates), program: name, perPacket });
    }
    return results;
  } finally {
    writeFileSync(statistics, before);
    await host.close();
  }
}

function pointAt(
  topology: Topology,
  place: "router" | "outside",
  hook: Hook,
  action: "alter" | "accept",
): EnforcementPoint {
  const outside = place === "router" ? "wan0" : "eth0";
  const policy = policyOf([{ name: "leaks", category: ["leak"], action }], { outside: [outside] });
  const point = pointOn(topology, "nft", policy);
  return { ...point, hooks: [hook], iptables: { ...point.iptables, run: topology.runner(place) } };
}

interface ProgramStatistics {
  readonly run_time_ns?: number;
  readonly run_cnt?: number;
}

/** Of the program of this name that ran most. */
function nanoseconds(name: string): number {
  const { stdout } = spawnSync("bpftool", ["-j", "prog", "show", "name", name], { encoding: "utf8" });
  const said = JSON.parse(stdout) as ProgramStatistics | readonly ProgramStatistics[];
  const programs = Array.isArray(said) ? (said as readonly ProgramStatistics[]) : [said as ProgramStatistics];
  const [most] = programs.toSorted((left, right) => (right.run_cnt ?? 0) - (left.run_cnt ?? 0));
  return (most?.run_time_ns ?? NaN) / (most?.run_cnt ?? NaN);
}
