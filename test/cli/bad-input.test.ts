/** The built command on input that nobody should give it: one clear line, the right exit code, nothing lost. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../support/build-command.ts";
import { tattle, useBuiltCommand } from "../support/built-command.ts";
import type { CommandResult } from "../support/built-command.ts";

let folder = "";
let database = "";
const border = readFileSync(join(repositoryRoot, "test/fixtures/small-company-border.pcap"));
const globalHeader = 24;

const inFolder = (name: string): string => join(folder, name);

function put(name: string, content: Uint8Array | string): string {
  writeFileSync(inFolder(name), content);
  return inFolder(name);
}

/** A copy of the border capture in which one 32-bit field of a record header is something else. */
function patched(offset: number, value: number): Buffer {
  const copy = Buffer.from(border);
  copy.writeUInt32LE(value, offset);
  return copy;
}

async function ingest(...files: string[]): Promise<CommandResult> {
  return tattle(["ingest", "--database", database, ...files]);
}

useBuiltCommand();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-bad-input-"));
  database = inFolder("evidence.duckdb");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("files that are no captures: one line, exit code 2", () => {
  test("a missing file", async () => {
    expect(await ingest(inFolder("missing.pcap"))).toEqual({
      exitCode: 2,
      out: "",
      err: `tattle: ${inFolder("missing.pcap")}: no such file or folder\n`,
    });
  });

  test("a folder without captures", async () => {
    mkdirSync(inFolder("empty-folder"));
    expect(await ingest(inFolder("empty-folder"))).toEqual({
      exitCode: 2,
      out: "",
      err: `tattle: ${inFolder("empty-folder")}: no capture in this folder\n`,
    });
  });

  test.each([
    ["an empty file", "empty.pcap", ""],
    ["a text file", "notes.pcap", "There are no packets here, only words.\n"],
    ["a header that is cut off", "header.pcap", border.subarray(0, globalHeader - 4)],
    ["nothing on standard input", "-", ""],
  ])("%s", async (_, name, content) => {
    const { exitCode, out, err } = await ingest(name === "-" ? "-" : put(name, content));
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toMatch(new RegExp(`^tattle: ${name === "-" ? "standard input" : inFolder(name)}: .+\n$`));
  });
});

test("nothing that could be used makes no database", async () => {
  const fresh = inFolder("fresh.duckdb");
  const { exitCode } = await tattle([
    "ingest",
    "--database",
    fresh,
    put("words.pcap", "only words, no packets here"),
  ]);
  expect(exitCode).toBe(2);
  expect([fresh, `${fresh}.wal`].filter((path) => existsSync(path))).toEqual([]);
});

test("nothing that could be used leaves a database that was there as it was", async () => {
  const used = inFolder("used.duckdb");
  await tattle(["ingest", "--database", used, put("before.pcap", border)]);
  await tattle(["ingest", "--database", used, put("words.pcap", "only words, no packets here")]);
  const { out } = await tattle(["captures", "--database", used]);
  expect(out).toMatch(/before\.pcap +complete/);
  // Nothing was counted, which is not zero.
  expect(out).toMatch(/words\.pcap +refused +[a-z]/);
});

describe("damaged captures: what is before the damage counts, exit code 3", () => {
  test("a packet that is cut off", async () => {
    const { exitCode, out } = await ingest(put("cut.pcap", border.subarray(0, border.length - 5)));
    expect(exitCode).toBe(3);
    expect(out).toMatch(/cut\.pcap +partial .+\(at octet \d+\)/);
  });

  test("a length that no packet can have, in the second record", async () => {
    const second = globalHeader + 16 + border.readUInt32LE(globalHeader + 8);
    const { exitCode, out } = await ingest(put("absurd.pcap", patched(second + 8, 0xfffffff0)));
    expect(exitCode).toBe(3);
    expect(out).toMatch(/absurd\.pcap +partial .+\(at octet \d+\)/);
  });

  test("good captures beside missing ones are kept, and the table names both", async () => {
    const { exitCode, out, err } = await ingest(inFolder("missing.pcap"), put("good.pcap", border));
    expect([exitCode, err]).toEqual([3, ""]);
    expect(out).toMatch(/missing\.pcap +refused .+no such file or folder/);
    expect(out).toMatch(/good\.pcap +complete/);
  });

  test("JSON says the same, with the offset as a number", async () => {
    const cut = put("cut-for-json.pcap", border.subarray(0, border.length - 7));
    const { exitCode, out } = await tattle(["ingest", "--json", "--database", database, cut]);
    expect(exitCode).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      captures: [
        { name: cut, state: "partial", reason: expect.any(String), reasonOffset: expect.any(Number) },
      ],
    });
  });
});

describe("databases", () => {
  test("a file that is none is left as it is", async () => {
    const wrong = put("wrong.duckdb", "precious notes");
    expect(await tattle(["rank", "--database", wrong])).toEqual({
      exitCode: 2,
      out: "",
      err: `tattle: ${wrong}: not a DuckDB database\n`,
    });
    expect(readFileSync(wrong, "utf8")).toBe("precious notes");
  });

  test("one that does not exist is not made by a question", async () => {
    const { exitCode, err } = await tattle(["rank", "--database", inFolder("typo.duckdb")]);
    expect([exitCode, err]).toEqual([
      2,
      `tattle: ${inFolder("typo.duckdb")}: no database here yet; tattle ingest makes one\n`,
    ]);
    expect(existsSync(inFolder("typo.duckdb"))).toBe(false);
  });

  test("one that another program holds names that program", async () => {
    const held = inFolder("held.duckdb");
    const script = `
      import { DuckDBInstance } from "@duckdb/node-api";
      const instance = await DuckDBInstance.create(${JSON.stringify(held)});
      process.stdout.write("held");
      process.stdin.resume().once("end", () => instance.closeSync());`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: repositoryRoot });
    try {
      await once(holder.stdout, "data");
      const { exitCode, out, err } = await tattle(["ingest", "--database", held, put("some.pcap", border)]);
      expect([exitCode, out]).toEqual([2, ""]);
      expect(err).toMatch(new RegExp(`^tattle: ${held}: held by process ${holder.pid} \\(.*node.*\\)\n$`));
    } finally {
      holder.stdin.end();
      await once(holder, "close");
    }
  });
});

describe("the command line", () => {
  test.each([
    [["ignest", "a.pcap"], 'unknown command "ignest"; did you mean ingest?'],
    [["rank", "--srot", "peers"], "rank: unknown option --srot; did you mean --sort?"],
    [
      ["ingest"],
      "ingest: FILE is missing; a capture, a folder of captures, a pattern, or - for standard input",
    ],
    [["rank", "--limit", "many"], '--limit: expected a whole number from 1 to 1000000000, got "many"'],
    [["rank", "--json", "--csv"], "rank: --json and --csv exclude each other"],
    [["host", "example.org"], 'host: expected an IPv4 or IPv6 address, got "example.org"'],
    [
      ["rank", "--as-of", "noon"],
      '--as-of: expected a time such as 2026-05-04T09:30:00Z or seconds since 1970, got "noon"',
    ],
    [["codes", "--code-book", "/nowhere.json"], "/nowhere.json: no such file or folder"],
  ])("%j", async (args, message) => {
    expect(await tattle(args)).toEqual({ exitCode: 2, out: "", err: `tattle: ${message}\n` });
  });

  test("a code book with a mistake is named with the place of the mistake", async () => {
    const book = put("book.json", '{"name":"x","version":1,"categories":[{"code":256,"activities":[]}]}');
    expect(await tattle(["codes", "--code-book", book])).toMatchObject({
      exitCode: 2,
      err: `tattle: ${book}: categories[0].code: expected a whole number from 0 to 255, got 256\n`,
    });
  });
});

describe("the dashboard", () => {
  test("a port that is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    try {
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      const { exitCode, err } = await tattle([
        "serve",
        "--database",
        inFolder("port.duckdb"),
        "--port",
        `${port}`,
      ]);
      expect(exitCode).toBe(2);
      expect(err).toMatch(new RegExp(`^tattle: .*port ${port} is in use.*\n$`));
    } finally {
      other.close();
    }
  });

  test("an address beyond loopback without a token", async () => {
    const args = ["serve", "--database", inFolder("token.duckdb"), "--host", "0.0.0.0", "--port", "0"];
    const { exitCode, err } = await tattle(args);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/^tattle: 0\.0\.0\.0: .*token is required.*\n$/);
  });
});
