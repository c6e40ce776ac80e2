/** The ranking at one moment, or a part of it, read from sql/views/ranking.sql. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { severities } from "../../wire/code-book.ts";
import { microseconds, query } from "../queries/query.ts";
import type { Parameters, Row } from "../queries/query.ts";
import type {
  RankedDetection,
  RankedHost,
  RankingSummary,
  ScoreTerm,
  SortKey,
  Trust,
  Unmarked,
  UnrankedHost,
} from "../store.ts";
import { readUnmarked, unmarkedSince } from "./now-unmarked.ts";
import { bandOf, waterfall } from "./score.ts";

const rankedPage = query("ranked_page");
const onlyHost = query("only_host");
const allBefore = query("all_before");
const assumeAllBefore = query("assume_all_before");

export interface RankedPart {
  /** The host with this address alone. */
  readonly address?: string;
  readonly sort?: SortKey;
  readonly filter?: string;
  /** Hosts in the part; all if absent. */
  readonly limit?: number;
  readonly offset?: number;
}

export interface HostsAtMoment {
  /** In order. */
  readonly ranked: readonly RankedHost[];
  /** Newest first. */
  readonly unranked: readonly UnrankedHost[];
  /** Ranked hosts that fit the filter. */
  readonly fitting: number;
  readonly summary: RankingSummary;
}

/** More than any network has. */
const all = 2 ** 31 - 1;

/** Hosts at `asOf` (seconds since 1970). */
export async function rankHosts(
  connection: DuckDBConnection,
  asOf: number,
  { address, sort = "score", filter = "", limit, offset = 0 }: RankedPart = {},
): Promise<HostsAtMoment> {
  await onlyHost(connection, { address: address ?? null });
  const rows = await readPage(connection, {
    as_of: microseconds(asOf),
    address: address ?? null,
    sort,
    filter: filter.toLowerCase().split(/\s+/u).filter(Boolean).join(" "),
    limit: limit ?? all,
    offset,
    most_unranked: limit ?? all,
  });
  const unmarked = await readUnmarked(connection, asOf);
  const ranked: RankedHost[] = [];
  const unranked: UnrankedHost[] = [];
  for (const group of groupByHost(rows)) {
    const [row] = group;
    if (!row) continue;
    const own = group.map(toDetection);
    const score = row.maybeNumber("score");
    if (score === undefined) unranked.push(toUnranked(row, own));
    else ranked.push(toRanked(row, score, own, unmarkedSince(own, unmarked.get(row.number("host_id")))));
  }
  const [any] = rows;
  return { ranked, unranked, fitting: any?.maybeNumber("fitting_count") ?? 0, summary: toSummary(any) };
}

/** Most ask about a time after everything that was seen, and the sums over all times are few; others need those by day. */
async function readPage(
  connection: DuckDBConnection,
  parameters: Parameters & { readonly as_of: bigint },
): Promise<Row[]> {
  const isAllBefore = async (): Promise<boolean> => {
    const [row] = await allBefore(connection, { as_of: parameters.as_of });
    return row?.flag("all_before") ?? false;
  };
  const assumed = await isAllBefore();
  await assumeAllBefore(connection, { all_before: assumed });
  const rows = await rankedPage(connection, parameters);
  // What another connection committed meanwhile may have been seen later.
  if (!assumed || (await isAllBefore())) return rows;
  await assumeAllBefore(connection, { all_before: false });
  return rankedPage(connection, parameters);
}

/** Rows of one host stand together; a row without a host only has the counts. */
function groupByHost(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  let host: number | undefined;
  for (const row of rows) {
    const own = row.maybeNumber("host_id");
    if (own === undefined) continue;
    if (own === host) groups.at(-1)?.push(row);
    else groups.push([row]);
    host = own;
  }
  return groups;
}

function toSummary(row: Row | undefined): RankingSummary {
  const count = (name: string): number => row?.number(`${name}_count`) ?? 0;
  return {
    ranked: count("ranked"),
    unranked: count("unranked"),
    bands: {
      critical: count("critical"),
      high: count("high"),
      moderate: count("moderate"),
      low: count("low"),
      minimal: count("minimal"),
    },
    contained: count("contained"),
    passing: count("passing"),
    blockedButPassing: count("leaking"),
  };
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
    lastSeen: row.number("host_last_seen"),
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
    firstSeen: row.number("host_first_seen"),
    lastSeen: row.number("host_last_seen"),
    firstDetected: row.number("first_detected"),
    lastDetected: row.number("last_detected"),
    markedPackets: row.number("marked_packets"),
    weight: row.number("weight"),
    ...(unmarked ? { unmarked } : {}),
  };
}

function termsOf(row: Row): Omit<ScoreTerm, "points">[] {
  return [
    { name: "detections", value: row.number("host_probability"), logOdds: row.number("detections_term") },
    { name: "passed", value: row.number("passed"), logOdds: row.number("passed_term") },
    { name: "peers", value: row.number("peers"), logOdds: row.number("peers_term") },
    { name: "dwell", value: row.number("dwell_hours"), logOdds: row.number("dwell_term") },
    { name: "contained", value: row.flag("contained") ? 1 : 0, logOdds: row.number("contained_term") },
    { name: "asset", value: row.number("weight"), logOdds: row.number("asset_term") },
  ];
}
