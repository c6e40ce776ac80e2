/**
 * Whether a flagged host went on without a mark: it was cleared, or software with the rights of the kernel took the mark
 * away, or another host has the address now. It is shown, and counts for nothing: nobody can tell these apart from here.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { microseconds, query } from "../queries/query.ts";
import type { RankedDetection, Unmarked } from "../store.ts";

const unmarkedRuns = query("unmarked_runs");

/** One packet seen twice, before and behind a point that takes marks off, is no host that went on without them. Seconds. */
const sameMoment = 1;

/** By the host's id, oldest first. */
export async function readUnmarked(
  connection: DuckDBConnection,
  asOf: number,
): Promise<ReadonlyMap<number, readonly Unmarked[]>> {
  const runs = new Map<number, Unmarked[]>();
  for (const row of await unmarkedRuns(connection, { as_of: microseconds(asOf) })) {
    const run = {
      since: row.number("first_unmarked"),
      lastSeen: row.number("last_unmarked"),
      packets: row.number("packets"),
    };
    const host = row.number("host_id");
    runs.set(host, [...(runs.get(host) ?? []), run]);
  }
  return runs;
}

/**
 * What a host sent since its last mark. Nothing without a detection that a tag or the other side's answers bear out:
 * otherwise one forged mark would have the alarm raised for a host that never had any.
 */
export function unmarkedSince(
  detections: readonly RankedDetection[],
  runs: readonly Unmarked[] | undefined,
): Unmarked | undefined {
  if (!runs || !detections.some(({ trust }) => trust === "established" || trust === "verified"))
    return undefined;
  const lastMark = Math.max(...detections.map(({ lastSeen }) => lastSeen));
  const after = runs.filter(
    ({ since, lastSeen }) => since >= lastMark - sameMoment && lastSeen > lastMark + sameMoment,
  );
  const [first] = after;
  if (!first) return undefined;
  return {
    since: first.since,
    lastSeen: Math.max(...after.map(({ lastSeen }) => lastSeen)),
    // Captures may show the same packets: as many as one of them does, at least.
    packets: Math.max(...after.map(({ packets }) => packets)),
  };
}
