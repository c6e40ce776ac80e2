/** The log of who did what, in the real database and on the command line. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";

useBuiltCommand();

let folder: string;
let database: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-audit-"));
  database = join(folder, "evidence.duckdb");
  await tattle(["ingest", "--database", database, "test/fixtures/small-company-border.pcap"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (...args: string[]) => tattle([...args, "--database", database]);

test("a token is printed once, kept as a digest with its role, and revoked again", async () => {
  const { out } = await run("tokens", "add", "ada", "--role", "analyst");
  expect(out).toMatch(/^[\w-]{43}\n$/);
  const file = `${database}.people`;
  expect(readFileSync(file, "utf8")).toMatch(/^ada analyst [0-9a-f]{64}\n$/);
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  expect((await run("tokens")).out).toMatch(/ada +analyst/);
  expect((await run("tokens", "add", "ada")).err).toMatch(/ada: there is a token of this name/);
  expect((await run("tokens", "add", "a b")).err).toMatch(/expected a name of letters/);
  expect((await run("tokens", "revoke", "eve")).err).toMatch(/eve: no token of this name/);
});

test("tokens of agents are noted, too", async () => {
  await run("agents", "add", "border-1");
  await run("agents", "revoke", "border-1");
  const { entries } = JSON.parse((await run("audit", "--json")).out) as {
    entries: { action: string; subject: string }[];
  };
  expect(entries.slice(0, 2)).toMatchObject([
    { action: "agent token revoked", subject: "border-1" },
    { action: "agent token added", subject: "border-1" },
  ]);
});

test("while the server runs, decisions, exports and changes of tokens are in one log, newest first", async () => {
  const token = (await run("tokens", "add", "olga", "--role", "operator")).out.trim();
  const server = startTattle(["serve", "--database", database, "--port", "0"]);
  const ended = once(server, "close");
  try {
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    const address = line.toString().trim();
    const headers = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${address}api/health`)).status).toBe(401);
    await (await fetch(`${address}api/export/hosts?format=csv`, { headers })).text();
    const decided = await fetch(`${address}api/triage`, {
      method: "POST",
      headers: { ...headers, "X-Tattle-Request": "1", "Content-Type": "application/json" },
      body: JSON.stringify({ hosts: { filter: "", expected: 1 }, state: "acknowledged", who: "nobody" }),
    });
    expect([decided.status, await decided.json()]).toMatchObject([200, { hosts: 1 }]);
    expect((await run("tokens", "revoke", "ada")).exitCode).toBe(0);
    const { out } = await run("audit", "--json");
    const { entries } = JSON.parse(out) as { entries: { who: string; action: string; subject: string }[] };
    expect(entries.map(({ action, subject }) => [action, subject])).toEqual([
      ["token revoked", "ada"],
      ["triage", expect.stringMatching(/^[0-9.]+: acknowledged \(change 1\)$/)],
      ["export", "hosts?format=csv"],
      ["token added", "olga: operator"],
      ["agent token revoked", "border-1"],
      ["agent token added", "border-1"],
      ["token added", "ada: analyst"],
    ]);
    expect(entries.slice(1, 3).map(({ who }) => who)).toEqual(["olga", "olga"]);
    expect((await run("audit")).out).toMatch(/export +hosts\?format=csv/);
  } finally {
    server.kill("SIGINT");
    await ended;
  }
});
