/** `tattle host` finds a host in whatever spelling, and denies nothing that was seen. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tattle, useBuiltCommand } from "../support/built-command.ts";

useBuiltCommand();

let database: readonly string[];
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-host-"));
  database = ["--database", join(folder, "evidence.duckdb")];
  const sample = fileURLToPath(new URL("../fixtures/small-company.pcapng", import.meta.url));
  expect((await tattle(["ingest", sample, ...database])).exitCode).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an IPv6 address is found in any of its spellings", async () => {
  const { exitCode, out } = await tattle(["host", "FD20:0:0:0:0:0:0:38", ...database]);
  expect([exitCode, out.split("\n")[0]]).toEqual([
    0,
    "fd20::38 (workshop-3.company.example)  as of 2026-03-17 17:59:40 UTC",
  ]);
});

test("a host that was seen after the time that is asked for is not called never seen", async () => {
  const { exitCode, err } = await tattle(["host", "10.20.0.23", "--as-of", "2026-03-17T12:00Z", ...database]);
  expect([exitCode, err]).toEqual([
    2,
    "tattle: 10.20.0.23 was not seen with a mark up to 2026-03-17 12:00:00 UTC\n",
  ]);
});
