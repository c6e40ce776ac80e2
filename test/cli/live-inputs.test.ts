/** Captures from where users have them: a tcpdump that runs, a folder, a pattern in quotes, standard input. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../support/build-command.ts";
import { resultOf, startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";

const border = join(repositoryRoot, "test/fixtures/small-company-border.pcap");
let folder = "";

useBuiltCommand();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-live-"));
  mkdirSync(join(folder, "week"));
  copyFileSync(border, join(folder, "week", "monday.pcap"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Listed {
  readonly captures: readonly { readonly name: string; readonly state: string; readonly packets: number }[];
}

const listed = (out: string): Listed["captures"] => (JSON.parse(out) as Listed).captures;

describe("ingest reads", () => {
  test.each([
    ["a folder", "week"],
    ["a pattern that no shell expanded", "week/mon*.pcap"],
  ])("%s", async (_, name) => {
    const database = join(folder, "named.duckdb");
    const { exitCode, out } = await tattle(["ingest", "--json", "--database", database, join(folder, name)]);
    rmSync(database);
    expect(exitCode).toBe(0);
    expect(listed(out)).toMatchObject([{ name: join(folder, "week", "monday.pcap"), state: "complete" }]);
  });

  test("standard input", async () => {
    const { out } = await tattle(["ingest", "--json", "--database", join(folder, "in.duckdb"), "-"], {
      input: readFileSync(border),
    });
    expect(listed(out)).toMatchObject([{ name: "standard input", state: "complete" }]);
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("tcpdump while it runs: not tested, because only root may capture");

const datagrams = 5;
const headerOctets = 24;
/** Record header, Ethernet, IPv4 and UDP headers, 7 octets of payload. */
const recordOctets = 16 + 14 + 20 + 8 + 7;

describe.runIf(isRoot)("ingest reads a tcpdump that runs (root only)", () => {
  test("until it is ended; every packet that it wrote counts", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    const dump = spawn("tcpdump", ["-i", "lo", "-U", "-w", "-", "--immediate-mode", `udp port ${port}`]);
    await listening(dump);
    const child = startTattle(["ingest", "--json", "--database", join(folder, "live.duckdb"), "-"]);
    const result = resultOf(child);
    const isWritten = octetsFrom(dump, headerOctets + datagrams * recordOctets);
    dump.stdout.pipe(child.stdin);
    for (let sent = 0; sent < datagrams; sent++) socket.send("a probe", port, "127.0.0.1");
    await isWritten;
    dump.kill("SIGINT");
    const { exitCode, out } = await result;
    socket.close();
    expect(exitCode).toBe(0);
    expect(listed(out)).toMatchObject([{ name: "standard input", state: "complete", packets: datagrams }]);
  }, 60_000);
});

/** Resolves when tcpdump says that it listens. */
async function listening(dump: ChildProcess): Promise<void> {
  let said = "";
  while (!said.includes("listening on")) {
    const [text] = (await once(dump.stderr ?? dump, "data")) as [Buffer];
    said += text.toString();
  }
}

function octetsFrom(dump: ChildProcess, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    let octets = 0;
    dump.stdout?.on("data", (piece: Buffer) => {
      octets += piece.length;
      if (octets >= wanted) resolve();
    });
  });
}
