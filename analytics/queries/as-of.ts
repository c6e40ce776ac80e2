/** The moment that a ranking holds for, if nobody asks for one (docs/explanation/ranking.md). */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Ranking } from "../store.ts";
import { query } from "./query.ts";

const newestPacket = query("as_of");

/** Something that reported this long ago still counts as live, seconds. */
const liveSeconds = 3600;

export interface Moment {
  /** Seconds since 1970. */
  readonly asOf: number;
  readonly source: Ranking["asOfSource"];
}

/** The moment for a query; `lastLiveReport` is when an agent or a live capture reported last, if one ever did. */
export async function momentFor(
  connection: DuckDBConnection,
  asked: number | undefined,
  now: number,
  lastLiveReport: number | undefined,
): Promise<Moment> {
  if (asked !== undefined) return { asOf: asked, source: "asked" };
  if (lastLiveReport !== undefined && lastLiveReport >= now - liveSeconds)
    return { asOf: now, source: "now" };
  const [row] = await newestPacket(connection);
  const newest = row?.maybeNumber("newest");
  return newest === undefined
    ? { asOf: now, source: "no evidence" }
    : { asOf: newest, source: "newest packet" };
}
