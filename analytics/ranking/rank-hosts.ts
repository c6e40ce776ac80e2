/** The ranking at one moment, read from sql/views/ranking.sql. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { severities } from "../../wire/code-book.ts";
import { microseconds, query } from "../queries/query.ts";
import type { Row } from "../queries/query.ts";
import type { RankedDetection, RankedHost, ScoreTerm, Trust, Unmarked, UnrankedHost } from "../store.ts";
import { readUnmarked, unmarkedSince } from "./now-unmarked.ts";
import { bandOf, waterfall } from "./score.ts";

const rankedHosts = query("ranked_hosts");
const rankedDetections = query("ranked_detections");

export interface HostsAtMoment {
  readonly ranked: readonly RankedHost[];
  readonly unranked: readonly UnrankedHost[];
}

/** Hosts at `asOf` (seconds since 1970), in no order; one of them if an address is given. */
export async function rankHosts(
  connection: DuckDBConnection,
  asOf: number,
  address?: string,
): Promise<HostsAtMoment> {
  const parameters = { as_of: microseconds(asOf), address: address ?? null };
  const detections = groupByHost(await rankedDetections(connection, parameters));
  const unmarked = await readUnmarked(connection, asOf);
  const ranked: RankedHost[] = [];
  const unranked: UnrankedHost[] = [];
  for (const row of await rankedHosts(connection, parameters)) {
    const own = detections.get(row.number("host_id")) ?? [];
    const score = row.maybeNumber("score");
    if (score === undefined) unranked.push(toUnranked(row, own));
    else ranked.push(toRanked(row, score, own, unmarkedSince(own, unmarked.get(row.number("host_id")))));
  }
  return { ranked, unranked: unranked.toSorted(newestFirst) };
}

function newestFirst(one: UnrankedHost, other: UnrankedHost): number {
  return other.lastSeen - one.lastSeen || (one.address < other.address ? -1 : 1);
}

function groupByHost(rows: readonly Row[]): Map<number, RankedDetection[]> {
  const groups = new Map<number, RankedDetection[]>();
  for (const row of rows) {
    const host = row.number("host_id");
    const group = groups.get(host);
    if (group) group.push(toDetection(row));
    else groups.set(host, [toDetection(row)]);
  }
  return groups;
}

function toDetection(row: Row): RankedDetection {
  const attack = row.maybeText("attack");
  const severity = row.text("severity");
  return {
    detectionId: row.number("detection_id"),
    detectedAt: row.number("detected_at"),
    category: row.number("category"),
    activity: row.number("activity"),
    title: row.text("title"),
    severity: severities.find((known) => known === severity) ?? "medium",
    ...(attack === undefined ? {} : { attack }),
    trust: row.text("trust") as Trust,
    firstSeen: row.number("first_seen"),
    lastSeen: row.number("last_seen"),
    packets: row.number("packets"),
    probability: row.number("probability"),
  };
}

function nameOf(row: Row): { name?: string } {
  const name = row.maybeText("name");
  return name === undefined ? {} : { name };
}

function toUnranked(row: Row, detections: readonly RankedDetection[]): UnrankedHost {
  return {
    address: row.text("address"),
    ...nameOf(row),
    reason: detections.some((detection) => detection.trust === "invalid") ? "does not verify" : "implausible",
    detections,
    lastSeen: row.number("last_seen"),
  };
}

function toRanked(
  row: Row,
  score: number,
  detections: readonly RankedDetection[],
  unmarked: Unmarked | undefined,
): RankedHost {
  return {
    address: row.text("address"),
    ...nameOf(row),
    score,
    band: bandOf(score),
    terms: waterfall(termsOf(row)),
    detections,
    contained: row.flag("contained"),
    flowsPassed: row.number("passed"),
    flowsStopped: row.number("stopped"),
    peers: row.number("peers"),
    firstSeen: row.number("first_seen"),
    lastSeen: row.number("last_seen"),
    firstDetected: row.number("first_detected"),
    lastDetected: row.number("last_detected"),
    markedPackets: row.number("marked_packets"),
    weight: row.number("weight"),
    ...(unmarked ? { unmarked } : {}),
  };
}

function termsOf(row: Row): Omit<ScoreTerm, "points">[] {
  return [
    { name: "detections", value: row.number("probability"), logOdds: row.number("detections_term") },
    { name: "passed", value: row.number("passed"), logOdds: row.number("passed_term") },
    { name: "peers", value: row.number("peers"), logOdds: row.number("peers_term") },
    { name: "dwell", value: row.number("dwell_hours"), logOdds: row.number("dwell_term") },
    { name: "contained", value: row.flag("contained") ? 1 : 0, logOdds: row.number("contained_term") },
    { name: "asset", value: row.number("weight"), logOdds: row.number("asset_term") },
  ];
}
