/** Everything about one host at one moment. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { rankHosts } from "../ranking/rank-hosts.ts";
import { mostListRows } from "../host-lists.ts";
import type { HostReport, LaneBin, TimelineBin } from "../store.ts";
import { readHostList } from "./host-lists.ts";
import { newestEvents, readEvents } from "./host-events.ts";
import { microseconds, query } from "./query.ts";

const gatherMinutes = query("gather_host_minutes");
const span = query("host_span");
const timeline = query("host_timeline");
const lanes = query("host_lanes");

/** Widths of timeline bins, seconds: a minute up to a week. */
const binWidths = [60, 300, 900, 3600, 14_400, 86_400, 604_800];
const mostBins = 240;

/** The report, or undefined if the address was never seen with a mark by `asOf` (seconds since 1970); with the newest flows. */
export async function reportHost(
  connection: DuckDBConnection,
  address: string,
  asOf: number,
  flowLimit = mostListRows,
): Promise<HostReport | undefined> {
  const { ranked, unranked } = await rankHosts(connection, asOf, { address });
  const [host] = ranked;
  const [other] = unranked;
  if (!host && !other) return undefined;
  const flows = await readHostList(connection, "flows", address, asOf, { limit: flowLimit });
  const log = await readEvents(connection, address, newestEvents(asOf));
  return {
    asOf,
    ...(host ? { ranked: host } : {}),
    ...(other ? { unranked: other } : {}),
    ...(await readTimeline(connection, address, asOf)),
    flows: flows.rows,
    flowCount: flows.total,
    events: log.events,
    eventCount: log.count,
    ...(log.next === undefined ? {} : { olderEvents: log.next }),
  };
}

/** Comes after the list of flows, which gathers the minutes in which they passed. */
async function readTimeline(
  connection: DuckDBConnection,
  address: string,
  asOf: number,
): Promise<Pick<HostReport, "timeline" | "lanes">> {
  const parameters = { address, as_of: microseconds(asOf) };
  await gatherMinutes(connection, parameters);
  const [bounds] = await span(connection);
  const first = bounds?.maybeNumber("first_minute");
  const last = bounds?.maybeNumber("last_minute");
  if (first === undefined || last === undefined) return { timeline: [], lanes: [] };
  const seconds = binWidths.find((width) => (last - first) / width < mostBins) ?? binWidths.at(-1) ?? 60;
  const rows = await timeline(connection, { seconds });
  const laneRows = await lanes(connection, { ...parameters, seconds });
  return {
    timeline: rows.map((row): TimelineBin => ({
      start: row.number("start"),
      seconds,
      markedPackets: row.number("marked_packets"),
    })),
    lanes: laneRows.map((row): LaneBin => ({
      lane: row.text("lane") === "stopped" ? "stopped" : "passed",
      start: row.number("start"),
      seconds,
      count: row.number("count"),
    })),
  };
}
