/** A score as a number, a letter of its band, and a bar. */
import type { Band } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import { bandBadge } from "./severity.ts";

export function scoreCell(score: number, band: Band): HTMLElement {
  return h(
    "span",
    { class: `score band-${band}` },
    bandBadge(band),
    h("span", { class: "score-number" }, score.toFixed(1)),
    scoreBar(score, band),
  );
}

export function scoreBar(score: number, band: Band): HTMLElement {
  const fill = h("span", { class: "score-fill" });
  // Through the CSSOM: a style attribute would be refused by our own content security policy.
  fill.style.width = `${Math.max(1, Math.min(100, score))}%`;
  return h("span", { class: `score-bar band-${band}`, "aria-hidden": "true" }, fill);
}
