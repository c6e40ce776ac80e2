/** A titled part of a page. */
import { h } from "../element.ts";
import type { Child } from "../element.ts";

export function panel(
  { id, title, aside, note }: { id: string; title: string; aside?: Child; note?: string },
  ...children: readonly Child[]
): HTMLElement {
  return h(
    "section",
    { class: "panel", id, "aria-labelledby": `${id}-title` },
    h(
      "header",
      { class: "panel-head" },
      h("h2", { id: `${id}-title` }, title),
      note === undefined ? undefined : h("p", { class: "note" }, note),
      aside === undefined ? undefined : h("div", { class: "panel-aside" }, aside),
    ),
    children,
  );
}
