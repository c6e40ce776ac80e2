/** Captures as a table: how reading each of them ended. */
import type { CaptureReport } from "../analytics/store.ts";
import { describeReason } from "./ingest-captures.ts";
import { formatCount, formatOctets } from "./octets-text.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./text-table.ts";
import { formatTime } from "./time-text.ts";

/** One row a capture. */
export function formatCaptures(
  reports: readonly CaptureReport[],
  { style, columns }: { style: Style; columns: number | undefined },
): string {
  return formatTable(
    [
      { title: "Capture", gives: true },
      { title: "State" },
      { title: "Size", align: "right" },
      { title: "Packets", align: "right" },
      { title: "Marked", align: "right" },
      { title: "Malformed", align: "right", spare: 1 },
      { title: "First packet", spare: 2 },
      { title: "" },
    ],
    reports.map((report) => [
      report.name,
      { text: report.state, paint: statePaint(report, style) },
      ...countsOf(report),
      report.firstPacket === undefined ? "" : formatTime(report.firstPacket),
      describeReason(report),
    ]),
    { width: columns, paintTitle: style.strong },
  );
}

/** Of a refused capture nothing was counted, which is not to be taken for zero. */
function countsOf(report: CaptureReport): string[] {
  if (report.state === "refused") return ["", "", "", ""];
  const { octets, packets, markedPackets, malformedMarks } = report;
  return [formatOctets(octets), ...[packets, markedPackets, malformedMarks].map(formatCount)];
}

function statePaint(report: CaptureReport, style: Style): (text: string) => string {
  switch (report.state) {
    case "complete":
      return style.good;
    case "partial":
      return style.warning;
    case "refused":
      return style.bad;
  }
}
