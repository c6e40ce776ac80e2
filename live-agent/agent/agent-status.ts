/** How the agent is: what `tattle agent status` shows, and the metrics are made of. */
import type { Heartbeat } from "../../policy/agent-report.ts";

export interface AgentStatus {
  readonly heartbeat: Heartbeat;
  readonly processId: number;
  readonly reading: {
    readonly isListening: boolean;
    /** Times that tcpdump ended by itself. */
    readonly restarts: number;
    /** Logged packets that were no event. */
    readonly ignored: number;
    /** Seconds from the newest packet to its event. */
    readonly lagSeconds: number;
  };
  /** Absent without a server. */
  readonly publishing?: { readonly url: string; readonly problem?: string };
  readonly notices: { readonly pending: number; readonly dead: number };
  /** Memory of the agent's own process. */
  readonly residentOctets: number;
}

/** Where a running agent answers. */
export const statusSocket = "agent.sock";

/** Prometheus text format 0.0.4. Names of rules are a-z, 0-9 and -, so nothing needs escaping. */
export function formatMetrics(status: AgentStatus): string {
  const { heartbeat, reading, notices } = status;
  const metric = (name: string, type: "counter" | "gauge", help: string, value: number): string =>
    `# HELP tattle_${name} ${help}\n# TYPE tattle_${name} ${type}\ntattle_${name} ${value}\n`;
  return [
    ruleMetric(heartbeat, "packets", "Marked packets by verdict and rule, as the kernel counts them."),
    ruleMetric(heartbeat, "octets", "Octets of marked packets by verdict and rule."),
    metric(
      "drift_lines",
      "gauge",
      "Differences between wanted and present rules at the last look.",
      heartbeat.drift.count,
    ),
    metric("jumps_reinserted_total", "counter", "Jumps put back to the first place.", heartbeat.reinserted),
    metric("spooled_events", "gauge", "Events that the dashboard does not have yet.", heartbeat.spooled),
    metric("lag_seconds", "gauge", "Age of the oldest of these.", heartbeat.lagSeconds),
    metric("refused_events_total", "counter", "Events that the dashboard refused.", heartbeat.refused),
    metric("gap_packets_total", "counter", "Packets told in gap events.", heartbeat.gapPackets),
    metric("event_lag_seconds", "gauge", "Time from the newest packet to its event.", reading.lagSeconds),
    metric("listening", "gauge", "Whether logged packets are being read.", reading.isListening ? 1 : 0),
    metric("tcpdump_restarts_total", "counter", "Times that tcpdump ended by itself.", reading.restarts),
    metric("notices_pending", "gauge", "Messages on their way.", notices.pending),
    metric("notices_dead", "gauge", "Messages that never got through.", notices.dead),
    metric(
      "awaits_confirmation",
      "gauge",
      "Whether changed rules wait to be confirmed.",
      heartbeat.awaitsConfirmation ? 1 : 0,
    ),
    metric(
      "insecure_http",
      "gauge",
      "Whether events go in clear beyond loopback.",
      heartbeat.insecureHttp ? 1 : 0,
    ),
    metric("resident_octets", "gauge", "Memory of the agent's process.", status.residentOctets),
    metric("start_time_seconds", "gauge", "When the agent started, since 1970.", heartbeat.startedAt),
  ].join("");
}

function ruleMetric({ counters }: Heartbeat, unit: "packets" | "octets", help: string): string {
  const name = `tattle_rule_${unit}_total`;
  const lines = counters.map(
    (counter) => `${name}{verdict="${counter.verdict}",rule="${counter.rule}"} ${counter[unit]}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines.join("")}`;
}
