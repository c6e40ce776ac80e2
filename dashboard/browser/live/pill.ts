/** Says that there is more than the page shows, and shows it when pressed: no row moves under anybody's hand. */
import { parseCursor } from "../../../analytics/live/news.ts";
import type { News, NewsCursor } from "../../../analytics/live/news.ts";
import { h } from "../element.ts";
import { formatPlural } from "../number-text.ts";

export interface Pill {
  readonly element: HTMLElement;
  add(news: News): void;
  /** The page shows what there was at this cursor. */
  startAt(cursor: string): void;
}

const nouns = {
  detection: "new detection",
  capture: "new capture",
  decision: "new decision",
  events: "new event",
} satisfies Record<keyof NewsCursor, string>;

export function createPill(onShow: () => void): Pill {
  const button = h("button", { type: "button", class: "button primary", id: "show-news", onclick: onShow });
  const element = h("div", { class: "live-pill", role: "status", hidden: true }, button);
  let shown: NewsCursor | undefined;
  let latest: NewsCursor | undefined;
  let isOther = false;
  const show = (): void => {
    const [from, to] = [shown, latest];
    const parts = (["detection", "capture", "decision", "events"] as const)
      .map((kind) => ({ kind, more: from && to ? to[kind] - from[kind] : 0 }))
      .filter(({ more }) => more > 0)
      .map(({ kind, more }) => formatPlural(more, nouns[kind]));
    element.hidden = parts.length === 0 && !isOther;
    button.textContent = isOther ? "Another database: show it" : `${parts.join(", ")}: show`;
  };
  return {
    element,
    add: (news) => {
      latest = parseCursor(news.cursor);
      isOther = news.reset;
      show();
    },
    startAt: (cursor) => {
      shown = parseCursor(cursor);
      isOther = false;
      show();
    },
  };
}
