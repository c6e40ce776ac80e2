/** A heartbeat in which all is well, and what a test says otherwise. */
import type { Heartbeat } from "../../policy/agent-report.ts";

export function heartbeatOf(agent: string, time: number, fields: Partial<Heartbeat> = {}): Heartbeat {
  return {
    agent,
    time,
    startedAt: time - 100,
    hostName: "border-1",
    version: "0.1.0",
    policy: { name: "drop-critical", digest: "0".repeat(64) },
    hooks: ["FORWARD"],
    backend: "nft",
    counters: [{ verdict: "drop", rule: "critical", packets: 5, octets: 500 }],
    drift: { count: 0, differences: [] },
    reinserted: 0,
    lagSeconds: 0,
    spooled: 0,
    refused: 0,
    gapPackets: 0,
    awaitsConfirmation: false,
    insecureHttp: false,
    ...fields,
  };
}
