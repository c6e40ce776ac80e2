import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { PcapngBlocks, writePcap, writePcapng } from "../support/capture-writer.ts";
import type { PcapFormat, SampleFrame } from "../support/capture-writer.ts";
import { fingerprint, readFrames, readOctets } from "../support/read-octets.ts";
import { hexOctets, joinOctets } from "../support/segment.ts";
import { makeFixtures } from "../support/make-fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "tattle-capture-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** 2026-03-17T09:00:00.123456789Z */
const time = 1_773_738_000_123_456_789n;
const frame: SampleFrame = { octets: hexOctets("01 02 03 04 05"), time, originalLength: 99 };

const classic: readonly (readonly [name: string, format: PcapFormat])[] = [
  ["microseconds, little-endian", {}],
  ["microseconds, big-endian", { byteOrder: "big" }],
  ["nanoseconds, little-endian", { variant: "nanoseconds" }],
  ["nanoseconds, big-endian", { variant: "nanoseconds", byteOrder: "big" }],
  ["Kuznetzov's variant, little-endian", { variant: "modified" }],
  ["Kuznetzov's variant, big-endian", { variant: "modified", byteOrder: "big" }],
];

describe("classic pcap", () => {
  test.each(classic)("%s", async (_name, format) => {
    const { summary, frames } = await readOctets(writePcap([frame], { ...format, linkType: 113 }));
    expect(summary).toMatchObject({ outcome: { state: "complete" }, format: "pcap", frames: 1 });
    expect(frames).toEqual([
      {
        octets: hexOctets("01 02 03 04 05"),
        originalLength: 99,
        microseconds: 1_773_738_000_123_456,
        linkType: 113,
        interface: 0,
      },
    ]);
  });

  test("the length of a frame check sequence above the link type is masked", async () => {
    const { summary } = await readOctets(writePcap([frame], { linkType: 0x24000001 }));
    expect(summary.interfaces[0]?.linkType).toBe(1);
  });

  test("seconds are unsigned: 2106, not 1970", async () => {
    const late = { ...frame, time: 4_294_967_295_000_000_000n };
    const { frames } = await readOctets(writePcap([late]));
    expect(frames[0]?.microseconds).toBe(4_294_967_295_000_000);
  });

  test("files before version 2.3 have the two lengths the other way round", async () => {
    const swapped = writePcap([frame], { version: [2, 2] });
    new DataView(swapped.buffer).setUint32(24 + 8, 99, true);
    new DataView(swapped.buffer).setUint32(24 + 12, 5, true);
    const { frames } = await readOctets(swapped);
    expect(frames[0]).toMatchObject({ octets: hexOctets("01 02 03 04 05"), originalLength: 99 });
  });

  test("a captured length above the original one is tolerated", async () => {
    const { summary, frames } = await readOctets(writePcap([{ ...frame, originalLength: 2 }]));
    expect(summary.outcome.state).toBe("complete");
    expect(frames[0]?.octets.length).toBe(5);
  });

  test("a record longer than any buffer, up to 16 MiB, is read if the snap length allows it", async () => {
    const long = { octets: new Uint8Array(9_000_000).fill(7), time };
    const capture = writePcap([frame, long, frame], { snapLength: 10_000_000 });
    const { summary, frames } = await readOctets(capture, 65_536);
    expect(summary.outcome).toEqual({ state: "complete" });
    expect(frames.map(({ octets }) => octets.length)).toEqual([5, 9_000_000, 5]);
    expect(frames[1]?.octets.every((octet) => octet === 7)).toBe(true);
  });
});

describe("pcapng", () => {
  const { octets: sections } = makeFixtures().find(({ name }) => name === "sections.pcapng")!;

  test("sections of both byte orders, interfaces counted over all of them, clocks of their own", async () => {
    const { summary, frames } = await readOctets(sections);
    expect(summary.outcome).toEqual({ state: "complete" });
    expect(summary.interfaces.map(({ index, linkType, name }) => [index, linkType, name])).toEqual([
      [0, 1, "lan0"],
      [1, 1, "wan0"],
      [2, 1, undefined],
    ]);
    expect(frames.map((read) => [read.interface, read.microseconds])).toEqual([
      [0, 1_773_738_000_000_000],
      // A simple packet has no time: that of the frame before it.
      [0, 1_773_738_000_000_000],
      [0, 1_773_738_000_002_000],
      [1, 1_773_738_000_003_000],
      // Half a second in units of 2^-10, and two hours of offset.
      [2, 1_773_745_200_500_000],
    ]);
  });

  test("names of hosts are kept, the first one of each address", async () => {
    const { summary } = await readOctets(sections);
    expect([...summary.names]).toEqual([
      ["10.1.0.1", "first.example"],
      ["fd10::1", "sixth.example"],
    ]);
  });

  test("a simple packet is as long as its original length, the snap length and the block allow", async () => {
    const blocks = new PcapngBlocks();
    const capture = joinOctets(
      blocks.sectionHeader(),
      blocks.interfaceDescription(1, { snapLength: 6 }),
      blocks.simplePacket(new Uint8Array(6), 1500),
      blocks.simplePacket(new Uint8Array(5)),
    );
    const { frames } = await readOctets(capture);
    expect(frames.map(({ octets, originalLength }) => [octets.length, originalLength])).toEqual([
      [6, 1500],
      [5, 5],
    ]);
  });

  test.each([
    ["seconds", 0, 1_773_738_000n, 1_773_738_000_000_000],
    ["milliseconds", 3, 1_773_738_000_123n, 1_773_738_000_123_000],
    ["nanoseconds", 9, 1_773_738_000_123_456_789n, 1_773_738_000_123_456],
    ["picoseconds", 12, 1_773_738_000_123_456n, 1_773_738_000],
    ["10^-15 seconds", 15, 1_773_738_000_123_456_789n, 1_773_738_000],
    ["2^-20 seconds", 0x94, 1_773_738_000n << 20n, 1_773_738_000_000_000],
    ["beyond 2255: held at the end", 0, 2n ** 64n - 1n, Number.MAX_SAFE_INTEGER],
  ])("clock in %s", async (_name, resolution, ticks, microseconds) => {
    const blocks = new PcapngBlocks();
    const capture = joinOctets(
      blocks.sectionHeader(),
      blocks.interfaceDescription(1, { resolution }),
      blocks.enhancedPacket(frame, ticks),
    );
    const { frames } = await readOctets(capture);
    expect(frames[0]?.microseconds).toBe(microseconds);
  });

  test("an offset that leads before 1970 is held there", async () => {
    const blocks = new PcapngBlocks();
    const capture = joinOctets(
      blocks.sectionHeader(),
      blocks.interfaceDescription(1, { offset: -(2n ** 62n) }),
      blocks.enhancedPacket(frame, 5n),
    );
    expect((await readOctets(capture)).frames[0]?.microseconds).toBe(0);
  });
});

test("snoop", async () => {
  const header = joinOctets(hexOctets("736e6f6f70000000 00000002 00000004"));
  const record = hexOctets("00000063 00000005 00000020 00000000 69b91730 0001e240 0102030405 000000");
  const { summary, frames } = await readOctets(joinOctets(header, record));
  expect(summary).toMatchObject({ outcome: { state: "complete" }, format: "snoop" });
  expect(frames).toEqual([
    {
      octets: hexOctets("01 02 03 04 05"),
      originalLength: 99,
      microseconds: 1_773_737_776_123_456,
      linkType: 1,
      interface: 0,
    },
  ]);
});

const captures: readonly (readonly [name: string, octets: Uint8Array])[] = [
  ...makeFixtures()
    .filter(({ octets }) => octets.length < 10_000)
    .map(({ name, octets }) => [name, octets] as const),
  ["written.pcapng", writePcapng([frame, { ...frame, octets: new Uint8Array(300) }, frame])],
];

describe("any chunking gives the same frames", () => {
  test.each(captures)("%s", async (_name, octets) => {
    const whole = await readOctets(octets);
    for (const piece of [1, 2, 3, 5, 7, 11, 16, 17, 24, 31, 64, 100, 101, 1000])
      expect(fingerprint(await readOctets(octets, piece))).toEqual(fingerprint(whole));
  });

  test("split in two at every octet", async () => {
    const capture = writePcapng([frame, { ...frame, octets: new Uint8Array(70) }]);
    const whole = await readOctets(capture);
    for (let split = 1; split < capture.length; split++) {
      expect(fingerprint(await readOctets(capture, split))).toEqual(fingerprint(whole));
    }
  });
});

describe("an open file, a stream and gzip give the same", () => {
  test.each(captures)("%s", async (name, octets) => {
    const streamed = await readOctets(octets);
    const path = join(folder, name);
    writeFileSync(path, octets);
    const file = openSync(path, "r");
    expect(fingerprint(await readFrames({ descriptor: file }))).toEqual(fingerprint(streamed));
    // The descriptor is the caller's: reading again works, and begins at 0 again.
    expect(fingerprint(await readFrames({ descriptor: file }))).toEqual(fingerprint(streamed));
    closeSync(file);
    expect(fingerprint(await readOctets(gzipSync(octets), 50))).toEqual(fingerprint(streamed));
  });
});

test("a file larger than the buffer, records at every alignment", async () => {
  const frames = Array.from({ length: 4000 }, (_, index) => ({
    octets: new Uint8Array(100 + (index % 1400)).fill(index & 255),
    time: time + BigInt(index) * 1000n,
  }));
  const path = join(folder, "large.pcap");
  writeFileSync(path, writePcap(frames, { variant: "nanoseconds" }));
  const file = openSync(path, "r");
  const read = await readFrames({ descriptor: file });
  closeSync(file);
  expect(read.summary.outcome).toEqual({ state: "complete" });
  expect(read.frames.length).toBe(4000);
  for (const [index, { octets, microseconds }] of read.frames.entries()) {
    expect(octets.length).toBe(100 + (index % 1400));
    expect(octets.at(-1)).toBe(index & 255);
    expect(microseconds).toBe(1_773_738_000_123_456 + index);
  }
});
