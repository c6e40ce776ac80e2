/** Puts a code book into the database, in place of the one before: the ranking takes severities and half-lives from it. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { defaultHalfLifeHours } from "../wire/code-book.ts";
import type { CodeBook } from "../wire/code-book.ts";

/** Called within a transaction. */
export async function loadCodeBook(connection: DuckDBConnection, book: CodeBook): Promise<void> {
  await connection.run("DELETE FROM category_code");
  await connection.run("DELETE FROM activity_code");
  for (const category of book.categories) {
    await connection.run("INSERT INTO category_code VALUES ($1, $2, $3)", [
      category.code,
      category.title,
      category.halfLifeHours ?? defaultHalfLifeHours,
    ]);
    for (const activity of category.activities) {
      await connection.run("INSERT INTO activity_code VALUES ($1, $2, $3, $4, $5)", [
        category.code,
        activity.code,
        activity.title,
        activity.severity,
        activity.attack ?? null,
      ]);
    }
  }
}
