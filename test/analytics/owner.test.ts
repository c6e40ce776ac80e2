/** One process holds a database; all others reach it through the socket beside the file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DatabaseError } from "../../analytics/database-error.ts";
import { openStore, openOwnedStore } from "../../analytics/owner/open-store.ts";
import { socketPath } from "../../analytics/owner/socket-path.ts";
import { OwnerError, RemoteStore } from "../../analytics/remote-store.ts";
import type { Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { markOption, tcpPacket } from "../support/segment.ts";

const options = { codeBook: parseCodeBook(codeBookJson, "code-book.json"), clock: () => 1_773_750_000 };
const detection = { detectedAt: 1_773_738_000, category: 2, activity: 1 };
const packet = tcpPacket(
  { source: "10.0.0.7", destination: "192.0.2.9" },
  { sourcePort: 40_000, destinationPort: 443, flags: "S", options: markOption([detection]) },
);
const capture = writePcap([{ octets: ethernetFrame(packet), time: 1_773_738_060_000_000_000n }]);

let folder = "";
let database = "";
const opened: Store[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-owner-"));
  database = join(folder, "evidence.duckdb");
});

afterEach(async () => {
  // The clients first: an owner waits for whom it serves.
  for (const store of opened.splice(0).toReversed()) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<Store> {
  const store = await openStore(database, options);
  opened.push(store);
  return store;
}

/** Ingests the capture from a file, as the command does. */
async function ingest(store: Store): Promise<string> {
  const path = join(folder, "one.pcap");
  writeFileSync(path, capture);
  const descriptor = openSync(path, "r");
  try {
    const report = await store.ingest({ name: "one.pcap", source: { descriptor, octets: capture.length } });
    return report.alreadyIngestedAs ?? report.state;
  } finally {
    closeSync(descriptor);
  }
}

describe("the owner of a database", () => {
  it("is whoever opens the file first; the second one asks it", async () => {
    const owner = await open();
    const client = await open();
    expect(owner).not.toBeInstanceOf(RemoteStore);
    expect(client).toBeInstanceOf(RemoteStore);
  });

  it("listens for its own user only", async () => {
    await open();
    expect(statSync(socketPath(database)).mode & 0o777).toBe(0o600);
  });

  it("is found under another spelling of the path", async () => {
    await open();
    const client = await openStore(join(folder, ".", "evidence.duckdb"), options);
    opened.push(client);
    expect(client).toBeInstanceOf(RemoteStore);
  });

  it("listens elsewhere if the path is too long for a socket", () => {
    const path = socketPath(join(folder, "x".repeat(150)));
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect(statSync(join(path, "..")).mode & 0o077).toBe(0);
  });

  it("leaves no socket behind when it ends", async () => {
    await (await openStore(database, options)).close();
    expect(existsSync(socketPath(database))).toBe(false);
  });

  it("takes the place of one that died without tidying up", async () => {
    const holder = await spawnHolder();
    await holder.end();
    expect(existsSync(socketPath(database))).toBe(true);
    const store = await open();
    expect(store).not.toBeInstanceOf(RemoteStore);
    expect(await ingest(store)).toBe("complete");
  });

  it("is named by its process number if it holds the file and does not answer", async () => {
    const holder = await spawnHolder();
    try {
      rmSync(socketPath(database));
      const opening = openStore(database, { ...options, patienceMs: 100 });
      await expect(opening).rejects.toThrow(`held by process ${holder.pid}`);
      await expect(openOwnedStore(database, { ...options, patienceMs: 100 })).rejects.toBeInstanceOf(
        DatabaseError,
      );
    } finally {
      await holder.end();
    }
  });
});

describe("a client of the owner", () => {
  it("gets the same answers as the owner itself", async () => {
    const owner = await open();
    const client = await open();
    expect(await ingest(client)).toBe("complete");
    expect(await client.ranking()).toEqual(await owner.ranking());
    expect(await client.host("10.0.0.7")).toEqual(await owner.host("10.0.0.7"));
    expect(await client.captures()).toEqual(await owner.captures());
    expect((await client.ranking()).hosts.map((host) => host.address)).toEqual(["10.0.0.7"]);
  });

  it("is told that a host is unknown", async () => {
    await open();
    expect(await (await open()).host("10.0.0.8")).toBeUndefined();
  });

  it("is told that the capture is known already, under whatever name", async () => {
    await open();
    const client = await open();
    await ingest(client);
    expect(await ingest(client)).toBe("one.pcap");
  });

  it("sets names and weights of hosts, in place of those before", async () => {
    await open();
    const client = await open();
    await ingest(client);
    await client.setAssets([{ address: "10.0.0.9", weight: 1 }]);
    await client.setAssets([{ address: "10.0.0.7", name: "file server", weight: 2 }]);
    expect((await client.ranking()).hosts).toMatchObject([
      { address: "10.0.0.7", name: "file server", weight: 2 },
    ]);
  });

  it("hands over a pipe, and sees how far the owner is", async () => {
    await open();
    const client = await open();
    const seen: number[] = [];
    const report = await client.ingest(
      { name: "-", source: { stream: Readable.from([capture.subarray(0, 30), capture.subarray(30)]) } },
      { onProgress: (progress) => seen.push(progress.octets) },
    );
    expect(report).toMatchObject({ state: "complete", name: "-", markedPackets: 1 });
    for (const octets of seen) expect(octets).toBeLessThanOrEqual(capture.length);
  });

  it("is told why a capture is refused", async () => {
    await open();
    const client = await open();
    const report = await client.ingest({
      name: "notes.txt",
      source: { stream: Readable.from([Buffer.from("no capture at all, just text")]) },
    });
    expect(report.state).toBe("refused");
  });

  it("takes nothing with it if it goes away in the middle", async () => {
    const owner = await open();
    const client = await open();
    const abort = new AbortController();
    const endless = new Readable({ read() {} });
    endless.push(capture);
    const ingesting = client.ingest(
      { name: "endless", source: { stream: endless } },
      { signal: abort.signal },
    );
    abort.abort(new Error("interrupted"));
    await expect(ingesting).rejects.toThrow("interrupted");
    expect(await ingest(owner)).toBe("complete");
    expect((await owner.captures()).map((report) => report.name)).toEqual(["one.pcap"]);
  });

  it("says so if the owner went away", async () => {
    const client = new RemoteStore(join(folder, "nobody.sock"));
    await expect(client.ranking()).rejects.toBeInstanceOf(OwnerError);
  });
});

/** Another process that has the database open. */
async function spawnHolder(): Promise<{ pid: number; end: () => Promise<void> }> {
  const program = fileURLToPath(new URL("../support/hold-database.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, database], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  const line = once(createInterface({ input: child.stdout }), "line");
  const first = await Promise.race([line, exited.then(() => [])]);
  expect(first).toEqual(["open"]);
  return { pid: child.pid ?? 0, end };
}
