/** `tattle packets` and `tattle export`, as their users type them. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tattle, useBuiltCommand } from "../support/built-command.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";

useBuiltCommand();
let folder = "";
const run = async (...args: string[]) => tattle([...args, "--database", "evidence.db"], { cwd: folder });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-evidence-out-"));
  copyFileSync(join(fixtureFolder, "small-company.pcapng"), join(folder, "monday.pcapng"));
  expect((await run("ingest", "monday.pcapng")).exitCode).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("packets go to standard output or to a file, and what was written is told", async () => {
  const piped = await run("packets", "10.20.0.17", "--marked");
  expect(piped.err).toMatch(/^tattle: 60 packets of 1 capture, [\d.]+ kB\n$/);
  expect(piped.exitCode).toBe(0);
  const filed = await run("packets", "10.20.0.17", "--marked", "--max-packets", "5", "-o", "slice.pcapng");
  expect([filed.exitCode, filed.out]).toEqual([3, ""]);
  expect(filed.err).toContain("cut at the limit: there are more");
  expect(readFileSync(join(folder, "slice.pcapng")).readUInt32LE(0)).toBe(0x0a0d0d0a);
});

test("a filter is printed with the command for each capture", async () => {
  const { out } = await run(
    "packets",
    "10.20.0.17",
    "--peer",
    "192.0.2.140",
    "--flow",
    "tcp:41417:6881",
    "--filter",
  );
  expect(out).toContain(
    "(ip.src == 10.20.0.17 && ip.dst == 192.0.2.140 && tcp.srcport == 41417 && tcp.dstport == 6881)",
  );
  expect(out).toContain("tshark -r monday.pcapng -o ip.defragment:FALSE");
});

test("what cannot be is one line, and leaves no file", async () => {
  const before = readdirSync(folder);
  for (const [args, reason] of [
    [["packets", "10.9.9.9", "-o", "no.pcapng"], "no capture shows 10.9.9.9 with a mark"],
    [["packets", "nobody"], "expected an IPv4 or IPv6 address"],
    [["packets", "10.20.0.17", "--flow", "tcp:1:2"], "--flow needs --peer"],
    [
      ["export", "--view", "captures", "--format", "stix", "-o", "no.json"],
      "captures cannot be exported as stix",
    ],
    [["export", "--view", "nothing"], 'unknown value "nothing"'],
  ] as const) {
    const { exitCode, err } = await run(...args);
    expect(exitCode, err).toBe(2);
    expect(err).toContain(reason);
  }
  expect(
    readdirSync(folder).filter((name) => !before.includes(name) && !name.startsWith("evidence")),
  ).toEqual([]);
});

test("an export goes to standard output or to a file", async () => {
  const piped = await run("export", "--match", "design-2");
  expect(piped.exitCode).toBe(0);
  expect(piped.out.trim().split("\r\n")).toHaveLength(2);
  const filed = await run("export", "--view", "flows", "--format", "parquet", "-o", "flows.parquet");
  expect(filed.err).toMatch(/^tattle: \d+ rows\n$/);
  expect(readFileSync(join(folder, "flows.parquet")).toString("latin1", 0, 4)).toBe("PAR1");
  expect(existsSync(join(folder, "evidence.db"))).toBe(true);
});
