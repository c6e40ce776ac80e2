/**
 * A walk whose tables have 16 KiB of memory, and a file for the rest: the database must hold what it holds when they
 * have all the memory they want, row for row and with the same ids.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import type { FrameSource } from "../../analytics/ingest/ingest-frames.ts";
import type { WalkMemoryOptions } from "../../analytics/ingest/walk-memory.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { seededRandom } from "../fuzz/random.ts";
import type { Random } from "../fuzz/random.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { markOption, tcpPacket } from "../support/segment.ts";
import { publicCaptures, sharedCaptures } from "../support/shared-captures.ts";
import { taggedOption } from "../support/tagged-option.ts";
import { drive, midnight, nflogFrame, TestDatabase, testInterface } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

const little: WalkMemoryOptions = { pages: 128, pageWords: 32 };
const keys = [{ id: 0, key: new Uint8Array(16).fill(7) }];

const isSlow = process.env["TATTLE_SLOW"] !== undefined;

let folder: string;
let bounded: TestDatabase;
let unbounded: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-bounded-"));
  bounded = await TestDatabase.open();
  unbounded = await TestDatabase.open();
});
afterAll(async () => {
  await bounded.close();
  await unbounded.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Ingests the same frames into both databases, which hold what came before them. */
async function ingestBoth(name: string, source: () => FrameSource): Promise<void> {
  const options = { ingestedAt: midnight * 1_000_000, keys };
  const report = await ingestFrames(bounded.database, name, source(), { ...options, memory: little });
  expect(await ingestFrames(unbounded.database, name, source(), options)).toEqual(report);
}

const tables = `SELECT table_name FROM duckdb_tables() WHERE NOT internal AND table_name <> 'code' ORDER BY 1`;

async function expectTheSame(): Promise<void> {
  for (const table of await unbounded.rows(tables)) {
    const question = `SELECT count(*), md5(string_agg(line, chr(10) ORDER BY line))
      FROM (SELECT whole::VARCHAR AS line FROM ${table} AS whole)`;
    expect([table, await bounded.rows(question)]).toEqual([table, await unbounded.rows(question)]);
  }
}

const octetsOf = (octets: Uint8Array) => (): FrameSource => (sink) =>
  readCapture({ stream: Readable.from([octets]) }, sink);

const generatedCapture = (wanted: Parameters<typeof generateCapture>[1]): Uint8Array => {
  const path = join(folder, "generated");
  generateCapture(path, wanted);
  return readFileSync(path);
};

describe("walked in 16 KiB, it is all the same", () => {
  const fixtures = new URL("../fixtures/", import.meta.url);
  test("the fixtures", async () => {
    for (const name of readdirSync(fixtures).filter((file) => /\.pcap(ng)?$/.test(file))) {
      await ingestBoth(name, octetsOf(readFileSync(new URL(name, fixtures))));
    }
    await expectTheSame();
  });

  test("captures of the Internet, thousands of flagged hosts among them, one growing out of another", async () => {
    const mixed = generatedCapture({ packets: 20_000 });
    await ingestBoth("part", octetsOf(mixed.subarray(0, 3_000_000)));
    await ingestBoth("whole", octetsOf(mixed));
    const small = { packets: 12_000, mix: "all-marked-small", flaggedHosts: 3000 } as const;
    await ingestBoth("all marked", octetsOf(generatedCapture(small)));
    await expectTheSame();
    expect(await bounded.rows("SELECT count(*) > 12000 FROM sighting")).toEqual(["true"]);
  });

  const shared = sharedCaptures();
  test(shared ? "captures of others" : "captures of others (skipped: they are not here)", async () => {
    if (!shared) return;
    const captures = publicCaptures(shared).filter((_, index) => isSlow || index % 5 === 0);
    for (const { file } of captures) {
      await ingestBoth(file, octetsOf(readFileSync(join(shared, "public", file))));
    }
    await expectTheSame();
  });

  test("whatever hosts send: other marks, tags, connections begun again, times that go back", async () => {
    for (const seed of Array.from({ length: isSlow ? 400 : 8 }, (_, index) => index)) {
      const frames = anyFrames(seededRandom(seed), 1000);
      await ingestBoth(`any ${seed}`, () => drive(frames));
    }
    await expectTheSame();
    const [counts = ""] = await bounded.rows(
      `SELECT count(*) FILTER (established), count(*) FILTER (passed_at IS NOT NULL), count(*) FROM flow_seen`,
    );
    expect(
      counts.split(" ").every((count) => Number(count) > 100),
      counts,
    ).toBe(true);
  });
});

test("where the file cannot be made, nothing of the capture is kept", async () => {
  const database = await TestDatabase.open();
  const nowhere = { ...little, folder: join(folder, "missing") };
  const frames = anyFrames(seededRandom(1), 1000);
  await expect(database.ingest(frames, "any", { memory: nowhere })).rejects.toThrow("ENOENT");
  expect(await database.rows("SELECT (SELECT count(*) FROM capture), (SELECT count(*) FROM host)")).toEqual([
    "0 0",
  ]);
  expect(await database.ingest(frames, "any", { memory: little })).toMatchObject({ state: "complete" });
  await database.close();
});

/** Octets of a mark in each of its ways, of a host that cannot decide. */
function anyMark(random: Random, packet: Parameters<typeof taggedOption>[0]): Uint8Array {
  if (random.below(4) !== 0) return markOption(packet.records);
  // One in four of the tags was made with a key that nobody reads with.
  return taggedOption({ ...packet, key: random.below(4) === 0 ? new Uint8Array(16) : packet.key });
}

/** Packets between few hosts, so that most of them meet again: numbers that fit half of the time. */
function anyFrames(random: Random, count: number): TestFrame[] {
  const next = new Map<string, number>();
  let at = 0;
  return Array.from({ length: count }, () => {
    at += random.below(8) === 0 ? random.below(200) - 60 : random.below(100) / 50;
    const [source, destination] = [`10.0.0.${random.below(6)}`, `10.0.0.${random.below(6)}`];
    const [sourcePort, destinationPort] = [80 + random.below(3), 80 + random.below(3)];
    const forth = `${source} ${sourcePort} ${destination} ${destinationPort}`;
    const back = `${destination} ${destinationPort} ${source} ${sourcePort}`;
    const begins = random.below(6) === 0;
    const fits = random.below(8) !== 0;
    const sequence = !begins && fits ? (next.get(forth) ?? 0) : random.below(2 ** 32);
    const payload = random.below(3) === 0 ? 0 : random.below(300);
    const flags = begins ? random.pick(["S", "SA"]) : random.pick(["A", "A", "PA", "FA", "R"]);
    next.set(forth, (sequence + payload + (begins ? 1 : 0)) >>> 0);
    const time = midnight + Math.max(0, at);
    const records = Array.from({ length: 1 + random.below(3) }, () => ({
      detectedAt: midnight - 60 + random.below(3) * 90,
      category: 1 + random.below(2),
      activity: 1,
    }));
    const key = keys[0]?.key ?? new Uint8Array(16);
    const packet = { source, destination, sourcePort, destinationPort, time, key, records };
    const octets = tcpPacket(
      { source, destination },
      {
        sourcePort,
        destinationPort,
        sequence,
        acknowledgment: next.get(back) ?? 0,
        flags,
        payload: new Uint8Array(payload),
        ...(random.below(3) === 0 ? {} : { options: anyMark(random, packet) }),
      },
    );
    if (random.below(10) !== 0) return { time, octets };
    const logged = nflogFrame(`tattle:drop:rule ${random.below(3)}`, octets);
    return { time, octets: logged, interface: testInterface(239, 1) };
  });
}
