/**
 * A chart on the page: drawn to the width it gets, drawn again when that changes, with a table twin that says the same.
 * Observable Plot puts a style element into every chart, which our content security policy refuses. It is taken out before
 * the chart enters the page (an element outside of it applies nothing and so breaks nothing); style.css holds its rules,
 * for which the class name has to be a fixed one.
 */
import { h } from "../element.ts";

/** `className` for Plot; the same as in style.css. */
export const plotClass = "plot";

type Plotted = SVGSVGElement | HTMLElement;

export interface Chart {
  /** Says what the chart shows, to people who do not see it. */
  readonly label: string;
  readonly draw: (width: number) => Plotted;
  readonly twin: HTMLElement;
}

export function chartFigure({ label, draw, twin }: Chart): HTMLElement {
  const canvas = h("div", { class: "chart", role: "group", "aria-label": label });
  let drawnWidth = 0;
  const observer = new ResizeObserver(() => {
    if (!canvas.isConnected) return observer.disconnect();
    const width = Math.floor(canvas.clientWidth);
    if (width === 0 || width === drawnWidth) return;
    drawnWidth = width;
    canvas.replaceChildren(withoutStyle(draw(width)));
  });
  observer.observe(canvas);
  return h(
    "figure",
    { class: "figure" },
    canvas,
    h("details", { class: "twin" }, h("summary", {}, "As a table"), twin),
  );
}

function withoutStyle(plotted: Plotted): Plotted {
  for (const style of plotted.querySelectorAll("style")) style.remove();
  return plotted;
}
