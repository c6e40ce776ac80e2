/** A capture that comes slowly keeps nobody waiting, and leaves nothing on the disk. */
import { once } from "node:events";
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../analytics/owner/open-store.ts";
import { socketPath } from "../../analytics/owner/socket-path.ts";
import { describeFile } from "../../analytics/packets/capture-file.ts";
import { OwnerError } from "../../analytics/remote-store.ts";
import type { CaptureReport, IngestInput, Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { markOption, tcpPacket } from "../support/segment.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");
const clock = (): number => 1_773_750_000;

let folder = "";
let database = "";
const opened: Store[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-spool-"));
  database = join(folder, "evidence.duckdb");
});

afterEach(async () => {
  for (const store of opened.splice(0).toReversed()) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(spoolOctets?: number): Promise<Store> {
  const store = await openStore(database, {
    codeBook,
    clock,
    ...(spoolOctets === undefined ? {} : { spoolOctets }),
  });
  opened.push(store);
  return store;
}

function captureOf(source: string): Uint8Array {
  const detection = { detectedAt: 1_773_738_000, category: 2, activity: 1 };
  const packet = tcpPacket(
    { source, destination: "192.0.2.9" },
    { sourcePort: 40_000, destinationPort: 443, flags: "S", options: markOption([detection]) },
  );
  return writePcap([{ octets: ethernetFrame(packet), time: 1_773_738_060_000_000_000n }]);
}

/** The beginning of a capture whose sender then says nothing more, until it is told to. */
function stalled(source: string): { readonly stream: Readable; readonly goOn: () => void } {
  const capture = captureOf(source);
  const stream = new Readable({ read() {} });
  stream.push(capture.subarray(0, 60));
  return {
    stream,
    goOn: () => {
      stream.push(capture.subarray(60));
      stream.push(null);
    },
  };
}

function whole(source: string, mayStall: boolean): IngestInput {
  return { name: source, source: { stream: Readable.from([captureOf(source)]), mayStall } };
}

const names = (reports: readonly CaptureReport[]): string[] => reports.map(({ name }) => name);

describe("a capture whose sender stalls", () => {
  it("keeps no other capture and no question waiting, and counts once it is whole", async () => {
    const store = await open();
    const { stream, goOn } = stalled("10.0.0.7");
    const slow = store.ingest({ name: "slow", source: { stream, mayStall: true } });
    expect(await store.ingest(whole("10.0.0.8", false))).toMatchObject({ state: "complete" });
    expect(await store.ingest(whole("10.0.0.9", true))).toMatchObject({ state: "complete" });
    expect((await store.ranking()).hosts).toHaveLength(2);
    goOn();
    expect(await slow).toMatchObject({ name: "slow", state: "complete", markedPackets: 1 });
    expect((await store.ranking()).hosts).toHaveLength(3);
  });

  it("keeps nobody waiting as a client of the owner, either", async () => {
    const owner = await open();
    const client = await open();
    const { stream, goOn } = stalled("10.0.0.7");
    const slow = client.ingest({ name: "slow", source: { stream } });
    expect(await owner.ingest(whole("10.0.0.8", false))).toMatchObject({ state: "complete" });
    goOn();
    expect(await slow).toMatchObject({ state: "complete" });
    expect(names(await owner.captures()).toSorted()).toEqual(["10.0.0.8", "slow"]);
  });

  it("keeps nobody waiting as a client that says how long its file is, and is stopped", async () => {
    const owner = await open();
    const client = await open();
    const { stream, goOn } = stalled("10.0.0.7");
    const { length } = captureOf("10.0.0.7");
    const slow = client.ingest({ name: "slow", source: { stream, octets: length } });
    // Answered behind it: the owner has begun with the capture.
    await client.captures();
    expect(await owner.ingest(whole("10.0.0.8", false))).toMatchObject({ state: "complete" });
    goOn();
    expect(await slow).toMatchObject({ state: "complete" });
  });

  it("has no file with a name meanwhile, so that a killed process leaves none", async () => {
    const store = await open();
    const { stream, goOn } = stalled("10.0.0.7");
    const before = readdirSync(folder).toSorted();
    const slow = store.ingest({ name: "slow", source: { stream, mayStall: true } });
    expect(readdirSync(folder).toSorted()).toEqual(before);
    goOn();
    await slow;
  });

  it("can be given up", async () => {
    const store = await open();
    const abort = new AbortController();
    const { stream } = stalled("10.0.0.7");
    const slow = store.ingest({ name: "slow", source: { stream, mayStall: true } }, { signal: abort.signal });
    abort.abort(new Error("interrupted"));
    await expect(slow).rejects.toThrow("interrupted");
    expect(await store.captures()).toEqual([]);
  });
});

describe("more octets than may wait", () => {
  it("are refused as on a full disk, and their room is free again", async () => {
    const { length } = captureOf("10.0.0.7");
    const store = await open(length);
    const large = Readable.from([Buffer.alloc(length), Buffer.alloc(1)]);
    await expect(store.ingest({ name: "large", source: { stream: large, mayStall: true } })).rejects.toThrow(
      `more than ${length} octets wait; nothing of this capture was kept`,
    );
    expect(await store.ingest(whole("10.0.0.8", true))).toMatchObject({ state: "complete" });
  });

  it("are an error of the owner for a client", async () => {
    await open(10);
    expect(readdirSync(folder)).toContain(socketPath(database).slice(folder.length + 1));
    const client = await open();
    const sending = client.ingest({
      name: "pipe",
      source: { stream: Readable.from([captureOf("10.0.0.7")]) },
    });
    await expect(sending).rejects.toBeInstanceOf(OwnerError);
  });
});

describe("a client's file", () => {
  /** Longer than a socket holds: a sender that is not read from stays in the middle of it. */
  const longCapture = Buffer.concat([captureOf("10.0.0.7"), Buffer.alloc(8 * 1024 * 1024)]);

  function withFile<Result>(use: (descriptor: number, path: string) => Promise<Result>): Promise<Result> {
    const path = join(folder, "capture.pcap");
    writeFileSync(path, longCapture);
    const descriptor = openSync(path, "r");
    return use(descriptor, path).finally(() => closeSync(descriptor));
  }

  function fileInput(descriptor: number, path: string, told = path): IngestInput {
    const file = describeFile(descriptor, told);
    const source = { descriptor, octets: longCapture.length };
    return { name: path, source, ...(file ? { file } : {}) };
  }

  it("is read by the owner itself, so that a client which is stopped holds up nobody", async () => {
    const owner = await open();
    await withFile(async (descriptor, path) => {
      const { file } = fileInput(descriptor, path);
      const stopped = request({
        socketPath: socketPath(database),
        path: "/ingest",
        method: "POST",
        headers: {
          expect: "100-continue",
          "x-capture-name": "stopped",
          "x-capture-file": encodeURIComponent(JSON.stringify(file)),
        },
      });
      let wasAsked = false;
      stopped.on("continue", () => (wasAsked = true));
      stopped.on("error", () => undefined);
      const [response] = (await once(stopped, "response")) as [IncomingMessage];
      const lines = (await text(response)).trim().split("\n");
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
        report: { name: "stopped", state: "partial", markedPackets: 1 },
      });
      expect(wasAsked).toBe(false);
      stopped.destroy();
    });
    expect(names(await owner.captures())).toEqual(["stopped"]);
  });

  it("goes over the socket if the owner does not find the same file", async () => {
    await open();
    const client = await open();
    const report = await withFile((descriptor, path) =>
      client.ingest(fileInput(descriptor, path, join(folder, "elsewhere.pcap"))),
    );
    expect(report).toMatchObject({ state: "partial", markedPackets: 1 });
  });

  it("gives the same report, whoever reads it", async () => {
    await open();
    const client = await open();
    const report = await withFile((descriptor, path) => client.ingest(fileInput(descriptor, path)));
    expect(report).toMatchObject({ state: "partial", markedPackets: 1 });
  });

  it("is closed by nobody but who opened it, also where the owner takes no more", async () => {
    await open(1000);
    const client = await open();
    await withFile(async (descriptor, path) => {
      const sending = client.ingest(fileInput(descriptor, path, join(folder, "elsewhere.pcap")));
      await expect(sending).rejects.toThrow("more than 1000 octets wait");
      // Whatever was still to come of that has come.
      await client.captures();
      expect(fstatSync(descriptor).size).toBe(longCapture.length);
    });
  });
});
