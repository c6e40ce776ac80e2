/** How hosts stand, and who decided that when. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readQuery } from "../queries/query.ts";
import type { Row } from "../queries/query.ts";
import { triageStates } from "./triage.ts";
import type { HostTriage, TriageEntry, TriageState } from "./triage.ts";

const standing = readQuery(new URL("./sql/standing.sql", import.meta.url));
const entries = readQuery(new URL("./sql/entries.sql", import.meta.url));

/** By address; hosts that nobody decided about are not there. One of them if an address is given. */
export async function readStanding(
  connection: DuckDBConnection,
  address?: string,
): Promise<ReadonlyMap<string, HostTriage>> {
  const rows = await standing(connection, { address: address ?? null });
  return new Map(rows.map((row) => [row.text("address"), toStanding(row)]));
}

/** Newest first. */
export async function readEntries(
  connection: DuckDBConnection,
  limit: number,
  address?: string,
): Promise<TriageEntry[]> {
  return (await entries(connection, { limit, address: address ?? null })).map((row) => ({
    change: row.number("change_id"),
    address: row.text("address"),
    state: stateOf(row, "state"),
    decidedAt: row.number("decided_at"),
    who: row.text("who"),
    ...optional("name", row.maybeText("name")),
    ...optional("note", row.maybeText("note")),
    ...optional("undoes", row.maybeNumber("undoes")),
  }));
}

function toStanding(row: Row): HostTriage {
  const [state, decidedState] = [stateOf(row, "state"), stateOf(row, "decided_state")];
  return {
    state,
    decidedAt: row.number("decided_at"),
    who: row.text("who"),
    change: row.number("change_id"),
    ...optional("note", row.maybeText("note")),
    ...optional("decidedState", decidedState === state ? undefined : decidedState),
  };
}

function stateOf(row: Row, column: string): TriageState {
  const text = row.text(column);
  return triageStates.find((state) => state === text) ?? "new";
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}
