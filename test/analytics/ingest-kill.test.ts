/**
 * `tattle ingest` with several captures, ended at any moment: every capture is all there or not there, and the same
 * command again finishes. One of the captures has grown since it was ingested, so that rows are deleted, too.
 * TATTLE_SLOW kills a hundred times.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../fuzz/random.ts";
import { repositoryRoot } from "../support/build-command.ts";
import { buildFolder, resultOf, startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";
import type { CommandResult } from "../support/built-command.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { TestDatabase } from "./ingest-support.ts";

type Evidence = Record<string, string[]>;

useBuiltCommand();

const kills = process.env["TATTLE_SLOW"] === undefined ? 10 : 100;
const random = seededRandom(11);
const isRoot = process.getuid?.() === 0;

let folder: string;
let template: string;
let captures: string[];
/** What the database holds when none, one, two, all of the captures are in it. */
let states: Evidence[];
/** How long an undisturbed run takes, milliseconds. */
let duration: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-kill-"));
  const [growing, beginning, mixed] = ["growing.pcap", "beginning.pcap", "mixed.pcapng"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  generateCapture(growing, { packets: 6000, mix: "all-marked" });
  const whole = readFileSync(growing);
  writeFileSync(beginning, whole.subarray(0, whole.length / 2));
  generateCapture(mixed, { packets: 20_000, format: "pcapng" });
  captures = [growing, join(repositoryRoot, "test/fixtures/small-company.pcapng"), mixed];
  // All databases are copies of one, so that digests and flow keys, which are secret to a database, can be compared.
  template = join(folder, "template.duckdb");
  await tattle(["ingest", "--database", template, beginning]);
  states = [];
  for (let count = 0; count <= captures.length; count++) {
    const database = copyOfTemplate();
    const start = performance.now();
    if (count > 0) await tattle(["ingest", "--database", database, ...captures.slice(0, count)]);
    duration = performance.now() - start;
    states.push(await evidenceIn(database));
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copyOfTemplate(): string {
  const path = join(folder, `copy-${copies++}.duckdb`);
  cpSync(template, path);
  return path;
}

async function evidenceIn(path: string): Promise<Evidence> {
  const database = await TestDatabase.open(path);
  try {
    return await database.evidence();
  } finally {
    await database.close();
  }
}

/** How many of the captures are in the database; it must be one of the states that an undisturbed run goes through. */
async function stateOf(path: string): Promise<number> {
  const evidence = await evidenceIn(path);
  const count = states.findIndex((state) => isEqual(state, evidence));
  // The nearest state says what is wrong.
  if (count < 0) expect(evidence).toEqual(states[(evidence["captures"]?.length ?? 1) - 1]);
  return count;
}

function isEqual(left: Evidence, right: Evidence): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

async function expectToFinish(path: string): Promise<void> {
  const again = await tattle(["ingest", "--database", path, ...captures]);
  expect(again.err).toBe("");
  expect(again.exitCode).toBe(0);
  expect(await stateOf(path)).toBe(captures.length);
  rmSync(path);
}

test("the states differ, or nothing below could fail", () => {
  expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(captures.length + 1);
});

test(`killed at ${kills} moments`, { timeout: kills * 20_000 }, async () => {
  const seen = new Set<number>();
  for (let round = 0; round < kills; round++) {
    const database = copyOfTemplate();
    const child = startTattle(["ingest", "--database", database, ...captures]);
    const ended = once(child, "close");
    // From the start to somewhat behind the end; evenly, and then anywhere within a step.
    await delay(((round + random.below(1000) / 1000) / kills) * duration * 1.1);
    child.kill("SIGKILL");
    await ended;
    seen.add(await stateOf(database));
    await expectToFinish(database);
  }
  // Some were too early and some too late; the others met something in between.
  expect(seen.size).toBeGreaterThan(1);
});

test("interrupted by Ctrl-C", { timeout: 120_000 }, async () => {
  for (const share of [0.5, 0.8]) {
    const database = copyOfTemplate();
    const child = startTattle(["ingest", "--database", database, ...captures]);
    const ended = resultOf(child);
    await delay(share * duration);
    child.kill("SIGINT");
    const { exitCode, err } = await ended;
    // Interrupted, or it had ended just before.
    expect([`130 tattle: interrupted\n`, "0 "]).toContain(`${exitCode} ${err}`);
    expect(existsSync(`${database}.wal`)).toBe(false);
    await stateOf(database);
    await expectToFinish(database);
  }
});

async function startServer(database: string): Promise<{
  server: ReturnType<typeof startTattle>;
  ended: Promise<unknown>;
  address: string;
}> {
  const server = startTattle(["serve", "--database", database, "--port", "0"]);
  const ended = once(server, "close");
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  return { server, ended, address: /http:\S+/.exec(line.toString())?.[0] ?? "no address" };
}

/** As the dashboard's page does it, one after the other; the server may be gone at any time. */
async function upload(address: string): Promise<void> {
  for (const path of captures) {
    const answer = await fetch(new URL(`/api/captures?name=${encodeURIComponent(path)}`, address), {
      method: "POST",
      headers: { "content-type": "application/octet-stream", "x-tattle-request": "1" },
      body: readFileSync(path),
    }).catch(() => undefined);
    await answer?.text().catch(() => undefined);
  }
}

describe("a server that is killed while it takes captures in", () => {
  test.each([
    ["from another command", 0.7],
    ["from another command, early", 0.3],
  ])("%s", { timeout: 120_000 }, async (_from, share) => {
    const database = copyOfTemplate();
    const { server, ended } = await startServer(database);
    const client = startTattle(["ingest", "--database", database, ...captures]);
    const told = once(client, "close");
    await delay(share * duration);
    server.kill("SIGKILL");
    await Promise.all([ended, told]);
    await stateOf(database);
    await expectToFinish(database);
  });

  test("from a browser", { timeout: 120_000 }, async () => {
    const database = copyOfTemplate();
    const { server, ended, address } = await startServer(database);
    const uploaded = upload(address);
    // A server is warm: what takes it long is the capture, not the start.
    await delay(0.3 * duration);
    server.kill("SIGKILL");
    await Promise.all([ended, uploaded]);
    await stateOf(database);
    await expectToFinish(database);
  });
});

test("renamed, compressed and twice in one command, each counts once", async () => {
  const database = copyOfTemplate();
  const copies = captures.flatMap((path, index) => {
    const renamed = join(folder, `renamed-${index}`);
    const compressed = join(folder, `compressed-${index}.gz`);
    cpSync(path, renamed);
    writeFileSync(compressed, gzipSync(readFileSync(path)));
    return [path, path, renamed, compressed];
  });
  const { exitCode, out } = await tattle(["ingest", "--database", database, ...copies]);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/growing\.pcap .* grown: [\d,]+ packets were known\n/);
  expect(out).toMatch(/compressed-2\.gz .* already ingested as .*mixed\.pcapng\n/);
  const listed = await tattle(["captures", "--database", database]);
  expect(listed.out).toMatch(/growing\.pcap .* grown: [\d,]+ packets were known\n/);
  expect(await stateOf(database)).toBe(captures.length);
  rmSync(database);
});

describe("no room is left", () => {
  const roomOctets = (): number => Math.ceil(readFileSync(template).length / 4096 + 375) * 4096;

  async function expectWhole(database: string, full: CommandResult): Promise<void> {
    expect(full.err).toMatch(
      /^tattle: .*evidence\.duckdb: (No space left on device|File too large); what was/,
    );
    expect(full.exitCode).toBe(1);
    // Room again: what is there is whole, and the rest can come.
    const elsewhere = copyOfTemplate();
    cpSync(database, elsewhere);
    if (existsSync(`${database}.wal`)) cpSync(`${database}.wal`, `${elsewhere}.wal`);
    await stateOf(elsewhere);
    await expectToFinish(elsewhere);
  }

  test("for a file as large (RLIMIT_FSIZE)", { timeout: 120_000 }, async () => {
    const place = join(folder, "limited");
    mkdirSync(place);
    const database = join(place, "evidence.duckdb");
    cpSync(template, database);
    const main = join(buildFolder(), "cli", "main.js");
    const limited = spawn("prlimit", [
      `--fsize=${roomOctets()}`,
      process.execPath,
      main,
      "ingest",
      "--database",
      database,
      ...captures,
    ]);
    await expectWhole(database, await resultOf(limited));
  });

  if (!isRoot) console.warn("not run: a full disk, which takes a mount (root)");
  test.runIf(isRoot)("on the disk (as root: takes a mount)", { timeout: 120_000 }, async () => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${roomOctets()}`, "none", disk]);
    expect(mounted.status).toBe(0);
    try {
      const database = join(disk, "evidence.duckdb");
      cpSync(template, database);
      await expectWhole(database, await tattle(["ingest", "--database", database, ...captures]));
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  test.runIf(isRoot)("for a server, which goes on answering (as root)", { timeout: 120_000 }, async () => {
    const disk = join(folder, "server-disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${roomOctets()}`, "none", disk]);
    expect(mounted.status).toBe(0);
    const database = join(disk, "evidence.duckdb");
    cpSync(template, database);
    const { server, ended } = await startServer(database);
    try {
      const full = await tattle(["ingest", "--database", database, ...captures]);
      expect(full.err).toContain("No space left on device; what was ingested before is kept");
      expect(full.exitCode).toBe(1);
      const { exitCode, out } = await tattle(["captures", "--database", database, "--json"]);
      expect(exitCode).toBe(0);
      expect(out).toContain("beginning.pcap");
    } finally {
      server.kill("SIGKILL");
      await ended;
      spawnSync("umount", [disk]);
    }
  });
});
