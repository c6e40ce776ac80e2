/** Writes down what people decide, each decision in a transaction: about all hosts that were meant, or about none. */
import { listValue } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Database } from "../database.ts";
import { microseconds, readQuery } from "../queries/query.ts";
import type { Query } from "../queries/query.ts";
import { readEntries } from "./read-triage.ts";
import { TriageError } from "./triage.ts";
import type { TriageDecision, TriageEntry, TriageLog, TriageReport, TriageSelection } from "./triage.ts";

const sql = (name: string): Query => readQuery(new URL(`./sql/${name}.sql`, import.meta.url));
const decide = sql("decide");
const undo = sql("undo");
const lastEntry = sql("last-entry");
const changeSize = sql("change-size");
const unknownHosts = sql("unknown-hosts");

/** Addresses of all ranked hosts that fit the filter. */
export type FindHosts = (
  connection: DuckDBConnection,
  filter: string,
  asOf: number | undefined,
) => Promise<readonly string[]>;

export class DatabaseTriage implements TriageLog {
  readonly #database: Database;
  readonly #find: FindHosts;

  constructor(database: Database, find: FindHosts) {
    this.#database = database;
    this.#find = find;
  }

  decide({ hosts, state, who, note }: TriageDecision, now: number): Promise<TriageReport> {
    return this.#database.write(async ({ connection }) => {
      const addresses = await this.#addresses(connection, hosts);
      const last = await lastId(connection);
      const list = listValue([...addresses]);
      const parameters = { last, addresses: list, state, who, note: note ?? null, now: microseconds(now) };
      await decide(connection, parameters);
      return { change: last + 1, hosts: (await lastId(connection)) - last, decidedSince: 0 };
    });
  }

  undo(change: number, who: string, now: number): Promise<TriageReport> {
    return this.#database.write(async ({ connection }) => {
      const [row] = await changeSize(connection, { change });
      const size = row?.number("size") ?? 0;
      if (size === 0) throw new TriageError("unknown change", `there is no change ${change}`);
      const last = await lastId(connection);
      await undo(connection, { last, change, who, now: microseconds(now) });
      const hosts = (await lastId(connection)) - last;
      if (hosts === 0) {
        const reason = `every host of change ${change} was decided about since, or the change was taken back`;
        throw new TriageError("nothing to undo", reason);
      }
      return { change: last + 1, hosts, decidedSince: size - hosts };
    });
  }

  entries(limit: number, address?: string): Promise<readonly TriageEntry[]> {
    return this.#database.read((connection) => readEntries(connection, limit, address));
  }

  async #addresses(connection: DuckDBConnection, selection: TriageSelection): Promise<readonly string[]> {
    if ("addresses" in selection) {
      const addresses = listValue([...selection.addresses]);
      const [unknown] = await unknownHosts(connection, { addresses });
      if (unknown === undefined) return selection.addresses;
      const address = unknown.text("address");
      throw new TriageError(
        "unknown host",
        `${address} was never seen with a mark, nor with a host that was`,
      );
    }
    const found = await this.#find(connection, selection.filter, selection.asOf);
    if (found.length === selection.expected) return found;
    const reason = `the filter was to give ${selection.expected} hosts and gives ${found.length} now`;
    throw new TriageError("other count", reason, found.length);
  }
}

async function lastId(connection: DuckDBConnection): Promise<number> {
  const [row] = await lastEntry(connection);
  return row?.number("last") ?? 0;
}
