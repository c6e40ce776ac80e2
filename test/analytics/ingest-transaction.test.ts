/** A capture is all there or not there, once, whatever happens and in whatever order captures come. */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ingestCapture } from "../../analytics/ingest/ingest-capture.ts";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import type { CaptureReport, IngestOptions, IngestProgress } from "../../analytics/store.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { writePcap, writePcapng } from "../support/capture-writer.ts";
import type { SampleFrame } from "../support/capture-writer.ts";
import { ipPacket, markOption, tcpPacket } from "../support/segment.ts";
import {
  conversation,
  detection,
  drive,
  midnight,
  nflogFrame,
  segment,
  TestDatabase,
  testInterface,
} from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

let folder = "";
let database: TestDatabase;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-ingest-"));
  database = await TestDatabase.open();
});
afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function sampleFrames(frames: readonly TestFrame[]): SampleFrame[] {
  return frames.map(({ octets, time }) => ({ octets, time: BigInt(Math.round(time * 1_000_000)) * 1000n }));
}

const sample = sampleFrames(conversation());
const pcap = writePcap(sample, { linkType: linkTypes.raw });

async function ingestFile(
  octets: Uint8Array,
  name: string,
  options: IngestOptions = {},
): Promise<CaptureReport> {
  const path = join(folder, "capture");
  writeFileSync(path, octets);
  const descriptor = openSync(path, "r");
  try {
    const source = { descriptor, octets: fstatSync(descriptor).size };
    return await ingestCapture(database.database, { name, source }, { now: midnight + 3600, ...options });
  } finally {
    closeSync(descriptor);
  }
}

describe("the same content", () => {
  test("again, renamed, compressed or as a stream, is not counted again", async () => {
    const first = await ingestFile(pcap, "first.pcap");
    expect(first).toMatchObject({ captureId: 1, state: "complete", markedPackets: 4 });
    const before = await database.evidence();
    const stream = Readable.from([pcap.subarray(0, 31), pcap.subarray(31)]);
    const again = [
      await ingestFile(pcap, "first.pcap"),
      await ingestFile(pcap, "renamed.pcap"),
      await ingestFile(gzipSync(pcap), "compressed.pcap.gz"),
      await ingestCapture(database.database, { name: "-", source: { stream } }, { now: midnight }),
    ];
    for (const report of again) {
      expect(report).toMatchObject({ alreadyIngestedAs: "first.pcap", captureId: 1 });
    }
    expect(await database.evidence()).toEqual(before);
  });

  test("differs when one octet of a header, one time, one length or one frame does", async () => {
    const changes: [number, string][] = [
      [24 + 3, "time"],
      [24 + 16 + 15, "source address"],
      [24 + 16 + 20 + 7, "sequence number"],
      [24 + 16 + 40 + 8, "record"],
    ];
    await ingestFile(pcap, "original.pcap");
    for (const [offset, name] of changes) {
      const changed = pcap.slice();
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      expect(await ingestFile(changed, name)).not.toHaveProperty("alreadyIngestedAs");
    }
    expect(
      await ingestFile(writePcap(sample.slice(1), { linkType: linkTypes.raw }), "one less"),
    ).not.toHaveProperty("alreadyIngestedAs");
    expect(await database.rows("SELECT count(*) FROM capture")).toEqual(["6"]);
  });

  test.each([
    ["source", 8 + 15],
    ["destination", 24 + 15],
  ])("differs when one octet of a marked IPv6 packet's %s does", async (_name, offset) => {
    const packet = tcpPacket(
      { source: "2001:db8::1", destination: "2001:db8::2" },
      { sourcePort: 40000, destinationPort: 443, options: markOption([detection]) },
    );
    const original = writePcap(sampleFrames([{ octets: packet, time: midnight }]), {
      linkType: linkTypes.raw,
    });
    const changed = original.slice();
    changed[24 + 16 + offset] = (changed[24 + 16 + offset] ?? 0) ^ 1;
    await ingestFile(original, "original.pcap");
    expect(await ingestFile(changed, "changed.pcap")).not.toHaveProperty("alreadyIngestedAs");
  });

  test("differs when one octet of the host inside a tunnel does", async () => {
    const ipInIp = 4;
    const inner = tcpPacket(
      { source: "10.0.0.1", destination: "192.0.2.9" },
      { sourcePort: 40000, destinationPort: 443, options: markOption([detection]) },
    );
    const packet = ipPacket({ source: "198.51.100.1", destination: "198.51.100.2" }, ipInIp, inner);
    const original = writePcap(sampleFrames([{ octets: packet, time: midnight }]), {
      linkType: linkTypes.raw,
    });
    const changed = original.slice();
    // The last octet of the inner source address.
    changed[24 + 16 + 20 + 15] = (changed[24 + 16 + 20 + 15] ?? 0) ^ 1;
    await ingestFile(original, "original.pcap");
    expect(await ingestFile(changed, "changed.pcap")).not.toHaveProperty("alreadyIngestedAs");
  });

  test("in another format is another capture of the same flow", async () => {
    await ingestFile(pcap, "a.pcap");
    expect(await ingestFile(writePcapng(sample, [linkTypes.raw]), "a.pcapng")).not.toHaveProperty(
      "alreadyIngestedAs",
    );
    expect(await database.rows("SELECT count(DISTINCT flow_key) FROM flow_seen")).toEqual(["1"]);
  });

  test("in another database has another id, which its author cannot foresee", async () => {
    const other = await TestDatabase.open(":memory:", { seed: "1".repeat(32) });
    await database.ingest(conversation());
    await other.ingest(conversation());
    const ids = [...(await database.rows("SELECT content_id FROM capture"))];
    expect(await other.rows("SELECT content_id FROM capture")).not.toEqual(ids);
    await other.close();
  });
});

describe("the order of captures", () => {
  test("makes no difference to the evidence", async () => {
    const nflog = testInterface(linkTypes.nflog);
    const packet = tcpPacket(
      { source: "10.0.0.1", destination: "192.0.2.9" },
      { sourcePort: 40000, destinationPort: 443 },
    );
    const other = { ...detection, activity: 7 };
    const captures: [string, TestFrame[]][] = [
      ["a", conversation({ at: 600 })],
      ["b", conversation({ at: 0, sequence: 77 })],
      ["c", conversation({ at: 300, host: "10.0.0.2:1", marks: [other, detection] })],
      ["d", [...conversation({ at: 900, peer: "192.0.2.77:80" }), ...conversation({ at: 30 })]],
      ["e", [{ octets: nflogFrame("tattle:drop:x", packet), time: midnight, interface: nflog }]],
      ["f", [segment({ from: "192.0.2.9:443", to: "10.0.0.1:40000", marks: [other] })]],
    ];
    for (const [name, frames] of captures) await database.ingest(frames, name);
    const forwards = await database.evidence();
    for (const order of [
      [5, 4, 3, 2, 1, 0],
      [2, 0, 5, 1, 4, 3],
    ]) {
      const shuffled = await TestDatabase.open();
      for (const index of order) {
        const [name, frames] = captures[index] ?? ["", []];
        await shuffled.ingest(frames, name);
      }
      expect(await shuffled.evidence()).toEqual(forwards);
      await shuffled.close();
    }
  });
});

describe("columns copied as memory and columns set through the public interface", () => {
  test("give the same database, row by row and id by id", async () => {
    const nflog = testInterface(linkTypes.nflog);
    const frames = [
      ...conversation(),
      // More rows than one chunk holds.
      ...Array.from({ length: 5000 }, (_, index) =>
        segment({
          from: `10.0.${index >> 8}.${index & 255}:${1000 + index}`,
          to: "192.0.2.9:443",
          marks: [{ ...detection, activity: index & 255 }],
          at: index / 7,
        }),
      ),
      {
        octets: nflogFrame("tattle:drop:x", conversation()[0]?.octets ?? new Uint8Array()),
        time: midnight,
        interface: nflog,
      },
    ];
    const checked = await TestDatabase.open();
    await database.ingest(frames, "a", { path: "memory" });
    await checked.ingest(frames, "a", { path: "checked" });
    const tables = await database.rows(
      "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY table_name",
    );
    expect(tables.length).toBeGreaterThan(15);
    for (const table of tables) {
      const rows = await database.rows(`FROM ${table} ORDER BY ALL`);
      expect(await checked.rows(`FROM ${table} ORDER BY ALL`), table).toEqual(rows);
    }
    await checked.close();
  });
});

describe("damaged and foreign captures", () => {
  test("what was before the damage is kept, with its offset and reason", async () => {
    const report = await ingestFile(pcap.subarray(0, pcap.length - 3), "cut.pcap");
    expect(report).toMatchObject({ state: "partial", packets: 5, markedPackets: 3 });
    const [row] = await database.rows("SELECT state, reason_offset, reason FROM capture");
    expect(row).toMatch(/^partial \d+ cut short/);
  });

  test("a refused one leaves its name and reason, and nothing else", async () => {
    const report = await ingestFile(new TextEncoder().encode("not a capture at all\n"), "notes.txt");
    expect(report.state).toBe("refused");
    expect(await database.rows("SELECT name, reason = '' FROM refused_capture")).toEqual(["notes.txt false"]);
    expect(await database.rows("FROM capture")).toEqual([]);
  });

  test("a refused one that is tried again is listed once, with the last reason", async () => {
    await ingestFile(new TextEncoder().encode("not a capture at all\n"), "notes.txt");
    const { reason } = await ingestFile(new Uint8Array(), "notes.txt");
    expect(await database.rows("SELECT name, reason FROM refused_capture")).toEqual([`notes.txt ${reason}`]);
  });

  test("a refused one that was mended is listed no more", async () => {
    await ingestFile(new Uint8Array(), "mended.pcap");
    await ingestFile(pcap, "mended.pcap");
    expect(await database.rows("SELECT name FROM refused_capture")).toEqual([]);
  });
});

describe("interrupted", () => {
  const many = (count: number): TestFrame[] =>
    Array.from({ length: count }, (_, index) =>
      segment({
        from: `10.0.0.1:${1 + (index % 60_000)}`,
        to: "192.0.2.9:443",
        marks: [detection],
        at: index / 100,
      }),
    );

  async function expectNothing(): Promise<void> {
    for (const table of [
      "capture",
      "sighting",
      "flow_seen",
      "mark",
      "host",
      "detection",
      "detection_minute",
    ]) {
      expect(await database.rows(`SELECT count(*) FROM ${table}`), table).toEqual(["0"]);
    }
  }

  test("by an error of the reader, also after the appenders are collected, nothing is left", async () => {
    const failing = ingestFrames(
      database.database,
      "failing.pcap",
      async (sink) => {
        // Enough for whole chunks, and a rest that only a collected appender would write.
        await drive(many(10_000))(sink);
        throw new Error("the reader failed");
      },
      { ingestedAt: 0 },
    );
    await expect(failing).rejects.toThrow("the reader failed");
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    for (let turn = 0; turn < 3; turn++) {
      collect();
      await delay(1);
    }
    await expectNothing();
    expect((await database.ingest(conversation())).captureId).toBe(1);
  });

  test("by its signal, nothing is left and the next capture is ingested", async () => {
    const controller = new AbortController();
    const stream = new Readable({ read: () => undefined });
    stream.push(writePcap(sampleFrames(many(5000)), { linkType: linkTypes.raw }));
    const ingesting = ingestCapture(
      database.database,
      { name: "slow", source: { stream } },
      { signal: controller.signal },
    );
    controller.abort(new Error("interrupted by the user"));
    await expect(ingesting).rejects.toThrow("interrupted by the user");
    await expectNothing();
    expect((await ingestFile(pcap, "next.pcap")).state).toBe("complete");
  });
});

test("progress tells octets, packets and marked packets", async () => {
  const told: IngestProgress[] = [];
  await ingestFile(pcap, "a.pcap", { onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toEqual({
    octets: pcap.length,
    totalOctets: pcap.length,
    packets: 6,
    markedPackets: 4,
  });
});
