/** Tables for terminals: columns as wide as their widest cell; one column may give way when the terminal is narrow. */
import { displayWidth, printable, truncate } from "./printable.ts";

export interface Cell {
  /** Made printable here, so that no caller can forget. */
  readonly text: string;
  /** Colour, applied after the width is known. */
  readonly paint?: (text: string) => string;
}

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Cut with an ellipsis if the table is wider than the terminal. */
  readonly gives?: boolean;
  /** Never cut to fewer columns than this; 16 if absent. */
  readonly least?: number;
  /** Left out if the table is still too wide; the lowest number goes first. */
  readonly spare?: number;
}

export interface TableOptions {
  /** Columns of the terminal; undefined if there is none. */
  readonly width?: number | undefined;
  readonly paintTitle?: (text: string) => string;
  /** Lines below a row, as they are. */
  readonly below?: (row: number) => readonly string[];
}

const gap = 2;
const narrowest = 16;

/** The table as lines, each ended by a newline. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  options: TableOptions = {},
): string {
  const cells = rows.map((row) =>
    row.map((cell): Cell =>
      typeof cell === "string" ? { text: printable(cell) } : { ...cell, text: printable(cell.text) },
    ),
  );
  const widths = columns.map((column, index) =>
    // Not Math.max(...): hundreds of thousands of rows are too many arguments.
    cells.reduce(
      (widest, row) => Math.max(widest, displayWidth(row[index]?.text ?? "")),
      displayWidth(column.title),
    ),
  );
  const shown = fitColumns(columns, widths, options.width);
  const line = (row: readonly Cell[]): string =>
    shown
      .map(({ index, width, align }) => formatCell(row[index] ?? { text: "" }, width, align))
      .join(" ".repeat(gap))
      .trimEnd();
  const paint = options.paintTitle;
  const head = line(columns.map((column) => ({ text: column.title, ...(paint ? { paint } : {}) })));
  const body = cells.flatMap((row, index) => [line(row), ...(options.below?.(index) ?? [])]);
  return [head, ...body].map((text) => `${text}\n`).join("");
}

interface ShownColumn {
  readonly index: number;
  readonly width: number;
  readonly align: Column["align"];
  /** To how many columns it may be cut; its width if it does not give way. */
  readonly least: number;
}

/** Which columns are shown, and how wide, so that the table fits the terminal if it can. */
function fitColumns(
  columns: readonly Column[],
  widths: readonly number[],
  available: number | undefined,
): ShownColumn[] {
  let shown = columns.map(({ align, gives, least = narrowest, spare }, index) => {
    const width = widths[index] ?? 0;
    return { index, width, align, least: gives === true ? Math.min(least, width) : width, spare };
  });
  if (available === undefined) return shown;
  const excess = (): number => shown.reduce((sum, { width }) => sum + width + gap, -gap) - available;
  const smallest = (): number => shown.reduce((sum, { width, least }) => sum + width - least, 0);
  while (excess() > smallest()) {
    const order = shown.flatMap((column) => (column.spare === undefined ? [] : [column.spare]));
    if (order.length === 0) break;
    const next = Math.min(...order);
    shown = shown.filter((column) => column.spare !== next);
  }
  return cutWidest(shown, excess());
}

/** Takes columns of width from those that give way, always from the widest, down to the narrowest that still tells. */
function cutWidest(shown: readonly ShownColumn[], excess: number): ShownColumn[] {
  const cut = shown.map((column) => ({ ...column }));
  for (let left = excess; left > 0; left--) {
    const giving = cut.filter(({ width, least }) => width > least);
    const widest = giving.toSorted((one, other) => other.width - one.width)[0];
    if (!widest) break;
    cut[cut.indexOf(widest)] = { ...widest, width: widest.width - 1 };
  }
  return cut;
}

function formatCell(cell: Cell, width: number, align: Column["align"]): string {
  const text = truncate(cell.text, width);
  const padding = " ".repeat(Math.max(0, width - displayWidth(text)));
  const painted = cell.paint && text !== "" ? cell.paint(text) : text;
  return align === "right" ? padding + painted : painted + padding;
}
