/** The moment that a ranking holds for, if nobody asks for one (docs/explanation/ranking.md). */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Ranking } from "../store.ts";
import { microseconds, query } from "./query.ts";

const newestEvidence = query("as_of");

export interface Moment {
  /** Seconds since 1970. */
  readonly asOf: number;
  readonly source: Ranking["asOfSource"];
}

/** The moment asked for; else `now` while something live reports, else the newest packet. Seconds since 1970. */
export async function momentFor(
  connection: DuckDBConnection,
  asked: number | undefined,
  now: number,
): Promise<Moment> {
  if (asked !== undefined) return { asOf: asked, source: "asked" };
  const [evidence] = await newestEvidence(connection, { now: microseconds(now) });
  if (evidence?.maybeNumber("live_report") !== undefined) return { asOf: now, source: "now" };
  const newest = evidence?.maybeNumber("newest_packet");
  return newest === undefined
    ? { asOf: now, source: "no evidence" }
    : { asOf: newest, source: "newest packet" };
}
