/** Everything about one host at one moment. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { rankHosts } from "../ranking/rank-hosts.ts";
import type { EnforcementEntry, HostFlow, HostReport, TimelineBin } from "../store.ts";
import { microseconds, query } from "./query.ts";
import type { Row } from "./query.ts";

const span = query("host_span");
const timeline = query("host_timeline");
const flows = query("host_flows");
const events = query("host_events");

/** Widths of timeline bins, seconds: a minute up to a week. */
const binWidths = [60, 300, 900, 3600, 14_400, 86_400, 604_800];
const mostBins = 240;

/** The report, or undefined if the address was never seen with a mark by `asOf` (seconds since 1970). */
export async function reportHost(
  connection: DuckDBConnection,
  address: string,
  asOf: number,
): Promise<HostReport | undefined> {
  const { ranked, unranked } = await rankHosts(connection, asOf, address);
  const [host] = ranked;
  const [other] = unranked;
  if (!host && !other) return undefined;
  const parameters = { address, as_of: microseconds(asOf) };
  const flowRows = await flows(connection, parameters);
  const eventRows = await events(connection, parameters);
  return {
    asOf,
    ...(host ? { ranked: host } : {}),
    ...(other ? { unranked: other } : {}),
    timeline: await readTimeline(connection, address, asOf),
    flows: flowRows.map(toFlow),
    flowCount: flowRows[0]?.number("flow_count") ?? 0,
    events: eventRows.map(toEvent),
    eventCount: eventRows[0]?.number("event_count") ?? 0,
  };
}

async function readTimeline(
  connection: DuckDBConnection,
  address: string,
  asOf: number,
): Promise<TimelineBin[]> {
  const parameters = { address, as_of: microseconds(asOf) };
  const [bounds] = await span(connection, parameters);
  const first = bounds?.maybeNumber("first_minute");
  const last = bounds?.maybeNumber("last_minute");
  if (first === undefined || last === undefined) return [];
  const seconds = binWidths.find((width) => (last - first) / width < mostBins) ?? binWidths.at(-1) ?? 60;
  const rows = await timeline(connection, { ...parameters, seconds });
  return rows.map((row) => ({
    start: row.number("start"),
    seconds,
    markedPackets: row.number("marked_packets"),
  }));
}

function toFlow(row: Row): HostFlow {
  const name = row.maybeText("peer_name");
  const outcome = row.text("outcome");
  return {
    peer: row.text("peer"),
    ...(name === undefined ? {} : { peerName: name }),
    protocol: row.number("protocol"),
    hostPort: row.number("host_port"),
    peerPort: row.number("peer_port"),
    firstSeen: row.number("first_seen"),
    lastSeen: row.number("last_seen"),
    markedPackets: row.number("marked_packets"),
    markedOctets: row.number("marked_octets"),
    acknowledgedOctets: row.number("acknowledged_octets"),
    established: row.flag("established"),
    outcome:
      outcome === "passed" || outcome === "stopped" || outcome === "connected" ? outcome : "unanswered",
  };
}

function toEvent(row: Row): EnforcementEntry {
  const rule = row.maybeText("rule");
  return {
    time: row.number("time"),
    verdict: row.text("verdict"),
    ...(rule === undefined ? {} : { rule }),
    peer: row.text("peer"),
    hostPort: row.number("host_port"),
    peerPort: row.number("peer_port"),
  };
}
