/**
 * The paper's Figure 6: hosts against time. A circle is a detection, a triangle packets that were stopped on their way to the
 * host of its row, a square a flow that passed to it; a band lies behind the protected networks. All symbols of a kind are one
 * path: 10,000 elements would take longer to make than everything else together.
 */
import type { NetworkMarkKind, NetworkRow, NetworkTimeline } from "../../analytics/network-timeline.ts";
import { letterWidth, positionOf } from "./network-layout.ts";
import type { NetworkLayout, Point } from "./network-layout.ts";
import { node } from "./svg-node.ts";
import type { SvgNode } from "./svg-node.ts";
import { timeTicks } from "./time-axis.ts";

export interface NetworkFigureOptions {
  /** Whether a row lies in the band. */
  readonly isProtected: (address: string) => boolean;
  /** Where a flagged host's name leads. */
  readonly hrefOf?: ((address: string) => string) | undefined;
}

/** Pixels that a line of labels takes. */
const labelHeight = 14;
/** Pixels that a letter below the axis takes, at most: digits, and the m of min. */
const axisLetterWidth = 7.6;
/** Least distance of ticks, in pixels: the longest labels are 59 min 30 s and 12:34:56.789, and the last one may be moved. */
const tickDistance = { elapsed: 92, utc: 112 };

export function drawNetwork(
  timeline: NetworkTimeline,
  layout: NetworkLayout,
  { isProtected, hrefOf }: NetworkFigureOptions,
): SvgNode {
  const { width, height } = layout;
  return node(
    "svg",
    { class: "network-figure", width, height, viewBox: `0 0 ${width} ${height}` },
    bands(timeline.rows, layout, isProtected),
    axis(timeline, layout),
    flaggedLines(timeline.rows, layout),
    rowLabels(timeline.rows, layout, hrefOf),
    ...(["drop", "exposure", "detection"] as const).flatMap((kind) => symbols(kind, layout)),
  );
}

/** A rectangle for each run of rows in the protected networks. */
function bands(
  rows: readonly NetworkRow[],
  { left, right, top, rowHeight }: NetworkLayout,
  isProtected: (address: string) => boolean,
): SvgNode {
  const runs: { start: number; end: number }[] = [];
  for (const [index, { address }] of rows.entries()) {
    if (!isProtected(address)) continue;
    const last = runs.at(-1);
    if (last?.end === index) last.end = index + 1;
    else runs.push({ start: index, end: index + 1 });
  }
  return node(
    "g",
    { class: "network-band" },
    ...runs.map(({ start, end }) =>
      node("rect", {
        x: left,
        y: round(top + start * rowHeight),
        width: right - left,
        height: round((end - start) * rowHeight),
      }),
    ),
  );
}

function axis(timeline: NetworkTimeline, { width, left, right, top, bottom }: NetworkLayout): SvgNode {
  const placeOf = positionOf(timeline, left, right);
  const ticks = timeTicks(
    timeline.scale,
    timeline.from,
    timeline.to,
    (right - left) / tickDistance[timeline.scale],
  );
  const label = (x: number, y: number, text: string): SvgNode => {
    // The last tick may stand nearer to the edge than half its label.
    const most = width - 2 - (text.length * axisLetterWidth) / 2;
    return node("text", { x: round(Math.min(x, most)), y, "text-anchor": "middle" }, text);
  };
  return node(
    "g",
    { class: "network-axis" },
    node("line", { x1: left, x2: right, y1: bottom, y2: bottom }),
    ...ticks.flatMap((tick) => {
      const x = round(placeOf(tick.at));
      return [
        node("line", { x1: x, x2: x, y1: top, y2: bottom }),
        label(x, bottom + 17, tick.label),
        ...(tick.day === undefined ? [] : [label(x, bottom + 33, tick.day)]),
      ];
    }),
  );
}

function flaggedLines(rows: readonly NetworkRow[], layout: NetworkLayout): SvgNode {
  const { left, right } = layout;
  const lines = rows.flatMap(({ firstDetected }, index) => {
    const y = middleOf(layout, index);
    return firstDetected === undefined ? [] : [node("line", { x1: left, x2: right, y1: y, y2: y })];
  });
  return node("g", { class: "network-flagged" }, ...lines);
}

/** Flagged hosts are always named; of the others as many as there is room for. */
function rowLabels(
  rows: readonly NetworkRow[],
  layout: NetworkLayout,
  hrefOf: ((address: string) => string) | undefined,
): SvgNode {
  const labels = chooseLabels(rows, layout).map((index) => {
    const row = rows[index];
    if (!row) return undefined;
    const isFlagged = row.firstDetected !== undefined;
    const label = node(
      "text",
      {
        class: isFlagged ? "is-flagged" : undefined,
        x: layout.left - 10,
        y: round(middleOf(layout, index) + 4),
        "text-anchor": "end",
      },
      shortened(row, Math.floor((layout.left - 14) / letterWidth(row))),
      node("title", {}, row.name === undefined ? row.address : `${row.name}  ${row.address}`),
    );
    return isFlagged && hrefOf ? node("a", { href: hrefOf(row.address) }, label) : label;
  });
  return node("g", { class: "network-rows" }, ...labels);
}

/** A name by its beginning, an address by its end: that is where those of one network differ. */
function shortened({ name, address }: NetworkRow, most: number): string {
  if (name !== undefined) return name.length > most ? `${name.slice(0, most - 1)}…` : name;
  return address.length > most ? `…${address.slice(1 - most)}` : address;
}

function chooseLabels(rows: readonly NetworkRow[], layout: NetworkLayout): number[] {
  const chosen = new Set<number>();
  const taken: number[] = [];
  const isFree = (y: number): boolean => taken.every((other) => Math.abs(other - y) >= labelHeight);
  const take = (index: number): void => {
    const y = middleOf(layout, index);
    if (!isFree(y)) return;
    taken.push(y);
    chosen.add(index);
  };
  for (const [index, { firstDetected }] of rows.entries()) if (firstDetected !== undefined) take(index);
  const step = Math.max(1, Math.ceil(labelHeight / layout.rowHeight));
  for (let index = 0; index < rows.length; index += step) take(index);
  return [...chosen];
}

function middleOf({ top, rowHeight }: NetworkLayout, index: number): number {
  return round(top + (index + 0.5) * rowHeight);
}

/** One path for all, and one for those that stand at the edge. */
function symbols(kind: NetworkMarkKind, { points, radius }: NetworkLayout): SvgNode[] {
  const own = points.filter(({ mark }) => mark.kind === kind);
  const draw = (some: readonly Point[], further: string): SvgNode[] =>
    some.length === 0
      ? []
      : [
          node("path", {
            class: `network-${kind}${further}`,
            d: some.map((point) => symbolShape(kind, point, radius)).join(""),
          }),
        ];
  return [
    ...draw(
      own.filter(({ isBefore }) => !isBefore),
      "",
    ),
    ...draw(
      own.filter(({ isBefore }) => isBefore),
      " is-before",
    ),
  ];
}

/** Path data of one symbol. */
export function symbolShape(
  kind: NetworkMarkKind,
  { x, y }: { readonly x: number; readonly y: number },
  radius: number,
): string {
  switch (kind) {
    case "detection": {
      const r = round(Math.max(4.6, radius));
      return `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    }
    case "exposure": {
      // Never smaller than this: what passed is what the picture is about.
      const side = round(Math.max(7.4, radius * 1.8));
      return `M${round(x - side / 2)} ${round(y - side / 2)}h${side}v${side}h${-side}Z`;
    }
    case "drop": {
      const half = round(radius);
      return `M${round(x)} ${round(y - radius)}l${half} ${round(2 * radius * 0.86)}h${round(-2 * half)}Z`;
    }
  }
}

/** A tenth of a pixel is enough, and makes the text half as long. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
