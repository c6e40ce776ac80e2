/** `tattle agents`: tokens for agents that report to `tattle serve`, and what is known of them. */
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
  folder = mkdtempSync(join(tmpdir(), "tattle-agents-command-"));
  database = join(folder, "evidence.duckdb");
  await tattle(["ingest", "--database", database, "test/fixtures/small-company-border.pcap"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const agents = async (...args: string[]) => tattle(["agents", ...args, "--database", database]);

test("without any, says how to make the first token", async () => {
  expect(await agents()).toEqual({
    exitCode: 0,
    out: "no agent has a token; tattle agents add NAME makes one\n",
    err: "",
  });
});

test("a token is printed once, kept as a digest, for the owner alone", async () => {
  const { out } = await agents("add", "border-1");
  expect(out).toMatch(/^[\w-]{43}\n$/);
  const file = `${database}.agents`;
  expect(readFileSync(file, "utf8")).not.toContain(out.trim());
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  expect((await agents()).out).toBe("no agent was heard yet; tokens: border-1\n");
});

test.each([
  ["a name twice", ["add", "border-1"], /border-1: there is a token of this name/],
  ["a name with blanks", ["add", "border one"], /expected a name of letters/],
  ["revoking what is not there", ["revoke", "border-9"], /border-9: no token of this name/],
  ["no name", ["add"], /NAME is missing/],
])("%s is refused", async (_what, args, problem) => {
  const { exitCode, err } = await agents(...args);
  expect(exitCode).toBe(2);
  expect(err).toMatch(problem);
});

test("an agent that reports is listed while the server runs; revoked, it is heard no more", async () => {
  const token = (await agents("add", "border-2")).out.trim();
  const server = startTattle(["serve", "--database", database, "--port", "0"]);
  const ended = once(server, "close");
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const event = {
    type: "enforcement",
    id: "spool-1",
    agent: "1d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f",
    time: Date.now() / 1000,
    host: "10.0.0.7",
    peer: "192.0.2.9",
    protocol: 6,
    hostPort: 40_000,
    peerPort: 443,
    verdict: "drop",
    trust: "lone",
    detections: [],
    length: 60,
  };
  const send = async () =>
    fetch(new URL("/api/agent/events", line.toString().trim()), {
      method: "POST",
      headers: { "Content-Type": "application/x-ndjson", Authorization: `Bearer ${token}` },
      body: JSON.stringify(event),
    });
  try {
    expect((await send()).status).toBe(200);
    const { out } = await agents("--json");
    expect(JSON.parse(out)).toMatchObject({
      agents: [{ agent: event.agent, token: "border-2", events: 1, alarms: [] }],
      tokens: ["border-1", "border-2"],
    });
    expect((await agents()).out).toMatch(/1d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f +border-2/);
    await agents("revoke", "border-2");
    expect((await send()).status).toBe(401);
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
});
