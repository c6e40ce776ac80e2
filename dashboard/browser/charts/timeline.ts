/**
 * One host over time: a lane per detection (when it was detected, and when packets told of it), what enforcement points did,
 * and below, on the same scale, how many marked packets were seen.
 */
import { axisX, axisY, dot, gridX, link, plot, rectY, ruleX, ruleY } from "@observablehq/plot";
import type { HostReport, LaneBin, RankedDetection, TimelineBin } from "../../../analytics/store.ts";
import type { TriageEntry } from "../../../analytics/triage/triage.ts";
import { h } from "../element.ts";
import { formatCount, formatPlural } from "../number-text.ts";
import { severityRadius, severitySymbols } from "../parts/severity.ts";
import { table } from "../parts/table.ts";
import { absoluteTime } from "../parts/time.ts";
import { formatPlainTime, formatSpan, formatTime } from "../time-text.ts";
import { visible } from "../visible.ts";
import { decisionDots, decisionLane } from "./decision-lane.ts";
import { chartFigure, plotClass } from "./figure.ts";

interface Lane {
  readonly title: string;
  readonly detection: RankedDetection;
  /** Where the symbol stands; the start of the scale if it was detected before. */
  readonly at: number;
}

interface Scale {
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
}

/** Below the detections: what passed, and what enforcement points stopped. The symbols are those of the network timeline. */
const binLanes: Readonly<Record<LaneBin["lane"], { title: string; symbol: string; colour: string }>> = {
  passed: { title: "Flows passed", symbol: "square", colour: "var(--high)" },
  stopped: { title: "Packets stopped", symbol: "triangle", colour: "var(--lowers)" },
};

export function timelineChart(
  report: HostReport,
  detections: readonly RankedDetection[],
  decisions: readonly TriageEntry[],
): HTMLElement {
  const scale = scaleOf(report, detections);
  const lanes = detections.map((detection, index) => ({
    title: laneTitle(detections, index),
    detection,
    at: Math.max(scale.start, detection.detectedAt),
  }));
  return chartFigure({
    label: "Detections, what passed and what was stopped, decisions and marked packets over time",
    draw: (width) =>
      h(
        "div",
        { class: "timeline" },
        drawLanes(lanes, report, { scale, decisions }, width),
        drawBins(report.timeline, scale, width),
      ),
    twin: twin(report, detections),
  });
}

/** The time in which there were packets, and before it as much again: detections from long before stand at its start. */
function scaleOf(report: HostReport, detections: readonly RankedDetection[]): Scale {
  const times = [
    ...detections.flatMap((detection) => [detection.firstSeen, detection.lastSeen]),
    ...report.timeline.flatMap((bin) => [bin.start, bin.start + bin.seconds]),
    ...report.lanes.flatMap((bin) => [bin.start, bin.start + bin.seconds]),
  ];
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const last = times.reduce((most, time) => Math.max(most, time), 0);
  if (times.length === 0) return { start: report.asOf - 3600, end: report.asOf };
  const span = Math.max(60, last - first);
  const detected = detections.map((detection) => detection.detectedAt).filter((time) => time >= first - span);
  const start = Math.min(first, ...detected);
  const isNear = report.asOf >= last && report.asOf - last < span / 2;
  const end = isNear ? report.asOf : last;
  const margin = (end - start) * 0.02 + 1;
  return { start: start - margin, end: end + margin };
}

function laneTitle(detections: readonly RankedDetection[], index: number): string {
  const title = visible(detections[index]?.title ?? "");
  const same = detections.slice(0, index).filter((detection) => visible(detection.title) === title).length;
  return same === 0 ? title : `${title} (${same + 1})`;
}

const date = (seconds: number): Date => new Date(seconds * 1000);
const colour = ({ detection }: Lane): string => `var(--${detection.severity})`;

const tickCount = (width: number): number => Math.max(2, Math.floor(width / 140));

function layout(width: number, { start, end }: Scale): { marginLeft: number; x: object; grid: object } {
  return {
    marginLeft: width < 640 ? 112 : 216,
    x: { type: "utc", domain: [date(start), date(end)], label: null, axis: null },
    grid: { stroke: "var(--line)", strokeOpacity: 1, ticks: tickCount(width) },
  };
}

function drawLanes(
  lanes: readonly Lane[],
  { lanes: bins, asOf }: HostReport,
  { scale, decisions }: { scale: Scale; decisions: readonly TriageEntry[] },
  width: number,
): SVGSVGElement | HTMLElement {
  const { marginLeft, x, grid } = layout(width, scale);
  const narrow = width < 640;
  const binRows = (["passed", "stopped"] as const).filter((lane) => bins.some((bin) => bin.lane === lane));
  const rows = [
    ...lanes.map((lane) => lane.title),
    ...binRows.map((lane) => binLanes[lane].title),
    ...(decisions.length > 0 ? [decisionLane] : []),
  ];
  const most = bins.reduce((count, bin) => Math.max(count, bin.count), 1);
  return plot({
    className: plotClass,
    width,
    height: rows.length * 34 + 12,
    marginLeft,
    marginRight: 20,
    marginTop: 6,
    marginBottom: 6,
    x,
    y: { domain: rows, label: null, padding: 0.3 },
    color: { type: "identity" },
    symbol: { type: "identity" },
    r: { type: "identity" },
    marks: [
      gridX(grid),
      ruleY(rows, { stroke: "var(--line)" }),
      axisY({
        tickSize: 0,
        tickPadding: 12,
        fontSize: narrow ? 11 : 12.5,
        fill: "var(--ink)",
        lineWidth: narrow ? 8.5 : 16,
        textOverflow: "ellipsis",
      }),
      scale.end >= asOf ? ruleX([date(asOf)], { stroke: "var(--accent)", strokeDasharray: "3 3" }) : null,
      link(lanes, {
        y: "title",
        x1: (lane: Lane) => date(lane.at),
        x2: (lane: Lane) => date(lane.detection.firstSeen),
        stroke: colour,
        strokeWidth: 1.5,
        strokeDasharray: "2 3",
      }),
      link(lanes, {
        y: "title",
        x1: (lane: Lane) => date(lane.detection.firstSeen),
        x2: (lane: Lane) => date(lane.detection.lastSeen + 0.001),
        stroke: colour,
        strokeWidth: 9,
        strokeOpacity: 0.28,
        strokeLinecap: "round",
      }),
      dot(lanes, {
        x: (lane: Lane) => date(lane.at),
        y: "title",
        symbol: ({ detection }: Lane) => severitySymbols[detection.severity],
        r: ({ detection }: Lane) => severityRadius[detection.severity] + 0.5,
        fill: colour,
        stroke: "var(--panel)",
        title: describeLane,
        tip: tipStyle,
      }),
      dot(bins, {
        x: (bin: LaneBin) => date(bin.start + bin.seconds / 2),
        y: (bin: LaneBin) => binLanes[bin.lane].title,
        symbol: (bin: LaneBin) => binLanes[bin.lane].symbol,
        // Area by number, within what the lane holds.
        r: (bin: LaneBin) => 2.6 + 4.4 * Math.sqrt(bin.count / most),
        fill: (bin: LaneBin) => (bin.lane === "passed" ? binLanes.passed.colour : "var(--panel)"),
        stroke: (bin: LaneBin) => binLanes[bin.lane].colour,
        strokeWidth: 1.3,
        title: describeBin,
        tip: tipStyle,
      }),
      decisions.length > 0 ? decisionDots(decisions, scale, tipStyle) : null,
    ],
  });
}

const tipStyle = { fontSize: 12, lineHeight: 1.35, stroke: "var(--line-strong)", textPadding: 10 };

function describeLane({ detection, at }: Lane): string {
  const before =
    at > detection.detectedAt ? ` (${formatSpan(at - detection.detectedAt)} before this scale)` : "";
  return visible(
    [
      `${detection.title} (${detection.severity})`,
      `detected ${formatTime(detection.detectedAt)}${before}`,
      `told by ${formatCount(detection.packets)} packets`,
      `${formatPlainTime(detection.firstSeen)} to ${formatTime(detection.lastSeen)}`,
    ].join("\n"),
  );
}

function describeBin({ lane, count, start, seconds }: LaneBin): string {
  const what = lane === "passed" ? formatPlural(count, "flow") : formatPlural(count, "packet");
  return `${what} ${lane}\n${formatPlainTime(start)} to ${formatTime(start + seconds)}`;
}

/** 24 hours, with the day at the first tick and where it changes; seconds where the scale is short. */
function clockText({ start, end }: Scale): (time: Date) => string {
  let previousDay = "";
  return (time) => {
    const text = time.toISOString();
    const clock = text.slice(11, end - start < 900 ? 19 : 16);
    const day = text.slice(0, 10);
    if (day === previousDay) return clock;
    previousDay = day;
    return `${clock}\n${day}`;
  };
}

function drawBins(bins: readonly TimelineBin[], scale: Scale, width: number): SVGSVGElement | HTMLElement {
  const { marginLeft, x, grid } = layout(width, scale);
  const pixels = ((bins[0]?.seconds ?? 0) / (scale.end - scale.start)) * (width - marginLeft - 20);
  // A gap between bars that are hardly a pixel wide would leave nothing of them.
  const inset = pixels > 3 ? 0.5 : 0;
  return plot({
    className: plotClass,
    width,
    height: 128,
    marginLeft,
    marginRight: 20,
    marginTop: 12,
    marginBottom: 38,
    x,
    y: { label: null, grid: false },
    marks: [
      gridX(grid),
      axisY({ ticks: 3, tickSize: 0, fontSize: 11.5, fill: "var(--ink-3)", tickFormat: "~s" }),
      axisX({
        ticks: tickCount(width),
        tickFormat: clockText(scale),
        tickSize: 0,
        fontSize: 11.5,
        fill: "var(--ink-3)",
      }),
      rectY(bins, {
        x1: (bin: TimelineBin) => date(bin.start),
        x2: (bin: TimelineBin) => date(bin.start + bin.seconds),
        y: "markedPackets",
        fill: "var(--accent)",
        fillOpacity: 0.65,
        insetLeft: inset,
        insetRight: inset,
        title: (bin: TimelineBin) =>
          `${formatCount(bin.markedPackets)} marked packets\n${formatPlainTime(bin.start)} to ${formatTime(bin.start + bin.seconds)}`,
        tip: tipStyle,
      }),
      ruleY([0], { stroke: "var(--line-strong)" }),
    ],
  });
}

function twin(report: HostReport, detections: readonly RankedDetection[]): HTMLElement {
  return h(
    "div",
    { class: "twins" },
    table<RankedDetection>(
      "Detections over time",
      [
        { title: "Detection", cell: (detection) => detection.title },
        { title: "Detected", cell: (detection) => absoluteTime(detection.detectedAt) },
        { title: "First seen", cell: (detection) => absoluteTime(detection.firstSeen) },
        { title: "Last seen", cell: (detection) => absoluteTime(detection.lastSeen) },
      ],
      detections,
    ),
    table<LaneBin>(
      "Flows passed and packets stopped over time",
      [
        { title: "From", cell: (bin) => absoluteTime(bin.start) },
        { title: "For", cell: (bin) => formatSpan(bin.seconds) },
        { title: "What", cell: (bin) => binLanes[bin.lane].title },
        { title: "Count", cell: (bin) => formatCount(bin.count), numeric: true },
      ],
      report.lanes,
      50,
    ),
    table<TimelineBin>(
      "Marked packets over time",
      [
        { title: "From", cell: (bin) => absoluteTime(bin.start) },
        { title: "For", cell: (bin) => formatSpan(bin.seconds) },
        { title: "Marked packets", cell: (bin) => formatCount(bin.markedPackets), numeric: true },
      ],
      report.timeline,
      50,
    ),
  );
}
