import { closeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readCapture } from "../../capture/read-capture.ts";
import { PcapngBlocks, pcapHeader, pcapRecord, writePcap } from "../support/capture-writer.ts";
import { readFrames, readOctets } from "../support/read-octets.ts";
import { hexOctets, joinOctets } from "../support/segment.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const frame = { octets: new Uint8Array(10).fill(1), time: 1_773_738_000_000_000_000n };
const two = writePcap([frame, frame]);
const blocks = new PcapngBlocks();
const start = joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(1));
const packet = blocks.enhancedPacket(frame, 5n);

function withWord(octets: Uint8Array, at: number, value: number): Uint8Array {
  const copy = octets.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

describe("refused: no capture at all", () => {
  test.each([
    ["empty file", new Uint8Array(), "empty: 0 octets"],
    ["text", text("hello, world"), 'text, not a capture: it begins with "hello, w"'],
    ["JSON", text('{"packets": 3}'), 'text, not a capture: it begins with "{\\"packet"'],
    ["three octets", hexOctets("d4 c3 b2"), "only 3 octets, too few for a capture"],
    [
      "wrong magic",
      hexOctets("00112233445566778899"),
      "not a capture: it begins with octets 0011223344556677, no known format does",
    ],
    [
      "zstd",
      hexOctets("28b52ffd 04001100"),
      "compressed with zstd, which is not read here: zstd -dc FILE | tattle ingest -",
    ],
    ["pcap version 1.4", writePcap([frame], { version: [1, 4] }), "pcap version 1.4; only 2.x is known"],
    ["pcapng version 0.1", blocks.sectionHeader(undefined, [0, 1]), "pcapng version 0.1; only 1.0 is known"],
    [
      "pcapng byte-order magic",
      hexOctets("0a0d0d0a 1c000000 deadbeef 01000000 ffffffffffffffff 1c000000"),
      "a section header with byte-order magic deadbeef, expected 1a2b3c4d",
    ],
    ["gzip of text", gzipSync(text("hello, world")), 'text, not a capture: it begins with "hello, w"'],
    ["gzip twice", gzipSync(gzipSync(two)), "compressed with gzip twice"],
    ["gzip of nothing", gzipSync(text("")), "empty: 0 octets"],
  ])("%s", async (_name, octets, reason) => {
    const { summary, frames } = await readOctets(octets);
    expect(summary.outcome).toEqual({ state: "refused", offset: 0, reason });
    expect(frames).toEqual([]);
  });

  test("a file header that is cut", async () => {
    const { summary } = await readOctets(two.subarray(0, 23));
    expect(summary.outcome).toEqual({
      state: "refused",
      offset: 0,
      reason: "cut short: the file header takes at least 24 octets, 23 are there",
    });
  });

  test("a directory", async () => {
    const descriptor = openSync(tmpdir(), "r");
    const { summary } = await readFrames({ descriptor });
    closeSync(descriptor);
    expect(summary.outcome).toMatchObject({ state: "refused", reason: "a directory, not a capture" });
  });
});

describe("lengths at the limit", () => {
  const largest = 262_144;
  const record = (length: number): Uint8Array =>
    writePcap([frame, { ...frame, octets: new Uint8Array(length) }, frame]);

  test.each([
    ["a pcap record of 262,144 octets", record(largest), 3, "complete"],
    ["one octet more", record(largest + 1), 1, "partial"],
    [
      "that many where the snap length allows it",
      joinOctets(pcapHeader({ snapLength: largest + 1 }), record(largest + 1).subarray(24)),
      3,
      "complete",
    ],
    [
      "a frame that fills its block",
      joinOctets(start, blocks.enhancedPacket({ octets: new Uint8Array(4) }, 5n)),
      1,
      "complete",
    ],
    [
      "one octet more than its block holds",
      withWord(joinOctets(start, blocks.enhancedPacket({ octets: new Uint8Array(4) }, 5n)), 48 + 20, 5),
      0,
      "partial",
    ],
    [
      "a block of 16 MiB",
      joinOctets(start, blocks.block(0xbad, new Uint8Array(16 * 1024 * 1024 - 12)), packet),
      1,
      "complete",
    ],
    [
      "a block of 16 MiB and four octets",
      joinOctets(start, blocks.block(0xbad, new Uint8Array(16 * 1024 * 1024 - 8)), packet),
      0,
      "partial",
    ],
  ])("%s", async (_name, octets, frames, state) => {
    const { summary } = await readOctets(octets);
    expect(summary).toMatchObject({ frames, outcome: { state } });
  });
});

describe("partial: what is before the damage is kept", () => {
  test.each([
    [
      "record header cut",
      two.subarray(0, 24 + 26 + 15),
      1,
      50,
      "cut short: a record takes at least 16 octets, 15 are there",
    ],
    [
      "frame cut",
      two.subarray(0, 24 + 26 + 25),
      1,
      50,
      "cut short: a record takes at least 26 octets, 25 are there",
    ],
    [
      "absurd length",
      withWord(two, 50 + 8, 0xfffffff0),
      1,
      50,
      "a record of 4294967280 octets; at most 262144 are possible here",
    ],
    [
      "zeros, as a hole in a file reads",
      joinOctets(two, new Uint8Array(64)),
      2,
      76,
      "a record header of zeros only",
    ],
    [
      "block cut",
      joinOctets(start, packet, packet).subarray(0, 48 + 44 + 43),
      1,
      92,
      "cut short: a record takes at least 44 octets, 43 are there",
    ],
    [
      "block length 0",
      withWord(joinOctets(start, packet, packet), 92 + 4, 0),
      1,
      92,
      "a block of 0 octets; a multiple of 4 from 12 to 16 MiB is possible",
    ],
    [
      "block length not a multiple of 4",
      withWord(joinOctets(start, packet), 48 + 4, 42),
      0,
      48,
      "a block of 42 octets; a multiple of 4 from 12 to 16 MiB is possible",
    ],
    [
      "lengths differ",
      withWord(joinOctets(start, packet), 48 + 40, 48),
      0,
      48,
      "a block of 44 octets that ends with the length 48",
    ],
    [
      "version of a later section",
      joinOctets(start, packet, blocks.sectionHeader(undefined, [2, 0])),
      1,
      92,
      "pcapng version 2.0; only 1.0 is known",
    ],
  ])("%s", async (_name, octets, frames, offset, reason) => {
    const { summary } = await readOctets(octets);
    expect(summary.outcome).toEqual({ state: "partial", offset, reason });
    expect(summary.frames).toBe(frames);
  });

  test("a capture of no packets is complete", async () => {
    expect((await readOctets(pcapHeader())).summary.outcome).toEqual({ state: "complete" });
    expect((await readOctets(blocks.sectionHeader())).summary.outcome).toEqual({ state: "complete" });
  });
});

describe("gzip", () => {
  const zipped = gzipSync(writePcap(Array.from({ length: 500 }, () => frame)));

  test("of several members is one capture", async () => {
    const members = joinOctets(gzipSync(two.subarray(0, 60)), gzipSync(text("")), gzipSync(two.subarray(60)));
    expect((await readOctets(members, 9)).summary).toMatchObject({
      outcome: { state: "complete" },
      frames: 2,
    });
  });

  test("with zeros behind it, as on tape, is complete", async () => {
    const padded = joinOctets(zipped, new Uint8Array(512));
    expect((await readOctets(padded)).summary.outcome).toEqual({ state: "complete" });
  });

  test.each([
    ["garbage behind it", joinOctets(zipped, text("garbage")), "what follows the gzip data is no gzip data"],
    [
      "checksum wrong",
      flipped(zipped, zipped.length - 6),
      "the gzip data is damaged: its checksum or length differs",
    ],
    ["checksum cut", zipped.subarray(0, zipped.length - 3), "the gzip data ends early, in its checksum"],
  ])("%s: all frames, and partial", async (_name, octets, reason) => {
    for (const piece of [3, octets.length]) {
      const { summary } = await readOctets(octets, piece);
      expect(summary.outcome).toEqual({ state: "partial", offset: 24 + 500 * 26, reason });
      expect(summary.frames).toBe(500);
    }
  });

  test("cut within the data: the frames before it, the same however it arrives", async () => {
    const cut = zipped.subarray(0, zipped.length - 30);
    const whole = await readOctets(cut);
    expect(whole.summary.outcome).toMatchObject({ state: "partial", reason: "the gzip data ends early" });
    expect(whole.summary.frames).toBeGreaterThan(0);
    expect((await readOctets(cut, 1)).summary).toEqual(whole.summary);
  });
});

function flipped(octets: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe("a stream that breaks", () => {
  test("keeps what came before, with the reason", async () => {
    const stream = Readable.from(
      (function* () {
        yield two;
        throw new Error("connection reset");
      })(),
    );
    const { summary } = await readFrames({ stream });
    expect(summary.outcome).toEqual({
      state: "partial",
      offset: 76,
      reason: "reading failed: connection reset",
    });
    expect(summary.frames).toBe(2);
  });

  test("an abort ends a reading that waits for a silent pipe", async () => {
    const stream = new Readable({ read: () => undefined });
    stream.push(two);
    const controller = new AbortController();
    const seen = new Promise<void>((resolve) => {
      const reading = readCapture(
        { stream },
        { useBuffer: () => undefined, frame: () => resolve() },
        { signal: controller.signal },
      );
      outcome = reading.then(
        () => "ended",
        (error: unknown) => error,
      );
    });
    await seen;
    controller.abort(new Error("stopped by the user"));
    expect(await outcome).toEqual(new Error("stopped by the user"));
  });

  let outcome: Promise<unknown>;
});

test("frames of a live pipe are handed over before it ends", async () => {
  const stream = new Readable({ read: () => undefined });
  const frames: number[] = [];
  const firstFrame = new Promise<void>((resolve) => {
    ended = readCapture(
      { stream },
      {
        useBuffer: () => undefined,
        frame: (_start, length) => {
          frames.push(length);
          resolve();
        },
      },
    );
  });
  stream.push(two.subarray(0, 55));
  await firstFrame;
  expect(frames).toEqual([10]);
  stream.push(two.subarray(55));
  stream.push(null);
  expect((await ended).outcome).toEqual({ state: "complete" });
  expect(frames).toEqual([10, 10]);
});

let ended: ReturnType<typeof readCapture>;

describe("a long capture", () => {
  // 48 MB, so that reading gives way to others once.
  const long = joinOctets(
    pcapHeader(),
    ...Array.from({ length: 200 }, () => pcapRecord({ octets: new Uint8Array(240_000), time: frame.time })),
  );

  test("reports octets and frames while it is read, and at the end", async () => {
    const reports: number[][] = [];
    await readCapture(
      { stream: Readable.from([long]) },
      { useBuffer: () => undefined, frame: () => undefined },
      { onProgress: (octets, frames) => reports.push([octets, frames]) },
    );
    expect(reports.length).toBeGreaterThan(1);
    expect(reports.at(-1)).toEqual([long.length, 200]);
    expect(reports).toEqual(reports.toSorted(([left = 0], [right = 0]) => left - right));
  });

  test("stops when it is aborted", async () => {
    const controller = new AbortController();
    let frames = 0;
    const reading = readCapture(
      { stream: Readable.from([long]) },
      { useBuffer: () => undefined, frame: () => frames++ },
      { signal: controller.signal, onProgress: () => controller.abort(new Error("Ctrl-C")) },
    );
    await expect(reading).rejects.toThrow("Ctrl-C");
    expect(frames).toBeLessThan(200);
  });

  test("an error of the consumer comes through, and the next reading is not disturbed", async () => {
    const failing = readCapture(
      { stream: Readable.from([long]) },
      {
        useBuffer: () => undefined,
        frame: () => {
          throw new Error("disk full");
        },
      },
    );
    await expect(failing).rejects.toThrow("disk full");
    expect((await readOctets(two)).frames.length).toBe(2);
  });
});
