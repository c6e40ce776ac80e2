/** The built command while it runs: signals, pipes, the owner of a database. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../support/build-command.ts";
import { resultOf, startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";

let folder = "";
const sample = join(repositoryRoot, "test/fixtures/small-company.pcapng");
const border = join(repositoryRoot, "test/fixtures/small-company-border.pcap");

useBuiltCommand();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-running-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The beginning of a capture of many packets, at least `octets` long. */
function endlessCapture(octets: number): Buffer {
  const capture = readFileSync(border);
  const record = capture.subarray(24, 24 + 16 + capture.readUInt32LE(24 + 8));
  const count = Math.ceil(octets / record.length);
  return Buffer.concat([capture.subarray(0, 24), ...Array.from({ length: count }, () => record)]);
}

async function captureNames(database: string): Promise<string[]> {
  const { out } = await tattle(["captures", "--json", "--database", database]);
  return (JSON.parse(out) as { captures: { name: string }[] }).captures.map((capture) => capture.name);
}

describe("Ctrl-C", () => {
  test("during ingest leaves the database as it was, and ends with 130", async () => {
    const database = join(folder, "interrupted.duckdb");
    expect((await tattle(["ingest", "--database", database, border])).exitCode).toBe(0);
    const child = startTattle(["ingest", "--database", database, "-"]);
    const result = resultOf(child);
    // More than a pipe holds, so that the write ends only when the command is reading; and no end, so it goes on.
    await new Promise((resolve) => child.stdin.write(endlessCapture(1_000_000), resolve));
    child.kill("SIGINT");
    expect(await result).toEqual({ exitCode: 130, out: "", err: "tattle: interrupted\n" });
    expect(await captureNames(database)).toEqual([border]);
  });

  test("ends serve in order, with 0, and the next command opens the database itself", async () => {
    const database = join(folder, "served.duckdb");
    const child = startTattle(["serve", "--database", database, "--port", "0"]);
    const result = resultOf(child);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const { exitCode, out } = await result;
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    expect((await tattle(["captures", "--database", database])).exitCode).toBe(0);
  });
});

describe("a running serve owns the database", () => {
  test("ingest and rank of other processes go through it, and its API shows what they brought", async () => {
    const database = join(folder, "owned.duckdb");
    const child = startTattle(["serve", "--database", database, "--port", "0"]);
    const result = resultOf(child);
    try {
      const [first] = (await once(child.stdout, "data")) as [string];
      const ingest = await tattle(["ingest", "--database", database, sample, border]);
      expect([ingest.exitCode, ingest.err]).toEqual([0, ""]);
      const ranked = JSON.parse((await tattle(["rank", "--json", "--database", database])).out) as object;
      const answer = await fetch(new URL("/api/ranking", first.trim()));
      expect(await answer.json()).toEqual(ranked);
    } finally {
      child.kill("SIGTERM");
      await result;
    }
  });
});

describe("pipes", () => {
  test("a reader that goes away is no error", async () => {
    const child = startTattle(["codes"]);
    child.stdout.destroy();
    expect(await resultOf(child)).toMatchObject({ exitCode: 0, err: "" });
  });

  test("neither colour nor progress goes into a pipe", async () => {
    const database = join(folder, "piped.duckdb");
    const { out, err } = await tattle(["ingest", "--database", database, sample]);
    expect(out + err).not.toContain("\u001b");
  });
});

describe("the dissector", () => {
  test("is printed for the code book that is named", async () => {
    const { exitCode, out } = await tattle(["dissector"]);
    expect(exitCode).toBe(0);
    expect(out).toContain("Files put into a sharing folder");
  });

  test("cannot be installed where there is no Wireshark, and the command says so", async () => {
    const { exitCode, out, err } = await tattle(["dissector", "install"], { env: { PATH: folder } });
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toMatch(/^tattle: found no Wireshark: /);
  });
});

describe("a second server on one database", () => {
  test("is told who owns it", async () => {
    const database = join(folder, "twice.duckdb");
    const child = startTattle(["serve", "--database", database, "--port", "0"]);
    const result = resultOf(child);
    try {
      await once(child.stdout, "data");
      const { exitCode, err } = await tattle(["serve", "--database", database, "--port", "0"]);
      expect(exitCode).toBe(2);
      expect(err).toMatch(new RegExp(`^tattle: ${database}: held by process ${child.pid} \\(.*node.*\\)\n$`));
    } finally {
      child.kill("SIGINT");
      await result;
    }
  });
});
