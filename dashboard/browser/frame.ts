/** What stands around every page: the top bar, the place of the page, and the line that says what went wrong. */
import { h, replaceChildren, svg } from "./element.ts";
import type { AsOf } from "./parts/as-of.ts";
import { asOfControl } from "./parts/as-of.ts";
import { createWaiting } from "./parts/waiting.ts";
import type { Page } from "./pages/page.ts";
import type { View } from "./view.ts";
import { hrefOf } from "./view.ts";

export interface Frame {
  readonly element: readonly HTMLElement[];
  /** One line above everything; none if it is empty. */
  warn(text: string): void;
  /** Says that an answer is awaited; the way to other pages is there already. */
  wait(view: View): void;
  show(page: Page, view: View): void;
  /** Shows `content` where the page would stand, and no time. */
  showInstead(content: HTMLElement, view: View): void;
}

export function createFrame(actions: {
  /** Judges as of another time: ISO 8601, or nothing for the newest evidence. */
  moveTo: (asOf: string) => void;
  chooseFiles: () => void;
  /** Menu of the views that people saved. */
  views: HTMLElement;
}): Frame {
  const navigation = h("nav", { "aria-label": "Pages" });
  const asOfPlace = h("div", { class: "as-of-place" });
  const content = h("main", { id: "content", tabindex: -1 });
  const waiting = createWaiting();
  const warning = h("p", { class: "warning-line", role: "note", hidden: true });
  const bar = h(
    "header",
    { class: "top-bar" },
    navigation,
    asOfPlace,
    actions.views,
    h("button", { type: "button", class: "button", onclick: actions.chooseFiles }, "Add captures"),
  );
  const put = (element: HTMLElement, view: View, asOf: AsOf | undefined): void => {
    const focused = document.activeElement?.id ?? "";
    replaceChildren(navigation, links(view));
    replaceChildren(asOfPlace, asOf ? asOfControl(asOf, actions.moveTo) : undefined);
    content.replaceChildren(element);
    content.removeAttribute("aria-busy");
    waiting.end();
    // What was pressed has been built anew: the focus goes to its successor.
    if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
  };
  return {
    element: [warning, bar, waiting.element, content],
    warn: (text) => {
      warning.textContent = text;
      warning.hidden = text === "";
    },
    wait: (view) => {
      if (navigation.childElementCount === 0) replaceChildren(navigation, links(view));
      content.setAttribute("aria-busy", "true");
      waiting.begin(content.childElementCount === 0);
    },
    show: (page, view) => {
      document.title = `${page.title} · tattle`;
      put(page.content, view, page.asOf);
    },
    showInstead: (element, view) => put(h("div", { class: "page" }, element), view, undefined),
  };
}

function links(view: View): HTMLElement[] {
  const link = (page: "hosts" | "network" | "captures" | "agents", label: string): HTMLElement =>
    h(
      "a",
      {
        href: hrefOf({ ...view, page, address: "", filter: "" }),
        "aria-current": view.page === page ? "page" : undefined,
      },
      label,
    );
  const flag = svg(
    "svg",
    { viewBox: "0 0 16 16", class: "flag", "aria-hidden": "true" },
    svg("path", { d: "M3 1h2v14H3zM5 2h9l-3 3.5L14 9H5z" }),
  );
  return [
    h(
      "a",
      { class: "wordmark", href: hrefOf({ ...view, page: "hosts", address: "", filter: "" }) },
      flag,
      "tattle",
    ),
    link("hosts", "Hosts"),
    link("network", "Network"),
    link("captures", "Captures"),
    link("agents", "Agents"),
  ];
}
