/**
 * The chart of the first page: what was detected (one row per activity, most severe on top) against the time elapsed since,
 * one symbol per detection. Hollow symbols belong to contained hosts. The time scale is logarithmic, since a minute ago and
 * a day ago are the difference that matters.
 */
import { axisFy, axisX, dodgeY, dot, frame, gridX, plot } from "@observablehq/plot";
import type { RankedDetection, RankedHost } from "../../../analytics/store.ts";
import { severities } from "../../../wire/code-book.ts";
import { h } from "../element.ts";
import { severityIcon, severityLabel, severityRadius, severitySymbols } from "../parts/severity.ts";
import { table } from "../parts/table.ts";
import { absoluteTime, elapsedTime } from "../parts/time.ts";
import { formatSpan, formatTime } from "../time-text.ts";
import type { View } from "../view.ts";
import { hrefOf } from "../view.ts";
import { visible } from "../visible.ts";
import { chartFigure, plotClass } from "./figure.ts";

interface Mark {
  readonly host: RankedHost;
  readonly detection: RankedDetection;
  /** Seconds, at least 1: the scale is logarithmic, and clocks of hosts run ahead by some seconds. */
  readonly elapsed: number;
  readonly row: string;
}

/** More symbols than this say nothing and take long to draw; those of the lowest hosts are left out, and counted. */
const maxMarks = 1500;

/** Rows of the chart before the rest is asked for: the ranking below it should be in sight. */
const fewRows = 8;

const [minute, hour, day] = [60, 3600, 86_400];
/** Spans that people think in, seconds. */
const spans = [1, 2, 5, 10, 30]
  .concat([1, 2, 5, 10, 30].map((count) => count * minute))
  .concat([1, 2, 3, 6, 12].map((count) => count * hour))
  .concat([1, 2, 4, 7, 14, 30, 90, 365, 1826, 3652].map((count) => count * day));

export function elapsedChart(hosts: readonly RankedHost[], asOf: number, view: View): HTMLElement {
  const all = hosts.flatMap((host) => host.detections.map((detection) => toMark(host, detection, asOf)));
  const rows = rowsBySeverity(all);
  const shownRows = view.rows === "all" ? rows : rows.slice(0, fewRows);
  const marks = all.filter(({ row }) => shownRows.includes(row)).slice(0, maxMarks);
  return h(
    "div",
    {},
    chartFigure({
      label: "Detected activities against the time elapsed since their detection, one symbol per detection",
      draw: (width) => drawMarks(marks, shownRows, width, view),
      twin: twin(all, asOf),
      aside: rows.length > fewRows ? rowChoice(rows.length, view) : undefined,
    }),
  );
}

function rowChoice(count: number, view: View): HTMLElement {
  const [rows, text] =
    view.rows === "all"
      ? (["few", `Only the ${fewRows} most severe activities`] as const)
      : (["all", `All ${count} activities`] as const);
  return h("a", { id: "chart-rows", href: hrefOf({ ...view, rows }) }, text);
}

/** What the shapes mean. */
export function severityLegend(): HTMLElement {
  const contained = severityIcon("low");
  contained.classList.add("is-hollow");
  return h(
    "ul",
    { class: "legend" },
    severities.toReversed().map((severity) => h("li", {}, severityLabel(severity))),
    h("li", {}, h("span", { class: "severity" }, contained, "hollow: contained")),
  );
}

function toMark(host: RankedHost, detection: RankedDetection, asOf: number): Mark {
  return {
    host,
    detection,
    elapsed: Math.max(1, asOf - detection.detectedAt),
    row: visible(detection.title),
  };
}

function drawMarks(
  marks: readonly Mark[],
  rows: readonly string[],
  width: number,
  view: View,
): SVGSVGElement | HTMLElement {
  const narrow = width < 640;
  const marginLeft = narrow ? 112 : 216;
  const domain = timeDomain(marks);
  const rowHeight = Math.max(rows.length <= 6 ? 32 : 0, heightOfRow(marks, domain, width - marginLeft));
  const ticks = ticksWithin(domain, width - marginLeft);
  const colour = (mark: Mark): string => `var(--${mark.detection.severity})`;
  return plot({
    className: plotClass,
    width,
    height: rows.length * rowHeight + 28,
    marginLeft,
    marginRight: 20,
    marginTop: 4,
    marginBottom: 24,
    x: { type: "log", domain, label: null },
    fy: { domain: [...rows], padding: 0, label: null },
    color: { type: "identity" },
    symbol: { type: "identity" },
    r: { type: "identity" },
    marks: [
      frame({ anchor: "bottom", stroke: "var(--line)" }),
      gridX(ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
      axisFy({
        anchor: "left",
        tickSize: 0,
        tickPadding: 12,
        fontSize: narrow ? 11 : 12.5,
        fill: "var(--ink)",
        lineWidth: narrow ? 8.5 : 16,
        textOverflow: "ellipsis",
      }),
      axisX(ticks, {
        anchor: "bottom",
        // Not tickFormat: a logarithmic scale leaves out the labels of ticks that are no power of its base.
        text: (seconds: number) => formatSpan(seconds),
        tickSize: 0,
        fontSize: 12,
        fill: "var(--ink-3)",
        label: null,
      }),
      dot(
        marks,
        dodgeY(
          { anchor: "middle", padding: 1.5 },
          {
            fy: "row",
            x: "elapsed",
            r: (mark: Mark) => severityRadius[mark.detection.severity],
            symbol: (mark: Mark) => severitySymbols[mark.detection.severity],
            stroke: colour,
            strokeWidth: 1.8,
            fill: (mark: Mark) => (mark.host.contained ? "var(--panel)" : colour(mark)),
            fillOpacity: 0.82,
            href: (mark: Mark) => hrefOf({ ...view, page: "host", address: mark.host.address }),
            ariaLabel: describe,
            title: describe,
            tip: { fontSize: 12, lineHeight: 1.35, stroke: "var(--line-strong)", textPadding: 10 },
          },
        ),
      ),
    ],
  });
}

function describe({ host, detection, elapsed }: Mark): string {
  const score = `score ${host.score.toFixed(1)}, ${host.band}${host.contained ? ", contained" : ""}`;
  return visible(
    [
      host.name === undefined ? host.address : `${host.name}  ${host.address}`,
      `${detection.title} (${detection.severity})`,
      `${formatSpan(elapsed)} ago: ${formatTime(detection.detectedAt)}`,
      score,
    ].join("\n"),
  );
}

function rowsBySeverity(marks: readonly Mark[]): string[] {
  const rank = new Map<string, number>();
  for (const { row, detection } of marks) {
    const codes = detection.category * 256 + detection.activity;
    rank.set(row, -severities.indexOf(detection.severity) * 65_536 + codes);
  }
  return [...rank.keys()].toSorted((left, right) => (rank.get(left) ?? 0) - (rank.get(right) ?? 0));
}

/** From a span that people think in to another one, with room on both sides. */
function timeDomain(marks: readonly Mark[]): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = 1;
  for (const { elapsed } of marks) {
    least = Math.min(least, elapsed);
    most = Math.max(most, elapsed);
  }
  const start = spans.findLast((span) => span <= least / 1.3) ?? 0.7;
  return [start, spans.find((span) => span >= most * 1.3) ?? most * 1.3];
}

/** As many spans as have room for their labels; the older end always. */
function ticksWithin([least, most]: readonly [number, number], width: number): number[] {
  const all = spans.filter((span) => span >= least && span <= most);
  const step = Math.max(1, Math.ceil((all.length * 84) / Math.max(84, width)));
  return all.filter((_span, index) => (all.length - 1 - index) % step === 0);
}

/** High enough for the tallest heap of symbols, within reason. */
function heightOfRow(
  marks: readonly Mark[],
  [least, most]: readonly [number, number],
  width: number,
): number {
  const heaps = new Map<string, number>();
  let tallest = 1;
  for (const { row, elapsed } of marks) {
    const place = Math.floor(((Math.log(elapsed / least) / Math.log(most / least)) * width) / 14);
    const heap = (heaps.get(`${row} ${place}`) ?? 0) + 1;
    heaps.set(`${row} ${place}`, heap);
    tallest = Math.max(tallest, heap);
  }
  // Heaps grow to both sides of the middle. Two symbols may touch the rows beside them, rather than make all rows high.
  return Math.min(100, Math.max(27, Math.ceil((tallest - 1) / 2) * 20 + 16));
}

function twin(marks: readonly Mark[], asOf: number): HTMLElement {
  return table<Mark>(
    "Detections by time elapsed",
    [
      { title: "Elapsed", cell: ({ detection }) => elapsedTime(detection.detectedAt, asOf), numeric: true },
      { title: "Detected", cell: ({ detection }) => absoluteTime(detection.detectedAt) },
      { title: "Activity", cell: ({ detection }) => detection.title },
      { title: "Severity", cell: ({ detection }) => severityLabel(detection.severity) },
      { title: "Host", cell: ({ host }) => host.name ?? host.address },
      { title: "Address", cell: ({ host }) => host.address },
      { title: "Score", cell: ({ host }) => host.score.toFixed(1), numeric: true },
      { title: "State", cell: ({ host }) => (host.contained ? "contained" : "not contained") },
    ],
    marks.toSorted((left, right) => left.elapsed - right.elapsed),
    50,
  );
}
