/**
 * A view as a file, row by row: nobody holds all of it in memory. One transaction, so that all rows are of one moment.
 * The SQL is that of the view; what is asked for goes into it as parameters only.
 */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { DuckDBTimestampType } from "@duckdb/node-api";
import { createReadStream, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Moment } from "../queries/as-of.ts";
import { microseconds } from "../queries/query.ts";
import { csvHeader, csvLine } from "./csv.ts";
import { toEcs } from "./ecs.ts";
import { toEve } from "./eve.ts";
import { checkExport } from "./check-export.ts";
import { exportViews } from "./export-query.ts";
import type { ExportQuery, ExportReport, ExportView } from "./export-query.ts";
import { jsonLine, ndjsonLine } from "./ndjson.ts";
import { toOcsf } from "./ocsf.ts";
import { toCell } from "./row.ts";
import type { Cell, ExportRow } from "./row.ts";
import { StixBundle } from "./stix.ts";

const texts = Object.fromEntries(
  exportViews.map((view) => [view, readFileSync(new URL(`./sql/${view}.sql`, import.meta.url), "utf8")]),
) as Readonly<Record<ExportView, string>>;

/** Text is handed on in parts of about this many characters. */
const partLength = 64 * 1024;

export interface ExportTarget {
  readonly output: (octets: Uint8Array) => Promise<void>;
  /** Where a Parquet file may lie until it has been handed on. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws ExportError, before anything is written; the signal's reason. */
export async function writeExport(
  connection: DuckDBConnection,
  query: ExportQuery,
  { asOf }: Moment,
  target: ExportTarget,
): Promise<ExportReport> {
  checkExport(query);
  const { signal } = target;
  signal?.throwIfAborted();
  const stop = (): void => connection.interrupt();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const parameters = bind(query, asOf);
    const write = query.format === "parquet" ? writeParquet : writeText;
    return { asOf, rows: await write(connection, query, parameters, target) };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Values for the parameters that the view's SQL names; DuckDB refuses others. */
function bind(query: ExportQuery, asOf: number): Record<string, DuckDBValue> {
  const time = (seconds: number | undefined): bigint | null =>
    seconds === undefined ? null : microseconds(seconds);
  const values = {
    as_of: microseconds(asOf),
    sort: query.sort ?? "score",
    words: (query.filter ?? "").trim(),
    host: query.host ?? null,
    from: time(query.from),
    to: time(query.to),
    least_octets: query.leastOctets ?? 0,
  };
  const text = texts[query.view];
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => new RegExp(`\\$${name}\\b`).test(text)),
  );
}

type Parameters = Readonly<Record<string, DuckDBValue>>;

async function writeText(
  connection: DuckDBConnection,
  query: ExportQuery,
  parameters: Parameters,
  { output, signal }: ExportTarget,
): Promise<number> {
  const result = await connection.stream(texts[query.view], { ...parameters });
  const columns = result.columnNames();
  const types = result.columnTypes();
  const instants = new Set(columns.filter((_, index) => types[index] instanceof DuckDBTimestampType));
  const encoder = encoderOf(query, columns, instants);
  let text = encoder.begin;
  let rows = 0;
  for await (const chunk of result.yieldRows()) {
    signal?.throwIfAborted();
    for (const values of chunk) {
      const cells = values.map((value, index): [string, Cell] => [columns[index] ?? "", toCell(value)]);
      text += encoder.row(Object.fromEntries(cells));
      rows++;
      if (text.length < partLength) continue;
      await output(Buffer.from(text));
      text = "";
    }
  }
  await output(Buffer.from(text + encoder.end));
  return rows;
}

interface Encoder {
  readonly begin: string;
  readonly row: (row: ExportRow) => string;
  readonly end: string;
}

function encoderOf(query: ExportQuery, columns: readonly string[], instants: ReadonlySet<string>): Encoder {
  const { view, format } = query;
  const lines = (convert: (view: ExportView, row: ExportRow) => object | undefined): Encoder => ({
    begin: "",
    row: (row) => {
      const converted = convert(view, row);
      return converted === undefined ? "" : jsonLine(converted);
    },
    end: "",
  });
  switch (format) {
    case "csv": {
      const header = csvHeader(columns, instants);
      return { begin: header, row: (row) => csvLine(row, columns, instants), end: "" };
    }
    case "eve":
      return lines(toEve);
    case "ecs":
      return lines(toEcs);
    case "ocsf":
      return lines(toOcsf);
    case "stix": {
      const bundle = new StixBundle();
      const kind = view === "flows" ? "flows" : "detections";
      const begin = bundle.begin(JSON.stringify(query));
      return { begin, row: (row) => bundle.add(kind, row), end: bundle.end() };
    }
    case "ndjson":
    case "parquet":
      return { begin: "", row: ndjsonLine, end: "" };
  }
}

/** DuckDB writes Parquet to files only: it goes to one that nobody else can read, and from there on. */
async function writeParquet(
  connection: DuckDBConnection,
  query: ExportQuery,
  parameters: Parameters,
  { output, folder, signal }: ExportTarget,
): Promise<number> {
  // Made with mode 0700.
  const place = await mkdtemp(join(folder, "tattle-export-"));
  try {
    const path = join(place, "rows.parquet");
    await connection.run("SET VARIABLE export_path = $path", { path });
    const copy = `COPY (${texts[query.view]}) TO (getvariable('export_path')) (FORMAT parquet, COMPRESSION zstd)`;
    const result = await connection.run(copy, { ...parameters });
    for await (const part of createReadStream(path, {
      ...(signal ? { signal } : {}),
      highWaterMark: 256 * 1024,
    }))
      await output(part as Buffer);
    return result.rowsChanged;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
