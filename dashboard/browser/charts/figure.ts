/**
 * A chart on the page: drawn to the width it gets, drawn again when that changes, with a table twin that says the same.
 * Observable Plot puts a style element into every chart, which our content security policy refuses. It is taken out before
 * the chart enters the page (an element outside of it applies nothing and so breaks nothing); style.css holds its rules,
 * for which the class name has to be a fixed one.
 */
import { h } from "../element.ts";

/** `className` for Plot; the same as in style.css. */
export const plotClass = "plot";

/** Below that the margins leave no room to draw in; a layout on its way to its width passes through it. */
const leastWidth = 200;

type Plotted = SVGSVGElement | HTMLElement;

export interface Chart {
  /** Says what the chart shows, to people who do not see it. */
  readonly label: string;
  readonly draw: (width: number) => Plotted;
  readonly twin: HTMLElement;
  /** Stands beside the offer of the table. */
  readonly aside?: HTMLElement | undefined;
}

export function chartFigure({ label, draw, twin, aside }: Chart): HTMLElement {
  const canvas = h("div", { class: "chart", role: "group", "aria-label": label });
  let drawnWidth = 0;
  const observer = new ResizeObserver(([entry]) => {
    if (!canvas.isConnected) return observer.disconnect();
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width < leastWidth || width === drawnWidth) return;
    drawnWidth = width;
    canvas.replaceChildren(admissible(draw(width)));
  });
  observer.observe(canvas);
  return h(
    "figure",
    { class: "figure" },
    canvas,
    h(
      "div",
      { class: "figure-foot" },
      h("details", { class: "twin" }, h("summary", {}, "As a table"), twin),
      aside,
    ),
  );
}

function admissible(plotted: Plotted): Plotted {
  for (const style of plotted.querySelectorAll("style")) style.remove();
  // Plot names its groups; without a role nothing may have a name (WAI-ARIA 1.2, 8.5).
  for (const group of plotted.querySelectorAll("g[aria-label]")) group.setAttribute("role", "group");
  return plotted;
}
