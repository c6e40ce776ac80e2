/** Brings a database's schema up to date: numbered .sql files, each applied once. */
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseError } from "./database-error.ts";

interface SqlFile {
  readonly name: string;
  readonly text: string;
}

const migrations = readSqlFolder(new URL("./sql/migrations/", import.meta.url));
const viewsText = readSqlFolder(new URL("./sql/views/", import.meta.url))
  .map((view) => view.text)
  .join("\n");

function readSqlFolder(folder: URL): readonly SqlFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));
}

/**
 * Applies what is missing, all in one transaction (each commit waits for the disk: seven took a fifth of the time that a
 * small capture takes); `seed` becomes the seed of a new database's flow keys.
 * @throws DatabaseError if the database is someone else's, or newer than this program.
 */
export async function migrate(instance: DuckDBInstance, path: string, seed: string): Promise<void> {
  const connection = await instance.connect();
  try {
    const applied = await appliedMigrations(connection, path);
    if (applied > migrations.length) {
      throw new DatabaseError(
        "newer schema",
        `${path}: its schema has version ${applied}, this tattle knows ${migrations.length}; use a newer tattle`,
      );
    }
    const digest = createHash("sha256").update(viewsText).digest("hex");
    if (applied === migrations.length && (await storedViews(connection)) === digest) return;
    await connection.run("BEGIN");
    try {
      for (const [index, migration] of migrations.entries()) {
        if (index >= applied) await apply(connection, index + 1, migration);
      }
      if (applied === 0) await connection.run("INSERT INTO setting VALUES ('seed', $1)", [seed]);
      // The views for people follow this program's version, whatever the schema's.
      await connection.run(viewsText);
      await connection.run("INSERT OR REPLACE INTO setting VALUES ('views', $1)", [digest]);
      await connection.run("COMMIT");
    } catch (error) {
      // A failed COMMIT has rolled back by itself, and then there is no transaction to end.
      await connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    }
  } finally {
    connection.closeSync();
  }
}

/** The number of the last applied migration; 0 for an empty database. */
async function appliedMigrations(connection: DuckDBConnection, path: string): Promise<number> {
  const tables = await connection.runAndReadAll(
    "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()",
  );
  const names = tables.getRows().map(([name]) => String(name));
  if (names.length === 0) return 0;
  if (!names.includes("schema_migrations")) {
    throw new DatabaseError("not tattle's", `${path}: a DuckDB database, but not one of tattle's`);
  }
  const last = await connection.runAndReadAll("SELECT coalesce(max(version), 0) FROM schema_migrations");
  return Number(last.getRows()[0]?.[0]);
}

async function apply(connection: DuckDBConnection, version: number, migration: SqlFile): Promise<void> {
  await connection.run(
    "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name VARCHAR NOT NULL)",
  );
  await connection.run(migration.text);
  await connection.run("INSERT INTO schema_migrations VALUES ($1, $2)", [version, migration.name]);
}

/** The digest of the views that the database holds. */
async function storedViews(connection: DuckDBConnection): Promise<unknown> {
  const stored = await connection.runAndReadAll("SELECT value FROM setting WHERE key = 'views'");
  return stored.getRows()[0]?.[0];
}
