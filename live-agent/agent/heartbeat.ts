/** What the agent says about itself, from its parts. */
import { pid } from "node:process";
import type { Heartbeat } from "../../policy/agent-report.ts";
import { parseLabel } from "../events/gap-account.ts";
import type { VerdictCounters } from "../enforcement/enforcement.ts";
import type { AgentParts } from "./agent-parts.ts";
import type { AgentStatus } from "./agent-status.ts";

const mostDifferences = 20;
const longestDifference = 300;
const mostCounters = 2000;

/** How the agent is now. */
export function statusOf(parts: AgentParts): AgentStatus {
  const { packets, recorder, publishing, notices } = parts;
  return {
    heartbeat: heartbeatOf(parts),
    processId: pid,
    reading: {
      isListening: packets.isListening,
      restarts: packets.restarts,
      ignored: packets.ignored,
      lagSeconds: recorder.lagSeconds,
    },
    ...(publishing ? { publishing: publishing.status } : {}),
    notices: notices.counts,
    residentOctets: process.memoryUsage.rss(),
  };
}

/** What the dashboard is told every ten seconds. */
export function heartbeatOf(parts: AgentParts): Heartbeat {
  const { id, name, startedAt, world, loaded, point, keeper, recorder, spool, publishing, change } = parts;
  const now = world.now();
  const oldest = spool.oldest();
  return {
    agent: id,
    time: now,
    startedAt,
    hostName: name,
    version: world.version,
    policy: { name: loaded.policy.name, digest: loaded.digest },
    hooks: [...point.hooks],
    backend: point.iptables.backend,
    counters: countersOf(keeper.counters),
    drift: {
      count: keeper.drift.count,
      differences: keeper.drift.differences
        .slice(0, mostDifferences)
        .map((line) => line.slice(0, longestDifference)),
    },
    reinserted: keeper.reinserted,
    lagSeconds: oldest ? Math.max(0, now - oldest.time) : 0,
    spooled: spool.waiting,
    refused: publishing?.refused ?? 0,
    gapPackets: recorder.gapPackets,
    ...(keeper.renewedAt === undefined ? {} : { renewedAt: keeper.renewedAt }),
    awaitsConfirmation: change.state === "pending",
    insecureHttp: publishing?.isInClear ?? false,
  };
}

function countersOf(counters: VerdictCounters): Heartbeat["counters"] {
  return [...counters].slice(0, mostCounters).flatMap(([label, { packets, octets }]) => {
    const { verdict, rule } = parseLabel(label) ?? {};
    return verdict === undefined || rule === undefined ? [] : [{ verdict, rule, packets, octets }];
  });
}
