/**
 * A capture that is ingested while it is still written, and again when it is longer: the database ends up as if only
 * the longest had come, table by table but for ids.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ingestCapture } from "../../analytics/ingest/ingest-capture.ts";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import type { CaptureReport } from "../../analytics/store.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { TestDatabase } from "./ingest-support.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

let folder: string;
let database: TestDatabase;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-growing-"));
  database = await TestDatabase.open();
});
afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ingest(octets: Uint8Array, name = "live.pcap", into = database): Promise<CaptureReport> {
  const path = join(folder, "capture");
  writeFileSync(path, octets);
  const descriptor = openSync(path, "r");
  try {
    const source = { descriptor, octets: fstatSync(descriptor).size };
    return await ingestCapture(into.database, { name, source }, { now: 1_780_000_000 });
  } finally {
    closeSync(descriptor);
  }
}

/** What a database knows that only ever saw this. */
async function evidenceOf(octets: Uint8Array): Promise<Record<string, string[]>> {
  const fresh = await TestDatabase.open();
  try {
    await ingest(octets, "live.pcap", fresh);
    return await fresh.evidence();
  } finally {
    await fresh.close();
  }
}

function generated(mix: "mixed" | "all-marked", format: "pcap" | "pcapng"): Uint8Array {
  const path = join(folder, "generated");
  generateCapture(path, { packets: 3000, mix, format });
  return new Uint8Array(readFileSync(path));
}

describe.each([
  ["the sample of a small company", () => fixture("small-company.pcapng")],
  ["what its border router saw", () => fixture("small-company-border.pcap")],
  ["ordinary packets, few marked", () => generated("mixed", "pcap")],
  ["marked packets alone", () => generated("all-marked", "pcapng")],
])("%s, growing", (_name, make) => {
  test("ends up as if the longest alone had come, and says from what it grew", async () => {
    const whole = make();
    let known = 0;
    for (const share of [0.2, 0.21, 0.5, 0.83, 1]) {
      // Cut anywhere: a record that is not finished yet is nothing that counts.
      const report = await ingest(whole.subarray(0, Math.floor(whole.length * share)));
      expect(report.grewFrom).toBe(known === 0 ? undefined : known);
      known = report.packets;
    }
    expect(await database.evidence()).toEqual(await evidenceOf(whole));
    expect(await database.rows("SELECT count(*) FROM capture")).toEqual(["1"]);
  });
});

const sample = fixture("small-company-border.pcap");
const beginning = sample.subarray(0, Math.floor(sample.length / 2));

test("takes its beginning's place among other captures, which stay as they are", async () => {
  const other = fixture("small-company.pcapng");
  await ingest(other, "other.pcapng");
  await ingest(beginning);
  await ingest(sample);
  const both = await TestDatabase.open();
  await ingest(other, "other.pcapng", both);
  await ingest(sample, "live.pcap", both);
  expect(await database.evidence()).toEqual(await both.evidence());
  await both.close();
});

test("is the same capture under another name and compressed, too", async () => {
  const { packets } = await ingest(beginning, "live.pcap");
  expect(await ingest(gzipSync(sample), "moved.pcap.gz")).toMatchObject({ grewFrom: packets });
  expect(await database.rows("SELECT name FROM capture")).toEqual(["moved.pcap.gz"]);
});

test("the list of captures remembers from what it grew", async () => {
  const { packets } = await ingest(beginning);
  await ingest(sample);
  expect(await database.rows("SELECT grew_from FROM capture")).toEqual([String(packets)]);
});

test("no packets at all are nobody's beginning", async () => {
  await ingest(sample.subarray(0, 24), "empty.pcap");
  expect(await ingest(sample)).not.toHaveProperty("grewFrom");
  expect(await database.rows("SELECT count(*) FROM capture")).toEqual(["2"]);
});

test("one octet of another beginning makes it another capture", async () => {
  const changed = beginning.slice();
  // The first record's time.
  changed[24 + 4] = (changed[24 + 4] ?? 0) ^ 1;
  await ingest(changed, "changed.pcap");
  expect(await ingest(sample)).not.toHaveProperty("grewFrom");
});

test("the whole again after it grew is known", async () => {
  await ingest(beginning);
  await ingest(sample);
  expect(await ingest(sample, "again.pcap")).toMatchObject({ alreadyIngestedAs: "live.pcap" });
});

test("if reading the longer one fails nothing of its beginning is lost", async () => {
  await ingest(beginning);
  const before = await database.evidence();
  const failing = ingestFrames(
    database.database,
    "live.pcap",
    async (sink) => {
      await readCapture({ stream: Readable.from([sample]) }, sink);
      throw new Error("enough");
    },
    { ingestedAt: 0 },
  );
  await expect(failing).rejects.toThrow("enough");
  expect(await database.evidence()).toEqual(before);
});
