/** How a score comes about: one step per term, in the order of the formula, from 0 to the score. */
import { axisX, axisY, barX, gridX, link, plot, text } from "@observablehq/plot";
import type { RankedHost, ScoreTerm } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import { formatCount, formatPlural, formatSigned } from "../number-text.ts";
import { table } from "../parts/table.ts";
import { chartFigure, plotClass } from "./figure.ts";

const titles: Readonly<Record<ScoreTerm["name"], string>> = {
  detections: "Detections",
  passed: "Flows passed",
  peers: "Peers reached",
  dwell: "Dwell time",
  contained: "Contained",
  asset: "Asset weight",
};

/** Where on the page the rows of a term are. */
const evidence: Readonly<Record<ScoreTerm["name"], string>> = {
  detections: "#detections",
  passed: "#flows",
  peers: "#peers",
  dwell: "#timeline",
  contained: "#enforcement",
  asset: "#score",
};

/** Where the bands begin: low 20, moderate 40, high 70, critical 90. */
const bandEdges = [0, 20, 40, 70, 90, 100];

interface Step {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly colour: string;
}

export function waterfallChart(host: RankedHost): HTMLElement {
  return chartFigure({
    label: `Terms of the score: ${host.terms.map((term) => `${titles[term.name]} ${formatSigned(term.points)}`).join(", ")}; sum ${host.score.toFixed(1)}`,
    draw: (width) => drawSteps(toSteps(host), width),
    twin: twin(host),
  });
}

/** Said beside the chart, since it is what the analyst asks first. */
export function explainTerms(host: RankedHost): HTMLElement {
  return h(
    "ol",
    { class: "terms" },
    host.terms.map((term) =>
      h(
        "li",
        { class: term.points < -0.05 ? "lowers" : term.points < 0.05 ? "neutral" : "raises" },
        h("span", { class: "term-points" }, formatSigned(term.points)),
        h("a", { href: evidence[term.name] }, meaning(term)),
      ),
    ),
    h(
      "li",
      { class: "sum" },
      h("span", { class: "term-points" }, host.score.toFixed(1)),
      `${host.band} band`,
    ),
  );
}

function meaning({ name, value }: ScoreTerm): string {
  switch (name) {
    case "detections":
      return `${(value * 100).toFixed(0)} % probability that something still goes on`;
    case "passed":
      return `${formatPlural(value, "flow")} passed in the last hour`;
    case "peers":
      return `${formatPlural(value, "peer")} reached after detection`;
    case "dwell":
      return `${value.toFixed(1)} h from detection to last sighting`;
    case "contained":
      return value === 0 ? "not contained" : "contained: every flow of the last hour was stopped";
    case "asset":
      return `asset weight ${value}`;
  }
}

function toSteps(host: RankedHost): Step[] {
  let sum = 0;
  const steps = host.terms.map((term) => {
    const from = sum;
    sum += term.points;
    return {
      title: titles[term.name],
      from,
      to: sum,
      label: formatSigned(term.points),
      colour: term.points < 0 ? "var(--lowers)" : "var(--raises)",
    };
  });
  return [
    ...steps,
    {
      title: "Score",
      from: 0,
      to: host.score,
      label: host.score.toFixed(1),
      colour: `var(--band-${host.band})`,
    },
  ];
}

function drawSteps(steps: readonly Step[], width: number): SVGSVGElement | HTMLElement {
  const pairs = steps
    .slice(1, -1)
    .map((step, index) => ({ above: steps[index]?.title, below: step.title, at: step.from }));
  return plot({
    className: plotClass,
    width,
    height: steps.length * 30 + 32,
    marginLeft: 104,
    marginRight: 48,
    marginTop: 4,
    marginBottom: 26,
    x: { domain: [0, 100], label: null },
    y: { domain: steps.map((step) => step.title), label: null, padding: 0.34 },
    color: { type: "identity" },
    marks: [
      gridX(bandEdges, { stroke: "var(--line)", strokeOpacity: 1 }),
      axisX(width < 420 ? [0, 40, 70, 100] : bandEdges, {
        tickSize: 0,
        fontSize: 11.5,
        fill: "var(--ink-3)",
      }),
      axisY({ tickSize: 0, fontSize: 12.5, fill: "var(--ink)", tickPadding: 10 }),
      link(pairs, { x: "at", y1: "above", y2: "below", stroke: "var(--line-strong)" }),
      barX(steps, { x1: "from", x2: (step: Step) => visibleEnd(step), y: "title", fill: "colour", rx: 1.5 }),
      text(steps, {
        x: (step: Step) => Math.max(step.from, step.to),
        y: "title",
        text: "label",
        textAnchor: "start",
        dx: 6,
        fontSize: 12.5,
        fill: "var(--ink)",
        fontVariant: "tabular-nums",
      }),
    ],
  });
}

/** A step of nothing still shows where it stands. */
function visibleEnd({ from, to }: Step): number {
  return Math.abs(to - from) < 0.3 ? from + 0.3 : to;
}

function twin(host: RankedHost): HTMLElement {
  return table<ScoreTerm>(
    "Terms of the score",
    [
      { title: "Term", cell: (term) => h("a", { href: evidence[term.name] }, titles[term.name]) },
      { title: "What it counts", cell: meaning },
      { title: "Value", cell: (term) => formatCount(Number(term.value.toFixed(3))), numeric: true },
      { title: "Log-odds", cell: (term) => term.logOdds.toFixed(3), numeric: true },
      { title: "Points", cell: (term) => formatSigned(term.points), numeric: true },
    ],
    host.terms,
  );
}
