/** Runs one .sql file: named parameters in, rows out whose values are read by name and type. */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { readFileSync } from "node:fs";

type Columns = Readonly<Record<string, readonly DuckDBValue[]>>;

/** A place in columns: an object a row would cost more than the query, at thousands of hosts. */
export class Row {
  readonly #columns: Columns;
  readonly #index: number;

  constructor(columns: Columns, index: number) {
    this.#columns = columns;
    this.#index = index;
  }

  /** A number that must be there; 64-bit integers become doubles. @throws TypeError if the query gave something else. */
  number(column: string): number {
    return this.maybeNumber(column) ?? this.#wrong(column, "a number");
  }

  maybeNumber(column: string): number | undefined {
    const value = this.#columns[column]?.[this.#index];
    if (value === null || value === undefined) return undefined;
    return typeof value === "number" || typeof value === "bigint"
      ? Number(value)
      : this.#wrong(column, "a number");
  }

  text(column: string): string {
    return this.maybeText(column) ?? this.#wrong(column, "text");
  }

  maybeText(column: string): string | undefined {
    const value = this.#columns[column]?.[this.#index];
    if (value === null || value === undefined) return undefined;
    return typeof value === "string" ? value : this.#wrong(column, "text");
  }

  flag(column: string): boolean {
    const value = this.#columns[column]?.[this.#index];
    return typeof value === "boolean" ? value : this.#wrong(column, "true or false");
  }

  #wrong(column: string, expected: string): never {
    throw new TypeError(
      `column ${column}: expected ${expected}, got ${typeof this.#columns[column]?.[this.#index]}`,
    );
  }
}

export type Parameters = Readonly<Record<string, DuckDBValue>>;
export type Query = (connection: DuckDBConnection, parameters?: Parameters) => Promise<Row[]>;

/** The query in `sql/queries/NAME.sql`, read once. */
export function query(name: string): Query {
  return readQuery(new URL(`../sql/queries/${name}.sql`, import.meta.url));
}

/** The query in a file, read once. */
export function readQuery(file: URL): Query {
  const text = readFileSync(file, "utf8");
  return async (connection, parameters = {}) => {
    const reader = await connection.runAndReadAll(text, { ...parameters });
    const columns = reader.getColumnsObject();
    return Array.from({ length: reader.currentRowCount }, (_, index) => new Row(columns, index));
  };
}

/** Microseconds since 1970 for a query, from seconds. */
export function microseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e6));
}
