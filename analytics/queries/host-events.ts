/** The log of one host's enforcement events, a thousand at a time. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { EnforcementEntry, EventPage } from "../store.ts";
import { readEventCursor } from "../event-cursor.ts";
import type { EventCursor } from "../event-cursor.ts";
import { query } from "./query.ts";
import type { Row } from "./query.ts";

const events = query("host_events");

/** The cursor of the first page. `asOf`: seconds since 1970. */
export function newestEvents(asOf: number): string {
  return `${Math.round(asOf * 1_000_000)}.0`;
}

/** What goes on at a cursor, and how many events there are from there on. @throws RangeError if it is none */
export async function readEvents(
  connection: DuckDBConnection,
  address: string,
  cursor: string,
): Promise<EventPage & { readonly count: number }> {
  const { before, skip } = readEventCursor(cursor);
  const rows = await events(connection, { address, before: BigInt(before), skip });
  const count = rows[0]?.number("event_count") ?? 0;
  const last = rows.at(-1)?.number("microseconds");
  const isMore = last !== undefined && skip + rows.length < count;
  return {
    events: rows.map(toEvent),
    ...(isMore ? { next: cursorBehind(rows, last, { before, skip }) } : {}),
    count: Math.max(0, count - skip),
  };
}

function cursorBehind(rows: readonly Row[], last: number, from: EventCursor): string {
  const sameTime = rows.filter((row) => row.number("microseconds") === last).length;
  return `${last}.${last === from.before ? from.skip + sameTime : sameTime}`;
}

function toEvent(row: Row): EnforcementEntry {
  const rule = row.maybeText("rule");
  return {
    time: row.number("microseconds") / 1e6,
    verdict: row.text("verdict"),
    ...(rule === undefined ? {} : { rule }),
    peer: row.text("peer"),
    hostPort: row.number("host_port"),
    peerPort: row.number("peer_port"),
  };
}
