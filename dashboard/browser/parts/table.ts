/** Tables: the twin of every chart, and lists that are too long to show at once. */
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount } from "../number-text.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Child;
  readonly numeric?: boolean;
}

/** Rows beyond `limit` come when asked for. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  limit = 100,
): HTMLElement {
  const body = h("tbody");
  const more = h("button", { type: "button", class: "button" });
  const step = limit * 5;
  const show = (count: number): void => {
    body.append(...rows.slice(body.childElementCount, count).map((row) => tableRow(columns, row)));
    const left = rows.length - body.childElementCount;
    more.textContent =
      left > step
        ? `Show ${formatCount(step)} more of ${formatCount(left)}`
        : `Show ${formatCount(left)} more`;
    more.hidden = left === 0;
  };
  more.addEventListener("click", () => show(body.childElementCount + step));
  show(limit);
  const head = columns.map((column) =>
    h("th", { scope: "col", class: column.numeric ? "numeric" : undefined }, column.title),
  );
  return h(
    "div",
    { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: "plain" },
      h("caption", { class: "sr-only" }, caption),
      h("thead", {}, h("tr", {}, head)),
      body,
    ),
    more,
  );
}

function tableRow<Row>(columns: readonly Column<Row>[], row: Row): HTMLElement {
  return h(
    "tr",
    {},
    columns.map((column) => h("td", { class: column.numeric ? "numeric" : undefined }, column.cell(row))),
  );
}
