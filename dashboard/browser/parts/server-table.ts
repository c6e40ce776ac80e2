/** A table that the server sorts and sends in parts: its headings are the orders that there are, and more rows come when asked for. */
import { problemOf } from "../problem.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount } from "../number-text.ts";

export interface ServerColumn<Row> {
  readonly title: string;
  readonly meaning?: string;
  readonly cell: (row: Row) => Child;
  readonly numeric?: boolean;
  /** The server's name of the order by this column. */
  readonly sort?: string;
}

export interface ServerTable<Row> {
  /** Tells the headings of several tables apart. */
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly ServerColumn<Row>[];
  readonly rows: readonly Row[];
  readonly total: number;
  /** The order that the rows are in. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  /** The rows behind the first `offset` ones. */
  readonly loadMore: (offset: number) => Promise<{ readonly rows: readonly Row[]; readonly total: number }>;
}

export function serverTable<Row>(options: ServerTable<Row>): HTMLElement {
  const { columns, caption, rows, total } = options;
  const body = h(
    "tbody",
    {},
    rows.map((row) => rowOf(columns, row)),
  );
  const more = h("button", { type: "button", class: "button" });
  const count = (all: number): void => {
    const left = Math.max(0, all - body.childElementCount);
    more.textContent = `Show more: ${formatCount(left)} left`;
    more.hidden = left === 0;
  };
  const load = async (): Promise<void> => {
    more.disabled = true;
    try {
      const part = await options.loadMore(body.childElementCount);
      body.append(...part.rows.map((row) => rowOf(columns, row)));
      // What is not there any more cannot be shown.
      count(part.rows.length === 0 ? 0 : part.total);
    } catch (error) {
      more.textContent = `Try again: ${problemOf(error)}`;
    } finally {
      more.disabled = false;
    }
  };
  more.addEventListener("click", () => void load());
  count(total);
  return h(
    "div",
    { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: "plain" },
      h("caption", { class: "sr-only" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((column) => headOf(column, options)),
        ),
      ),
      body,
    ),
    more,
  );
}

function headOf<Row>(column: ServerColumn<Row>, { id, sort, onSort }: ServerTable<Row>): HTMLElement {
  const own = column.sort;
  return h(
    "th",
    {
      scope: "col",
      class: column.numeric ? "numeric" : undefined,
      title: column.meaning,
      "aria-sort": own !== undefined && own === sort ? "descending" : undefined,
    },
    own === undefined
      ? column.title
      : h(
          "button",
          { type: "button", id: `sort-${id}-${own}`, class: "sort", onclick: () => onSort(own) },
          column.title,
          h("span", { class: "sort-arrow", "aria-hidden": "true" }),
        ),
  );
}

function rowOf<Row>(columns: readonly ServerColumn<Row>[], row: Row): HTMLElement {
  return h(
    "tr",
    {},
    columns.map((column) => h("td", { class: column.numeric ? "numeric" : undefined }, column.cell(row))),
  );
}
