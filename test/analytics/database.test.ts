/** Opening a database: one owner, one schema, and an error that says what stands in the way. */
import { DuckDBInstance } from "@duckdb/node-api";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DatabaseError } from "../../analytics/database-error.ts";
import type { DatabaseProblem } from "../../analytics/database-error.ts";
import { openDatabase } from "../../analytics/database.ts";

const migrations = readdirSync(new URL("../../analytics/sql/migrations/", import.meta.url)).toSorted();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-database-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function refusal(path: string): Promise<DatabaseError> {
  const error: unknown = await openDatabase(path).then(
    (database) => database.close(),
    (reason: unknown) => reason,
  );
  if (error instanceof DatabaseError) return error;
  throw new Error(`${path} was opened, or failed otherwise: ${String(error)}`);
}

async function problemOf(path: string): Promise<DatabaseProblem> {
  return (await refusal(path)).problem;
}

/** Rows of a query as text, one string a row. */
async function rowsOf(path: string, sql: string): Promise<string[]> {
  const database = await openDatabase(path);
  const reader = await database.read((connection) => connection.runAndReadAll(sql));
  await database.close();
  return reader.getRows().map((row) => row.map(String).join(" "));
}

describe("a new database", () => {
  test("has the newest schema, a seed of its own, and keeps both when it is opened again", async () => {
    const path = join(folder, "new.duckdb");
    const first = await rowsOf(path, "SELECT value FROM setting WHERE key = 'seed'");
    expect(first[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(await rowsOf(path, "SELECT value FROM setting WHERE key = 'seed'")).toEqual(first);
    expect(await rowsOf(path, "SELECT version, name FROM schema_migrations")).toEqual(
      migrations.map((name, index) => `${index + 1} ${name}`),
    );
  });

  test("loads no extension and installs none", async () => {
    const database = await openDatabase(":memory:");
    const attempt = database.read((connection) => connection.run("SELECT '10.0.0.1'::INET"));
    await expect(attempt).rejects.toThrow(/autoload/i);
    await database.close();
  });
});

describe("one owner", () => {
  test("a second opening of the same file in this process is refused, by path, link and hard link", async () => {
    const path = join(folder, "one.duckdb");
    const database = await openDatabase(path);
    symlinkSync(path, join(folder, "symbolic.duckdb"));
    linkSync(path, join(folder, "hard.duckdb"));
    symlinkSync(folder, join(folder, "folder-link"));
    expect(await problemOf(path)).toBe("open in this process");
    expect(await problemOf(join(folder, "symbolic.duckdb"))).toBe("open in this process");
    expect(await problemOf(join(folder, "hard.duckdb"))).toBe("open in this process");
    expect(await problemOf(join(folder, "folder-link", "one.duckdb"))).toBe("open in this process");
    await database.close();
    expect(await rowsOf(path, "SELECT 1")).toEqual(["1"]);
  });

  test("two openings of a file that does not exist yet: one of them gets it", async () => {
    const path = join(folder, "race.duckdb");
    const results = await Promise.allSettled([openDatabase(path), openDatabase(path)]);
    expect(results.map((result) => result.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const result of results) if (result.status === "fulfilled") await result.value.close();
  });

  test("a failed opening does not keep the file claimed", async () => {
    const path = join(folder, "text.duckdb");
    writeFileSync(path, "no database");
    expect(await problemOf(path)).toBe("not a database");
    rmSync(path);
    expect(await rowsOf(path, "SELECT 1")).toEqual(["1"]);
  });

  test("another process that holds it is named", async () => {
    const path = join(folder, "held.duckdb");
    const holder = `
      const { DuckDBInstance } = require("@duckdb/node-api");
      DuckDBInstance.create(process.argv[1]).then((instance) => {
        globalThis.instance = instance;
        process.stdout.write("open");
        setInterval(() => undefined, 1000);
      });`;
    const child = spawn(process.execPath, ["-e", holder, path], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const error = await refusal(path);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(error.problem).toBe("held by another process");
    expect(error.pid).toBe(child.pid);
    expect(error.message).toContain(`held by process ${child.pid}`);
  });
});

describe("refused", () => {
  test("a folder that does not exist", async () => {
    const error = await refusal(join(folder, "no", "such.duckdb"));
    expect(error.problem).toBe("folder missing");
    expect(error.message).toBe(
      `${join(folder, "no", "such.duckdb")}: the folder ${join(folder, "no")} does not exist`,
    );
  });

  test("a folder, an empty file, a text file", async () => {
    mkdirSync(join(folder, "folder.duckdb"));
    writeFileSync(join(folder, "empty.duckdb"), "");
    writeFileSync(join(folder, "text.duckdb"), "line of text\n".repeat(2000));
    expect(await problemOf(join(folder, "folder.duckdb"))).toBe("not a file");
    expect(await problemOf(join(folder, "empty.duckdb"))).toBe("not a database");
    expect(await problemOf(join(folder, "text.duckdb"))).toBe("not a database");
  });

  test("a DuckDB database of someone else, which stays as it is", async () => {
    const path = join(folder, "other.duckdb");
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run("CREATE TABLE theirs (n INTEGER)");
    connection.closeSync();
    instance.closeSync();
    expect(await problemOf(path)).toBe("not tattle's");
  });

  test("a schema newer than this program", async () => {
    const path = join(folder, "newer.duckdb");
    const database = await openDatabase(path);
    await database.write(({ connection }) =>
      connection.run("INSERT INTO schema_migrations VALUES (99, '0099-next.sql')"),
    );
    await database.close();
    const error = await refusal(path);
    expect(error.message).toBe(
      `${path}: its schema has version 99, this tattle knows ${migrations.length}; use a newer tattle`,
    );
  });
});

describe("transactions", () => {
  test("what throws or discards leaves nothing, and the next writer is not held up", async () => {
    const database = await openDatabase(":memory:");
    const insert = "INSERT INTO asset VALUES ($1, NULL, 1)";
    const failing = database.write(async ({ connection }) => {
      await connection.run(insert, ["a"]);
      throw new Error("interrupted");
    });
    const discarding = database.write(async ({ connection, discard }) => {
      await connection.run(insert, ["b"]);
      discard();
    });
    const lasting = database.write(({ connection }) => connection.run(insert, ["c"]));
    await expect(failing).rejects.toThrow("interrupted");
    await discarding;
    await lasting;
    const rows = await database.read((connection) => connection.runAndReadAll("SELECT address FROM asset"));
    expect(rows.getRows()).toEqual([["c"]]);
    await database.close();
  });

  test("close waits for the work that runs, and later work is refused", async () => {
    const path = join(folder, "close.duckdb");
    const database = await openDatabase(path);
    const writing = database.write(({ connection }) =>
      connection.run("INSERT INTO asset SELECT 'host ' || i, NULL, 1 FROM range(50000) AS t(i)"),
    );
    await database.close();
    await writing;
    await expect(database.read((connection) => connection.run("SELECT 1"))).rejects.toThrow(
      "the database is closed",
    );
    expect(await rowsOf(path, "SELECT count(*) FROM asset")).toEqual(["50000"]);
  });
});

describe("when DuckDB stops itself", () => {
  const stop = new Error(
    "FATAL Error: Failed: database has been invalidated because of a previous fatal error.\nStack Trace: …",
  );

  test("whoever asks hears so in one line, whoever waits is told, and what was committed is there after", async () => {
    const path = join(folder, "evidence.duckdb");
    const database = await openDatabase(path);
    await database.write(({ connection }) => connection.run("INSERT INTO setting VALUES ('kept', 'yes')"));
    const refused: unknown = await database.read(() => Promise.reject(stop)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      problem: "stopped",
      message: expect.stringMatching(
        /^\S+evidence\.duckdb: DuckDB stopped itself \(FATAL Error: .*\); start again/,
      ) as string,
    });
    expect(await database.failure).toBe(refused);
    await database.close();
    expect(await rowsOf(path, "SELECT value FROM setting WHERE key = 'kept'")).toEqual(["yes"]);
  });

  test("any other error is what it is", async () => {
    const database = await openDatabase(join(folder, "evidence.duckdb"));
    const wrong = database.read((connection) => connection.run("SELECT nothing"));
    await expect(wrong).rejects.toThrow(/Binder Error/);
    const first = await Promise.race([database.failure, Promise.resolve("none")]);
    expect(first).toBe("none");
    await database.close();
  });
});
