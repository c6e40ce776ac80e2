/**
 * The database's ids of hosts and detections that agents report, new ones where there are none. What was looked up once
 * is kept: ids never change, and no row of these tables is ever taken out. After a transaction that failed all is
 * forgotten, because ids that it gave do not exist.
 */
import { DuckDBTimestampValue } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import { appendRows } from "./append-rows.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");
const findHosts = sql("find-hosts");
const findDetections = sql("find-detections");

/** Forged sources are many; all is forgotten when there are more. */
const mostKept = 100_000;

export interface ReportedDetection {
  readonly host: number;
  /** Seconds since 1970. */
  readonly detectedAt: number;
  readonly category: number;
  readonly activity: number;
}

export class KnownIds {
  readonly #hosts = new Map<string, number>();
  readonly #detections = new Map<string, number>();

  /** Ids by address. */
  async hosts(
    connection: DuckDBConnection,
    addresses: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, number>> {
    bound(this.#hosts);
    const missing = [...addresses].filter((address) => !this.#hosts.has(address));
    if (missing.length === 0) return this.#hosts;
    const reader = await connection.runAndReadAll(findHosts, { addresses: JSON.stringify(missing) });
    for (const [address, id] of reader.getRows()) this.#hosts.set(String(address), Number(id));
    const fresh = missing.filter((address) => !this.#hosts.has(address));
    if (fresh.length === 0) return this.#hosts;
    let id = await lastId(connection, "SELECT coalesce(max(host_id), 0) FROM host");
    const rows = fresh.map((address) => [++id, address] as const);
    await appendRows(connection, "host", rows);
    for (const [given, address] of rows) this.#hosts.set(address, given);
    return this.#hosts;
  }

  /** Ids by `detectionKey`. */
  async detections(
    connection: DuckDBConnection,
    detections: ReadonlyMap<string, ReportedDetection>,
  ): Promise<ReadonlyMap<string, number>> {
    bound(this.#detections);
    const missing = new Map([...detections].filter(([key]) => !this.#detections.has(key)));
    if (missing.size === 0) return this.#detections;
    const asked = JSON.stringify([...missing.values()]);
    const reader = await connection.runAndReadAll(findDetections, { detections: asked });
    for (const [id, host, detectedAt, category, activity] of reader.getRows().map((row) => row.map(Number))) {
      if (host === undefined || detectedAt === undefined || category === undefined || activity === undefined)
        continue;
      const key = detectionKey({ host, detectedAt, category, activity });
      this.#detections.set(key, id ?? 0);
      missing.delete(key);
    }
    if (missing.size === 0) return this.#detections;
    let id = await lastId(connection, "SELECT coalesce(max(detection_id), 0) FROM detection");
    const rows = [...missing].map(([key, { host, detectedAt, category, activity }]) => {
      this.#detections.set(key, ++id);
      return [id, host, timestamp(detectedAt * 1_000_000), category, activity];
    });
    await appendRows(connection, "detection", rows);
    return this.#detections;
  }
}

export function detectionKey({ host, detectedAt, category, activity }: ReportedDetection): string {
  return `${host}/${detectedAt}/${category}/${activity}`;
}

/** `microseconds` since 1970. */
export function timestamp(microseconds: number): DuckDBTimestampValue {
  return new DuckDBTimestampValue(BigInt(microseconds));
}

function bound(ids: Map<string, number>): void {
  if (ids.size > mostKept) ids.clear();
}

async function lastId(connection: DuckDBConnection, question: string): Promise<number> {
  const reader = await connection.runAndReadAll(question);
  return Number(reader.getRows()[0]?.[0]);
}
