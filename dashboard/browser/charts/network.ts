/** The network timeline on the page: drawn to its width, with words beside the pointer; a stretch is chosen by drag or by keys. */
import type { NetworkTimeline } from "../../../analytics/network-timeline.ts";
import { drawNetwork } from "../../figures/network-figure.ts";
import { layOutNetwork, nearestPoint } from "../../figures/network-layout.ts";
import type { NetworkLayout, Point } from "../../figures/network-layout.ts";
import { describeMark } from "../../figures/network-words.ts";
import type { SvgNode } from "../../figures/svg-node.ts";
import { h, replaceChildren, svg } from "../element.ts";

export interface NetworkChart {
  readonly timeline: NetworkTimeline;
  readonly isProtected: (address: string) => boolean;
  readonly hrefOf: (address: string) => string;
  /** Shows a stretch of the scale, seconds. */
  readonly zoomTo: (from: number, to: number) => void;
  readonly openHost: (address: string) => void;
}

/** Pixels from a symbol within which the pointer means it. */
const reach = 10;
/** A shorter drag is a click. */
const leastDrag = 5;

export function drawNetworkChart(chart: NetworkChart, width: number): HTMLElement {
  const layout = layOutNetwork(chart.timeline, width);
  const figure = elementOf(drawNetwork(chart.timeline, layout, chart)) as SVGSVGElement;
  figure.setAttribute("role", "group");
  figure.setAttribute("aria-label", "Hosts against time; the table below has every value");
  const brush = svg("rect", {
    class: "network-brush",
    y: layout.top,
    height: layout.bottom - layout.top,
    width: 0,
    visibility: "hidden",
  });
  const ring = svg("circle", { class: "network-ring", r: layout.radius + 4, visibility: "hidden" });
  figure.append(brush, ring);
  const words = h("div", { class: "network-words", hidden: true });
  const element = h("div", { class: "network-chart" }, figure, words);
  const pointing: Pointing = { chart, layout, figure, brush, ring, words };
  listenToPointer(pointing);
  return element;
}

interface Pointing {
  readonly chart: NetworkChart;
  readonly layout: NetworkLayout;
  readonly figure: SVGSVGElement;
  readonly brush: SVGRectElement;
  readonly ring: SVGCircleElement;
  readonly words: HTMLElement;
}

function listenToPointer(pointing: Pointing): void {
  const { chart, layout, figure, brush } = pointing;
  let start: number | undefined;
  figure.addEventListener("pointerdown", (event) => {
    const { x, y } = placeOf(event, figure);
    if (event.button !== 0 || x < layout.left || y > layout.bottom) return;
    start = x;
    figure.setPointerCapture(event.pointerId);
  });
  figure.addEventListener("pointermove", (event) => {
    const { x, y } = placeOf(event, figure);
    if (start === undefined) {
      tell(pointing, nearestPoint(layout, x, y, reach));
      return;
    }
    const [from, to] = drag(layout, start, x);
    brush.setAttribute("x", String(from));
    brush.setAttribute("width", String(to - from));
    brush.setAttribute("visibility", to - from < leastDrag ? "hidden" : "visible");
    tell(pointing, undefined);
  });
  figure.addEventListener("pointerup", (event) => {
    if (start === undefined) return;
    const { x, y } = placeOf(event, figure);
    const [from, to] = drag(layout, start, x);
    start = undefined;
    brush.setAttribute("visibility", "hidden");
    if (to - from >= leastDrag) chart.zoomTo(timeAt(pointing, from), timeAt(pointing, to));
    else openNearest(pointing, nearestPoint(layout, x, y, reach));
  });
  figure.addEventListener("pointercancel", () => {
    start = undefined;
    brush.setAttribute("visibility", "hidden");
  });
  figure.addEventListener("pointerleave", () => tell(pointing, undefined));
}

function openNearest({ chart }: Pointing, point: Point | undefined): void {
  const address = point && chart.timeline.rows[point.mark.host]?.address;
  if (address !== undefined) chart.openHost(address);
}

/** The figure may be shown smaller than it was drawn. */
function placeOf(event: PointerEvent, figure: SVGSVGElement): { x: number; y: number } {
  const box = figure.getBoundingClientRect();
  const scale = figure.viewBox.baseVal.width / Math.max(1, box.width);
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function drag({ left, right }: NetworkLayout, start: number, end: number): [number, number] {
  const within = (x: number): number => Math.min(right, Math.max(left, x));
  return [within(Math.min(start, end)), within(Math.max(start, end))];
}

function timeAt({ chart: { timeline }, layout }: Pointing, x: number): number {
  return timeline.from + ((x - layout.left) / (layout.right - layout.left)) * (timeline.to - timeline.from);
}

function tell({ chart, layout, figure, ring, words }: Pointing, point: Point | undefined): void {
  figure.classList.toggle("is-over", point !== undefined);
  ring.setAttribute("visibility", point ? "visible" : "hidden");
  words.hidden = point === undefined;
  if (!point) return;
  ring.setAttribute("cx", String(point.x));
  ring.setAttribute("cy", String(point.y));
  replaceChildren(words, describeMark(chart.timeline, point.mark));
  const isRight = point.x > layout.width / 2;
  words.classList.toggle("is-left", isRight);
  // Set by script, which the content security policy allows; a style attribute it would not.
  words.style.left = `${(point.x / layout.width) * 100}%`;
  words.style.top = `${point.y}px`;
}

/** Elements of what was drawn as values. */
function elementOf({ tag, attributes, children }: SvgNode): SVGElement {
  return svg(
    tag,
    attributes,
    children.map((child) => (typeof child === "string" ? child : elementOf(child))),
  );
}
