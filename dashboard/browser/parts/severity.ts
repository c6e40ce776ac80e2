/** Severities, bands and trust as people see them: shape and letter say the same as the colour. */
import type { Band, RankedDetection, Trust } from "../../../analytics/store.ts";
import type { Severity } from "../../../wire/code-book.ts";
import { h, svg } from "../element.ts";

/** Symbols of Observable Plot; info is drawn hollow. Size falls with severity. */
export const severitySymbols: Readonly<Record<Severity, string>> = {
  critical: "diamond2",
  high: "triangle",
  medium: "square",
  low: "circle",
  info: "times",
};

export const severityRadius: Readonly<Record<Severity, number>> = {
  critical: 6,
  high: 5.8,
  medium: 5,
  low: 4.5,
  info: 4,
};

/** Points of the shapes in a box of 12 by 12. */
const shapes: Readonly<Record<Severity, string>> = {
  critical: "M6 0.4 11.2 6 6 11.6 0.8 6Z",
  high: "M6 1 11.6 10.8H0.4Z",
  medium: "M1.4 1.4H10.6V10.6H1.4Z",
  low: "M6 1.2A4.8 4.8 0 1 1 6 10.8 4.8 4.8 0 1 1 6 1.2Z",
  info: "M2 3.2 3.2 2 6 4.8 8.8 2 10 3.2 7.2 6 10 8.8 8.8 10 6 7.2 3.2 10 2 8.8 4.8 6Z",
};

export function severityIcon(severity: Severity): SVGElement {
  return svg(
    "svg",
    { class: `severity-icon is-${severity}`, viewBox: "0 0 12 12", "aria-hidden": "true" },
    svg("path", { d: shapes[severity] }),
  );
}

/** Icon and word. */
export function severityLabel(severity: Severity): HTMLElement {
  return h("span", { class: `severity is-${severity}` }, severityIcon(severity), severity);
}

/** One detected activity: shape of its severity, and its title. */
export function activityChip(detection: RankedDetection): HTMLElement {
  return h(
    "span",
    { class: `chip is-${detection.severity}`, title: `${detection.title} (${detection.severity})` },
    severityIcon(detection.severity),
    h("span", { class: "sr-only" }, `${detection.severity}: `),
    h("bdi", { class: "chip-text" }, detection.title),
  );
}

export const bandLetters: Readonly<Record<Band, string>> = {
  critical: "C",
  high: "H",
  moderate: "M",
  low: "L",
  minimal: "–",
};

export const bands: readonly Band[] = ["critical", "high", "moderate", "low", "minimal"];

export function bandBadge(band: Band): HTMLElement {
  return h(
    "span",
    { class: `band-badge band-${band}`, title: `${band} band` },
    h("span", { "aria-hidden": "true" }, bandLetters[band]),
    h("span", { class: "sr-only" }, band),
  );
}

const trustMeanings: Readonly<Record<Trust, string>> = {
  verified: "the mark is authenticated, and its tag verifies",
  established: "the mark is not authenticated, but both sides acknowledged each other",
  lone: "nothing shows that the other side ever answered: the sender may be forged",
  implausible: "detected after the packet, or more than ten years before: does not count",
  invalid: "the tag does not verify: forged, or an address or port was rewritten on the way; does not count",
};

export function trustBadge(trust: Trust): HTMLElement {
  return h("span", { class: `trust trust-${trust}`, title: trustMeanings[trust] }, trust);
}
