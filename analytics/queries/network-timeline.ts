/** The network timeline at one moment, bounded: a page has so many pixels, and a reader so many rows. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { severities } from "../../wire/code-book.ts";
import { sortableAddress } from "../address-order.ts";
import type { NetworkMark, NetworkQuery, NetworkRow, NetworkTimeline } from "../network-timeline.ts";
import type { Moment } from "./as-of.ts";
import { microseconds, query } from "./query.ts";
import type { Row } from "./query.ts";

const networkTimeline = query("network_timeline");

/** Flagged hosts, rows and marks that one answer holds; more are counted, not sent. */
export const networkLimits = { flaggedHosts: 100, rows: 600, marks: 20_000 } as const;

/** Marks closer than a pixel of the widest screens would hide each other. */
const bins = 1500;

export async function readNetworkTimeline(
  connection: DuckDBConnection,
  { asOf, source }: Moment,
  asked: NetworkQuery,
): Promise<NetworkTimeline> {
  const scale = asked.scale ?? "elapsed";
  const found = await networkTimeline(connection, {
    as_of: microseconds(asOf),
    elapsed: scale === "elapsed",
    host: asked.host ?? null,
    from: asked.from ?? null,
    to: asked.to ?? null,
    least_octets: asked.leastOctets ?? 0,
    bins,
    most_hosts: networkLimits.flaggedHosts,
    most_marks: networkLimits.marks,
  });
  const [any] = found;
  const from = any?.number("start") ?? asked.from ?? 0;
  const to = Math.max(from, any?.number("finish") ?? asked.to ?? 0);
  const flaggedCount = any?.number("flagged_count") ?? 0;
  const markCount = any?.number("mark_count") ?? 0;
  const { rows, places, rowCount } = chooseRows(found);
  const marks = found.flatMap((row) => toMark(row, places));
  return {
    asOf,
    asOfSource: source,
    scale,
    from,
    to,
    binSeconds: Math.max((to - from) / bins, 1e-6),
    rows,
    marks,
    cut: {
      ...(flaggedCount > networkLimits.flaggedHosts ? { flaggedHosts: flaggedCount } : {}),
      ...(rowCount > rows.length ? { rows: rowCount } : {}),
      ...(markCount > marks.length ? { marks: markCount } : {}),
    },
  };
}

/** Rows come in the order of the marks, so that flagged hosts are kept first, then peers that something passed to. */
function chooseRows(found: readonly Row[]): {
  rows: readonly NetworkRow[];
  places: ReadonlyMap<string, number>;
  rowCount: number;
} {
  const candidates = new Map<string, NetworkRow>();
  const add = (address: string, name: string | undefined, firstDetected?: number): void => {
    if (candidates.has(address)) return;
    candidates.set(address, {
      address,
      ...(name === undefined ? {} : { name }),
      ...(firstDetected === undefined ? {} : { firstDetected }),
    });
  };
  for (const row of found) add(row.text("host"), row.maybeText("host_name"), row.number("zero"));
  for (const row of found) add(row.text("peer"), row.maybeText("peer_name"));
  const rows = [...candidates.values()]
    .slice(0, networkLimits.rows)
    .map((row) => ({ row, sortable: sortableAddress(row.address) }))
    .toSorted((one, other) => (one.sortable < other.sortable ? -1 : 1))
    .map(({ row }) => row);
  return {
    rows,
    places: new Map(rows.map(({ address }, place) => [address, place])),
    rowCount: candidates.size,
  };
}

/** None if its row is not shown. */
function toMark(row: Row, places: ReadonlyMap<string, number>): NetworkMark[] {
  const host = places.get(row.text("host"));
  const place = places.get(row.text("peer"));
  if (host === undefined || place === undefined) return [];
  const kind = row.text("kind");
  const severity = row.maybeText("severity");
  const title = row.maybeText("title");
  return [
    {
      kind: kind === "detection" || kind === "exposure" ? kind : "drop",
      host,
      row: place,
      at: row.number("place"),
      count: row.number("count"),
      octets: row.number("octets"),
      ...(title === undefined ? {} : { title }),
      ...(severity === undefined
        ? {}
        : { severity: severities.find((known) => known === severity) ?? "medium" }),
    },
  ];
}
