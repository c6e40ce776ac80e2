/** `tattle host ADDRESS`: everything known about one host. */
import { unmarkedMeaning } from "../../analytics/unmarked-meaning.ts";
import type { HostFlow, HostReport, RankedDetection, Unmarked } from "../../analytics/store.ts";
import { readAddress } from "../address-argument.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { formatCount, formatOctets } from "../octets-text.ts";
import { printable, printableJson } from "../printable.ts";
import { formatAge, formatRankedHosts, formatUnrankedHosts, hostName, plural } from "../ranking-table.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";
import type { Style } from "../style.ts";
import { formatTable } from "../text-table.ts";
import { formatTime, parseTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const address = readAddress(line.operands[0] ?? "", "host");
  const asOf = line.value("as-of");
  const time = asOf === undefined ? undefined : parseTime(asOf, "--as-of");
  const limit = readWholeNumber(line, "limit", { minimum: 0 }) ?? 20;
  const report = await withEvidence(line, shell, async (store) => store.host(address, time));
  if (!report) throw new CliError(neverSeen(address, time));
  const kept = { ...report, flows: report.flows.slice(0, limit) };
  shell.out(line.has("json") ? `${printableJson(kept)}\n` : formatHost(kept, shell));
  return exitCodes.done;
}

/** What was seen later than `asOf` must not be denied: whoever turned the clock back asks again without. */
function neverSeen(address: string, asOf: number | undefined): string {
  if (asOf === undefined) return `${address} was never seen with a mark`;
  return `${address} was not seen with a mark up to ${formatTime(asOf)}`;
}

function formatHost(report: HostReport, shell: Shell): string {
  const style = createStyle(shell.colour);
  const layout = { columns: shell.columns, style };
  const host = report.ranked ?? report.unranked;
  const parts = [
    `${style.strong(host ? printable(hostName(host)) : "")}  ${style.faint(`as of ${formatTime(report.asOf)}`)}\n`,
    report.ranked ? formatRankedHosts([{ host: report.ranked }], report.asOf, layout) : "",
    report.unranked ? formatUnrankedHosts([report.unranked], report.asOf, layout) : "",
    report.ranked?.unmarked ? formatUnmarked(report.ranked.unmarked, style) : "",
    formatDetections(host?.detections ?? [], report.asOf, layout),
    formatFlows(report, layout),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function formatUnmarked({ since, lastSeen, packets }: Unmarked, style: Style): string {
  const what = `Now unmarked: since ${formatTime(since)} it sent ${plural(packets, "packet")} without a mark, the last at ${formatTime(lastSeen)}.`;
  return `${style.warning(what)}\n${unmarkedMeaning}\n`;
}

interface Layout {
  readonly columns: number | undefined;
  readonly style: Style;
}

function formatDetections(detections: readonly RankedDetection[], asOf: number, layout: Layout): string {
  return formatTable(
    [
      { title: "Detected at" },
      { title: "" },
      { title: "Activity", gives: true },
      { title: "Severity" },
      { title: "ATT&CK" },
      { title: "Trust" },
      { title: "Packets", align: "right" },
      { title: "Last seen" },
    ],
    detections.map((detection) => [
      formatTime(detection.detectedAt),
      formatAge(asOf - detection.detectedAt),
      detection.title,
      {
        text: detection.severity,
        paint: (text) => layout.style.severity(detection.severity, text),
      },
      detection.attack ?? "",
      detection.trust,
      formatCount(detection.packets),
      formatAge(asOf - detection.lastSeen),
    ]),
    { width: layout.columns, paintTitle: layout.style.strong },
  );
}

function formatFlows(report: HostReport, layout: Layout): string {
  if (report.flows.length === 0) return "";
  const table = formatTable(
    [
      { title: "Last seen" },
      { title: "Peer", gives: true },
      { title: "Port", align: "right" },
      { title: "Outcome" },
      { title: "Marked packets", align: "right" },
      { title: "Sent", align: "right" },
      { title: "Acknowledged", align: "right" },
    ],
    report.flows.map((flow) => [
      formatTime(flow.lastSeen),
      hostName({ address: flow.peer, ...(flow.peerName === undefined ? {} : { name: flow.peerName }) }),
      `${flow.peerPort}`,
      { text: flow.outcome, paint: outcomePaint(flow.outcome, layout.style) },
      formatCount(flow.markedPackets),
      formatOctets(flow.markedOctets),
      formatOctets(flow.acknowledgedOctets),
    ]),
    { width: layout.columns, paintTitle: layout.style.strong },
  );
  const more = report.flowCount - report.flows.length;
  const rest = more > 0 ? layout.style.faint(`and ${plural(more, "older flow")} (--limit shows more)\n`) : "";
  return table + rest;
}

function outcomePaint(outcome: HostFlow["outcome"], style: Style): (text: string) => string {
  switch (outcome) {
    case "passed":
      return style.warning;
    case "stopped":
      return style.good;
    case "unanswered":
    case "connected":
      return (text) => text;
  }
}
