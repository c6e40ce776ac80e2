/** One row of a view: cells by column, whatever DuckDB made of them. */
import { DuckDBTimestampValue } from "@duckdb/node-api";
import type { DuckDBValue } from "@duckdb/node-api";

/** A time: microseconds since 1970. */
export interface Instant {
  readonly microseconds: number;
}

export type Cell = string | number | boolean | null | Instant;
export type ExportRow = Readonly<Record<string, Cell>>;

export function toCell(value: DuckDBValue): Cell {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof DuckDBTimestampValue) return { microseconds: Number(value.micros) };
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  throw new TypeError(`a column of a type that no export has: ${String(value)}`);
}

export function isInstant(cell: Cell | undefined): cell is Instant {
  return typeof cell === "object" && cell !== null;
}

/** ISO 8601 in UTC with the microseconds, and the same as seconds since 1970. */
export function isoOf({ microseconds }: Instant): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, "0");
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`;
}

export function secondsOf({ microseconds }: Instant): number {
  return microseconds / 1_000_000;
}

/** Cells that must be there, for formats with fields of their own. */
export function textOf(row: ExportRow, column: string): string {
  const cell = row[column];
  if (typeof cell === "string") return cell;
  throw new TypeError(`column ${column}: expected text, got ${typeof cell}`);
}

export function numberOf(row: ExportRow, column: string): number {
  const cell = row[column];
  if (typeof cell === "number") return cell;
  throw new TypeError(`column ${column}: expected a number, got ${typeof cell}`);
}

export function instantOf(row: ExportRow, column: string): Instant {
  const cell = row[column];
  if (isInstant(cell)) return cell;
  throw new TypeError(`column ${column}: expected a time, got ${typeof cell}`);
}

export function maybeText(row: ExportRow, column: string): string | undefined {
  const cell = row[column];
  return typeof cell === "string" ? cell : undefined;
}

export function maybeNumber(row: ExportRow, column: string): number | undefined {
  const cell = row[column];
  return typeof cell === "number" ? cell : undefined;
}
