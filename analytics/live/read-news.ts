/** News out of the database. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readQuery } from "../queries/query.ts";
import { formatCursor, parseCursor } from "./news.ts";
import type { News, NewsCursor } from "./news.ts";

const news = readQuery(new URL("./sql/news.sql", import.meta.url));
/** Behind every detection. */
const nothingNewer = 2 ** 52;

/** What came since a cursor; without one, where the database stands. */
export async function readNews(connection: DuckDBConnection, since?: string): Promise<News> {
  const seen = since === undefined ? undefined : parseCursor(since);
  const [row] = await news(connection, { detection: seen?.detection ?? nothingNewer });
  const count = (column: keyof NewsCursor): number => row?.number(column) ?? 0;
  const now: NewsCursor = {
    detection: count("detection"),
    capture: count("capture"),
    decision: count("decision"),
    events: count("events"),
  };
  const more = (column: keyof NewsCursor): number => (seen ? Math.max(0, now[column] - seen[column]) : 0);
  return {
    cursor: formatCursor(now),
    detections: more("detection"),
    captures: more("capture"),
    decisions: more("decision"),
    events: more("events"),
    hosts: (row?.maybeText("hosts") ?? "").split(" ").filter(Boolean),
    reset: seen !== undefined && (now.detection < seen.detection || now.decision < seen.decision),
  };
}
