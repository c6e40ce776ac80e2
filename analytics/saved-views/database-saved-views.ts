/** Saved views in the database. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Database } from "../database.ts";
import { microseconds, readQuery } from "../queries/query.ts";
import type { Query } from "../queries/query.ts";
import { mostViews, SavedViewError } from "./saved-views.ts";
import type { SavedView, SavedViews, ViewToSave } from "./saved-views.ts";

const sql = (name: string): Query => readQuery(new URL(`./sql/${name}.sql`, import.meta.url));
const list = sql("list");
const save = sql("save");
const remove = sql("remove");

export class DatabaseSavedViews implements SavedViews {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): Promise<readonly SavedView[]> {
    return this.#database.read(readViews);
  }

  save({ name, address, who, replaces }: ViewToSave, now: number): Promise<SavedView> {
    return this.#database.write(async ({ connection }) => {
      if (replaces !== undefined) await removeKnown(connection, replaces);
      const views = await readViews(connection);
      const namesake = views.find((view) => view.name === name);
      if (namesake) {
        throw new SavedViewError("name taken", `there is a view of this name, saved by ${namesake.who}`);
      }
      if (views.length >= mostViews) {
        throw new SavedViewError("too many", `there are ${mostViews} views; remove one first`);
      }
      await save(connection, { name, address, who, now: microseconds(now) });
      return { name, address, who, savedAt: now };
    });
  }

  async remove(name: string): Promise<void> {
    await this.#database.write(({ connection }) => removeKnown(connection, name));
  }
}

async function readViews(connection: DuckDBConnection): Promise<SavedView[]> {
  return (await list(connection)).map((row) => ({
    name: row.text("name"),
    address: row.text("address"),
    who: row.text("who"),
    savedAt: row.number("saved_at"),
  }));
}

async function removeKnown(connection: DuckDBConnection, name: string): Promise<void> {
  if ((await remove(connection, { name })).length > 0) return;
  throw new SavedViewError("unknown view", "there is no view of this name any more");
}
