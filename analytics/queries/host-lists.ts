/** One part of a long list of one host, sorted by the database. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { hostListSorts, mostListRows, usualListRows } from "../host-lists.ts";
import type {
  ExposedPeer,
  HostList,
  HostListName,
  HostListQuery,
  HostLists,
  SecondHop,
} from "../host-lists.ts";
import type { HostFlow } from "../store.ts";
import { microseconds, query } from "./query.ts";
import type { Parameters, Row } from "./query.ts";

const gatherPassed = query("gather_host_passed");
const flows = query("host_flows");
const peers = query("host_peers");
const secondHop = query("host_second_hop");

type Read<Name extends HostListName> = (
  connection: DuckDBConnection,
  parameters: Parameters,
) => Promise<Omit<HostList<HostLists[Name]>, "asOf">>;

const readers: { readonly [Name in HostListName]: Read<Name> } = {
  flows: async (connection, parameters) => {
    const { address = null, as_of = null } = parameters;
    // It stays on the connection: a report reads it once more.
    await gatherPassed(connection, { address, as_of });
    return readAll(flows, toFlow)(connection, parameters);
  },
  peers: readAll(peers, toPeer),
  "second-hop": async (connection, parameters) => {
    const rows = await secondHop(connection, parameters);
    const hops = rows.filter((row) => row.maybeText("address") !== undefined);
    return {
      total: totalOf(hops),
      rows: hops.map(toSecondHop),
      reached: rows[0]?.number("reached") ?? 0,
      followed: rows[0]?.number("followed") ?? 0,
    };
  },
};

/** Part of the list of `address` at `asOf` (seconds since 1970); empty if the host is not known. */
export async function readHostList<Name extends HostListName>(
  connection: DuckDBConnection,
  name: Name,
  address: string,
  asOf: number,
  { sort, limit = usualListRows, offset = 0 }: HostListQuery,
): Promise<HostList<HostLists[Name]>> {
  const found = await readers[name](connection, {
    address,
    as_of: microseconds(asOf),
    sort: sort ?? hostListSorts[name][0],
    limit: Math.min(limit, mostListRows),
    offset,
  });
  return { asOf, ...found };
}

function readAll<Item>(ask: ReturnType<typeof query>, toItem: (row: Row) => Item) {
  return async (connection: DuckDBConnection, parameters: Parameters) => {
    const rows = await ask(connection, parameters);
    return { total: totalOf(rows), rows: rows.map(toItem) };
  };
}

function totalOf(rows: readonly Row[]): number {
  return rows[0]?.number("total") ?? 0;
}

function toFlow(row: Row): HostFlow {
  const outcome = row.text("outcome");
  return {
    peer: row.text("peer"),
    ...optional("peerName", row.maybeText("peer_name")),
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

function toPeer(row: Row): ExposedPeer {
  return {
    address: row.text("address"),
    ...optional("name", row.maybeText("name")),
    ...optional("flaggedSince", row.maybeNumber("flagged_since")),
    firstContact: row.number("first_contact"),
    lastSeen: row.number("last_seen"),
    flows: row.number("flows"),
    flowsPassed: row.number("flows_passed"),
    sentOctets: row.number("sent"),
    receivedOctets: row.number("received"),
    acknowledgedOctets: row.number("acknowledged"),
    packetsStopped: row.number("stopped"),
  };
}

function toSecondHop(row: Row): SecondHop {
  return {
    via: row.text("via"),
    ...optional("viaName", row.maybeText("via_name")),
    address: row.text("address"),
    ...optional("name", row.maybeText("name")),
    ...optional("flaggedSince", row.maybeNumber("flagged_since")),
    viaContact: row.number("via_contact"),
    firstPassed: row.number("first_passed"),
    flows: row.number("flows"),
    acknowledgedOctets: row.number("acknowledged"),
  };
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}
