/** How a server ends. */
import { expect, test } from "vitest";
import { DatabaseError } from "../../analytics/database-error.ts";
import { untilInterrupted } from "../../cli/dashboard-session.ts";

test("Ctrl-C ends it in order, also when it came before", async () => {
  const ending = new AbortController();
  const waiting = untilInterrupted(ending.signal, {});
  ending.abort();
  await expect(waiting).resolves.toBeUndefined();
  await expect(untilInterrupted(ending.signal, {})).resolves.toBeUndefined();
});

test("a database that failed for good ends it with the reason", async () => {
  const failure = new DatabaseError("stopped", "evidence.duckdb: DuckDB stopped itself");
  const waiting = untilInterrupted(new AbortController().signal, { failure: Promise.resolve(failure) });
  await expect(waiting).rejects.toBe(failure);
});
