/** How an agent is, in words: what `tattle agent status` prints. */
import type { AgentStatus } from "../live-agent/agent/agent-status.ts";
import { formatCount, formatOctets } from "./octets-text.ts";
import { printable } from "./printable.ts";
import type { Shell } from "./shell.ts";
import { createStyle } from "./style.ts";
import { formatTable } from "./text-table.ts";
import { formatSpan, formatTime } from "./time-text.ts";

export function formatAgentStatus(status: AgentStatus, shell: Shell): string {
  const { heartbeat, reading, publishing, notices } = status;
  const style = createStyle(shell.colour);
  const { drift } = heartbeat;
  const lines: [string, string, boolean?][] = [
    [
      "agent",
      `${heartbeat.hostName} (${heartbeat.agent}), process ${status.processId}, tattle ${heartbeat.version}`,
    ],
    ["since", `${formatTime(heartbeat.startedAt)}, ${formatSpan(heartbeat.time - heartbeat.startedAt)}`],
    ["policy", `${heartbeat.policy.name} (${heartbeat.policy.digest.slice(0, 12)})`],
    ["enforces on", `${heartbeat.hooks.join(", ")}, ${heartbeat.backend} backend`],
    ["drift", drift.count === 0 ? "none" : drift.differences.join("; "), drift.count > 0],
    ["jumps put back", String(heartbeat.reinserted), heartbeat.reinserted > 0],
    ...(heartbeat.renewedAt === undefined
      ? []
      : [["times renewed", formatTime(heartbeat.renewedAt)] satisfies [string, string]]),
    ["logged packets", reading.isListening ? "are read" : "are NOT read", !reading.isListening],
    ["told as gaps", `${formatCount(heartbeat.gapPackets)} packets`, heartbeat.gapPackets > 0],
    ["dashboard", describePublishing(publishing), publishing?.problem !== undefined],
    ["spooled", `${formatCount(heartbeat.spooled)} events, oldest ${formatSpan(heartbeat.lagSeconds)} ago`],
    ["notices", `${notices.pending} on their way, ${notices.dead} never got through`, notices.dead > 0],
    ["memory", formatOctets(status.residentOctets)],
  ];
  if (heartbeat.awaitsConfirmation) lines.push(["change", "waits for tattle agent confirm", true]);
  if (heartbeat.insecureHttp) lines.push(["insecure http", "events and the token go in clear", true]);
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, value, isBad = false]) => {
    const shown = printable(value);
    return `${name.padEnd(width)}  ${isBad ? style.warning(shown) : shown}\n`;
  });
  return `${text.join("")}\n${formatCounters(status, shell)}`;
}

function describePublishing(publishing: AgentStatus["publishing"]): string {
  if (!publishing) return "none is configured";
  return publishing.problem === undefined ? publishing.url : `${publishing.url}: ${publishing.problem}`;
}

function formatCounters({ heartbeat }: AgentStatus, shell: Shell): string {
  const rows = heartbeat.counters
    .filter(({ packets }) => packets > 0)
    .map(({ verdict, rule, packets, octets }) => [verdict, rule, formatCount(packets), formatOctets(octets)]);
  if (rows.length === 0) return "no marked packet so far\n";
  const style = createStyle(shell.colour);
  return formatTable(
    [
      { title: "Verdict" },
      { title: "Rule" },
      { title: "Packets", align: "right" },
      { title: "Octets", align: "right" },
    ],
    rows,
    { width: shell.columns, paintTitle: style.strong },
  );
}
