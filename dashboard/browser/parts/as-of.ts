/** The time as of which everything is judged: always shown, and movable. */
import { h } from "../element.ts";
import { formatInstant, formatPlainTime, parseTime } from "../time-text.ts";

export interface AsOf {
  /** Seconds since 1970. */
  readonly time: number;
  /** The analyst asked for it; otherwise it is the newest there is. */
  readonly isAsked: boolean;
  /** Where it comes from, for people. */
  readonly source: string;
}

const hour = 3600;
const steps: readonly (readonly [string, string, number])[] = [
  ["−1 d", "one day earlier", -24 * hour],
  ["−1 h", "one hour earlier", -hour],
  ["+1 h", "one hour later", hour],
  ["+1 d", "one day later", 24 * hour],
];

/** `onMove` gets an ISO 8601 time, or nothing for the newest evidence. */
export function asOfControl(asOf: AsOf, onMove: (asOf: string) => void): HTMLElement {
  const input = h("input", {
    id: "as-of",
    class: "as-of-time",
    value: formatPlainTime(asOf.time),
    "aria-label": "As of, in UTC",
    autocomplete: "off",
    spellcheck: "false",
    size: 19,
  });
  const move = (event: Event): void => {
    event.preventDefault();
    const time = parseTime(input.value);
    input.setCustomValidity(time === undefined ? "expected a time such as 2026-05-04 18:00:00, in UTC" : "");
    if (time === undefined) input.reportValidity();
    else onMove(formatInstant(time));
  };
  input.addEventListener("input", () => input.setCustomValidity(""));
  return h(
    "form",
    { class: "as-of", onsubmit: move, "aria-label": "As of" },
    h("span", { class: "as-of-label", "aria-hidden": "true" }, "As of"),
    h("span", { class: "as-of-box" }, input, h("span", { class: "as-of-zone" }, "UTC")),
    h(
      "span",
      { class: "button-group" },
      steps.map(([label, meaning, seconds]) =>
        h(
          "button",
          {
            type: "button",
            id: `as-of-${seconds}`,
            class: "button",
            // What is seen is part of the name, so that it can be said aloud to press it (WCAG 2.5.3).
            "aria-label": `${label}: ${meaning}`,
            onclick: () => onMove(formatInstant(asOf.time + seconds)),
          },
          label,
        ),
      ),
    ),
    asOf.isAsked
      ? h(
          "button",
          { type: "button", class: "button", id: "as-of-newest", onclick: () => onMove("") },
          "Newest",
        )
      : h("span", { class: "as-of-source" }, asOf.source),
  );
}
