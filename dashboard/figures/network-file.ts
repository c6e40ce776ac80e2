/** The network timeline as a picture that stands alone: with its title, legend and axis, and colours of its own in both themes. */
import type { NetworkMarkKind, NetworkTimeline } from "../../analytics/network-timeline.ts";
import { formatCount } from "../browser/number-text.ts";
import { formatTime } from "../browser/time-text.ts";
import { drawNetwork, symbolShape } from "./network-figure.ts";
import { layOutNetwork } from "./network-layout.ts";
import { describeCut } from "./network-words.ts";
import { node, svgText } from "./svg-node.ts";
import type { SvgNode } from "./svg-node.ts";

export interface NetworkFileOptions {
  /** Pixels. */
  readonly width: number;
  readonly isProtected: (address: string) => boolean;
  readonly hasBand: boolean;
  /** Stands above the chart. */
  readonly title?: string | undefined;
}

const headHeight = 62;
const footHeight = 30;

/** The colours of styles/theme.css. */
const style = `
svg { --panel: #fff; --line: #e3e6ec; --line-strong: #bcc4d0; --ink: #161d29; --ink-3: #5c6879; --critical: #b0122f; --high: #b8420a; --lowers: #0c7a5b; --band: #e6eefb; font: 12px system-ui, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { svg { --panel: #141a22; --line: #252d38; --line-strong: #465162; --ink: #e7ebf1; --ink-3: #93a0b1; --critical: #ff7285; --high: #ff9d5c; --lowers: #58cba4; --band: #1a2a45; } }
text { fill: var(--ink-3); }
.title { fill: var(--ink); font-size: 15px; font-weight: 650; }
.paper { fill: var(--panel); }
.network-axis line { stroke: var(--line); }
.network-flagged line { stroke: var(--line-strong); }
.network-rows text { font-size: 11.5px; }
.network-rows .is-flagged { fill: var(--ink); font-weight: 650; }
.network-band, .network-band rect { fill: var(--band); }
.network-detection { fill: var(--critical); stroke: var(--panel); stroke-width: 1.2px; }
.network-drop { fill: var(--panel); fill-opacity: 0.5; stroke: var(--lowers); stroke-width: 1.1px; }
.network-exposure { fill: var(--high); stroke: var(--panel); stroke-width: 0.8px; }
.is-before { fill-opacity: 0.3; stroke: var(--critical); }
`;

/** The text of an SVG file. */
export function networkSvgFile(timeline: NetworkTimeline, options: NetworkFileOptions): string {
  const layout = layOutNetwork(timeline, options.width);
  const chart = drawNetwork(timeline, layout, options);
  const cut = describeCut(timeline);
  const height = headHeight + layout.height + footHeight + (cut === "" ? 0 : 18);
  const foot = headHeight + layout.height;
  const { width } = options;
  const title = options.title ?? "Network over time";
  const root = node(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
    node("title", {}, title),
    node("style", {}, style),
    node("rect", { class: "paper", width, height }),
    node("text", { class: "title", x: 16, y: 24 }, title),
    legend(timeline, options.hasBand),
    { ...chart, attributes: { ...chart.attributes, y: headHeight } },
    node(
      "text",
      { x: (layout.left + layout.right) / 2, y: foot + 6, "text-anchor": "middle" },
      axisTitle(timeline),
    ),
    node("text", { x: width - 16, y: foot + 22, "text-anchor": "end" }, `as of ${formatTime(timeline.asOf)}`),
    cut === "" ? undefined : node("text", { x: 16, y: foot + 40 }, cut),
  );
  return svgText(root);
}

function axisTitle({ scale }: NetworkTimeline): string {
  return scale === "elapsed" ? "time since the flagged host was detected" : "time, UTC";
}

function legend(timeline: NetworkTimeline, hasBand: boolean): SvgNode {
  const count = (kind: NetworkMarkKind): string =>
    formatCount(timeline.marks.reduce((sum, mark) => sum + (mark.kind === kind ? mark.count : 0), 0));
  const entries = [
    ["detection", `detections: ${count("detection")}`],
    ["drop", `packets stopped on the way to this host: ${count("drop")}`],
    ["exposure", `flows that passed to this host: ${count("exposure")}`],
  ] as const;
  let x = 22;
  const parts: SvgNode[] = [];
  for (const [kind, text] of entries) {
    parts.push(
      node("path", { class: `network-${kind}`, d: symbolShape(kind, { x, y: 43 }, 5) }),
      node("text", { x: x + 11, y: 47 }, text),
    );
    x += 34 + text.length * 6.4;
  }
  if (hasBand) {
    parts.push(
      node("rect", { class: "network-band", x: x - 6, y: 37, width: 14, height: 12 }),
      node("text", { x: x + 14, y: 47 }, "protected network"),
    );
  }
  return node("g", {}, ...parts);
}
