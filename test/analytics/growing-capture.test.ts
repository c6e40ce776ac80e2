/**
 * A capture that is ingested while it is still written, and again when it is longer: the database ends up as if only
 * the longest had come, table by table but for ids. In the other order nothing is counted twice either.
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
import { linkTypes } from "../../wire/link-layer.ts";
import { PcapngBlocks, writePcap, writePcapng } from "../support/capture-writer.ts";
import type { SampleFrame } from "../support/capture-writer.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { joinOctets } from "../support/segment.ts";
import { conversation, detection, segment, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

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

function sampleFrames(frames: readonly TestFrame[]): SampleFrame[] {
  return frames.map(({ octets, time }) => ({ octets, time: BigInt(Math.round(time * 1_000_000)) * 1000n }));
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
      const hasGrown = known > 0 && report.packets > known;
      expect(report.grewFrom).toBe(hasGrown ? known : undefined);
      known = report.packets;
    }
    expect(await database.evidence()).toEqual(await evidenceOf(whole));
    expect(await database.rows("SELECT count(*) FROM capture")).toEqual(["1"]);
  });

  test("is known as a whole, so that its beginnings that come later are, too", async () => {
    const whole = make();
    await ingest(whole, "whole");
    const before = await database.evidence();
    for (const share of [0.2, 0.21, 0.5, 0.83, 0.999]) {
      const part = whole.subarray(0, Math.floor(whole.length * share));
      expect(await ingest(part, "part")).toMatchObject({ alreadyIngestedAs: "whole", captureId: 1 });
    }
    expect(await database.evidence()).toEqual(before);
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

const pcapOf = (frames: readonly TestFrame[]): Uint8Array =>
  writePcap(sampleFrames(frames), { linkType: linkTypes.raw });

describe("the beginning of a capture that is known, but for", () => {
  const later = conversation({ at: 600, sequence: 77 });
  const shown = { from: "10.0.0.1:40000", to: "192.0.2.9:443", marks: [detection], sequence: 1101 };
  const last = { ...shown, acknowledgment: 5201, at: 0.5 };

  test.each([
    ["another activity in the last mark", segment({ ...last, marks: [{ ...detection, activity: 9 }] })],
    [
      "another time of detection in the last mark",
      segment({ ...last, marks: [{ ...detection, detectedAt: 1 }] }),
    ],
    ["another peer", segment({ ...last, to: "192.0.2.8:443" })],
    ["another time of the last packet", segment({ ...last, at: 0.6 })],
    ["a longer last packet", segment({ ...last, payload: 1 })],
  ])("%s, is another capture", async (_name, changed) => {
    await ingest(pcapOf([...conversation(), ...later]), "whole");
    expect(await ingest(pcapOf([...conversation().slice(0, -1), changed]), "changed")).not.toHaveProperty(
      "alreadyIngestedAs",
    );
  });

  test("nothing at all, is that capture's", async () => {
    await ingest(pcapOf([...conversation(), ...later]), "whole");
    expect(await ingest(pcapOf([...conversation().slice(0, -1), segment(last)]), "same")).toMatchObject({
      alreadyIngestedAs: "whole",
    });
  });

  test("an answer that makes a lone packet established, is another capture", async () => {
    const [syn, answer, acknowledgment] = conversation();
    if (!syn || !answer || !acknowledgment) throw new Error("a conversation begins with a handshake");
    // The longer one shows another packet where the peer's answer was.
    const stranger = segment({ from: "192.0.2.1:1", to: "192.0.2.2:2", at: 0.1 });
    await ingest(pcapOf([syn, stranger, acknowledgment, ...later]), "whole");
    expect(await ingest(pcapOf([syn, answer, acknowledgment]), "changed")).not.toHaveProperty(
      "alreadyIngestedAs",
    );
  });
});

describe("cut off behind its last packet, and whole later", () => {
  const blocks = new PcapngBlocks();
  const packets = writePcapng(sampleFrames(conversation()), [linkTypes.raw]);
  const cut = joinOctets(packets, blocks.interfaceStatistics(0).subarray(0, 5));

  test("it is complete, and there once", async () => {
    expect(await ingest(cut)).toMatchObject({ state: "partial" });
    const whole = joinOctets(packets, blocks.interfaceStatistics(0));
    expect(await ingest(whole)).toMatchObject({ state: "complete", grewFrom: 6 });
    expect(await database.evidence()).toEqual(await evidenceOf(whole));
    expect(await ingest(cut)).toMatchObject({ alreadyIngestedAs: "live.pcap" });
  });

  test("the names that follow are known then", async () => {
    await ingest(cut);
    const whole = joinOctets(
      packets,
      blocks.nameResolution([{ address: Uint8Array.of(10, 0, 0, 1), names: ["printer"] }]),
    );
    expect(await ingest(whole)).toMatchObject({ state: "complete", grewFrom: 6 });
    expect(await database.evidence()).toEqual(await evidenceOf(whole));
    expect(await database.rows("SELECT name FROM captured_name")).toEqual(["printer"]);
    expect(await ingest(cut)).toMatchObject({ alreadyIngestedAs: "live.pcap" });
  });
});
