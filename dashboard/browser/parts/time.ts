/** Times on the page: the span that matters in the text, the moment in UTC in the title. */
import { h } from "../element.ts";
import { formatInstant, formatPlainTime, formatSpan, formatTime } from "../time-text.ts";

/** `3 h 12 min`, from `time` to `asOf`. */
export function elapsedTime(time: number, asOf: number): HTMLElement {
  return h("time", { datetime: formatInstant(time), title: formatTime(time) }, formatSpan(asOf - time));
}

/** `12 min ago`; `in 5 s` for what is later than `asOf`. */
export function relativeTime(time: number, asOf: number): HTMLElement {
  const text = time > asOf + 1 ? `in ${formatSpan(time - asOf)}` : `${formatSpan(asOf - time)} ago`;
  return h("time", { datetime: formatInstant(time), title: formatTime(time) }, text);
}

/** `2026-05-04 18:00:00 UTC` */
export function absoluteTime(time: number): HTMLElement {
  const [date = "", clock = ""] = formatPlainTime(time).split(" ");
  return h(
    "time",
    { datetime: formatInstant(time), class: "absolute" },
    h("span", {}, `${date} `),
    clock,
    h("span", {}, " UTC"),
  );
}
