/**
 * Two readers of the same packets: the decoder of wire/, behind the capture reader, and the generated dissector under
 * tshark. Frame by frame they must say the same: marked or not, kind, count, records, host, quoted, malformed.
 */
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readWithDecoder, readFromPdml } from "../support/conformance-reading.ts";
import { parsePdml } from "../support/pdml.ts";
import { readFrames } from "../support/read-octets.ts";
import type { ReadFrame } from "../support/read-octets.ts";
import { publicCaptures, sharedCaptures } from "../support/shared-captures.ts";
import { writeFrames } from "../support/write-frames.ts";
import { bothKinds, IsolatedTshark, withoutReassembly } from "../support/tshark.ts";

/** Where the captures of others are; without them the tests that read them are left out, and that is said. */
const shared = sharedCaptures();
const kernelMarked = shared === undefined ? [] : capturesIn(join(shared, "kernel-marked"));
const ofOthers = shared === undefined ? [] : publicCaptures(shared).map((capture) => capture.file);

function capturesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name));
}

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(async () => tshark.close());

/** What is said of the frames of a capture; those that hold nothing for us are left out. */
type Readings = ReadonlyMap<number, readonly string[]>;

interface DecodedCapture {
  readonly frames: readonly ReadFrame[];
  readonly isComplete: boolean;
  readonly readings: Readings;
}

async function decode(path: string): Promise<DecodedCapture> {
  const descriptor = openSync(path, "r");
  try {
    const { summary, frames } = await readFrames({ descriptor });
    const readings = new Map<number, readonly string[]>();
    for (const [index, { octets, linkType, microseconds }] of frames.entries()) {
      const packet = { octets, linkType, captured: octets.length, seconds: microseconds / 1e6 };
      const reading = readWithDecoder({
        ...packet,
        base: 0,
        isFrame: true,
        kinds: [253, 254],
        exid: undefined,
      });
      // Which options of others a snap length cut, tshark does not tell.
      const lines = reading.filter((line) => line !== "cut");
      if (lines.length > 0) readings.set(index + 1, lines);
    }
    return { frames, isComplete: summary.outcome.state === "complete", readings };
  } finally {
    closeSync(descriptor);
  }
}

/** Besides what holds something, the frames of these numbers are dissected: to see whether they exist. */
async function dissect(
  path: string,
  numbers: readonly number[],
): Promise<{ readings: Readings; last: number }> {
  const filter = `tattle || tattle.malformed || frame.number in {${numbers.join(", ")}}`;
  const { output } = await tshark.read(path, [
    "-T",
    "pdml",
    "-Y",
    filter,
    ...bothKinds,
    ...withoutReassembly,
  ]);
  const readings = new Map<number, readonly string[]>();
  let last = 0;
  for (const packet of parsePdml(output)) {
    last = Number(packet.child("geninfo")?.child("num")?.show);
    const lines = readFromPdml(packet, { base: 0, isFrame: true }).filter((line) => line !== "cut");
    if (lines.length > 0) readings.set(last, lines);
  }
  return { readings, last };
}

/** Complete captures with blocks that hold no packet and that Wireshark numbers as frames: custom blocks. */
const withOtherBlocks = /sections\.pcapng$/;

/**
 * Where a capture is damaged, or Wireshark counts what is no packet, the frames that were read are written anew for it:
 * this is about packets, and each reader has its own way with damage.
 */
async function expectAgreement(path: string): Promise<DecodedCapture> {
  const decoded = await decode(path);
  const { frames, isComplete } = decoded;
  const isReadAlike = isComplete && !withOtherBlocks.test(path);
  const capture = isReadAlike ? path : await tshark.save("frames.pcapng", writeFrames(frames));
  const dissected = await dissect(capture, [frames.length, frames.length + 1]);
  expect(Object.fromEntries(dissected.readings)).toEqual(Object.fromEntries(decoded.readings));
  expect(dissected.last).toBe(frames.length);
  return decoded;
}

describe("captures of our own", () => {
  const folder = fileURLToPath(new URL("../fixtures/", import.meta.url));

  test.each(capturesIn(folder))("%s", async (name) => {
    await expectAgreement(folder + name);
  });
});

describe.runIf(shared !== undefined)("captures whose marks a Linux kernel wrote", () => {
  /** Marked packets by host, as the README beside the captures gives them. */
  const counted: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    "lan.pcap": { "10.20.0.12": 52, "10.20.0.14": 31, "10.20.0.15": 6, "10.20.0.16": 7, "fd20::15": 19 },
    "border-nano.pcap": {
      "10.20.0.12": 26,
      "10.20.0.14": 31,
      "10.20.0.15": 6,
      "10.20.0.16": 7,
      "fd20::15": 19,
    },
    "two-interfaces.pcapng": {
      "10.20.0.12": 78,
      "10.20.0.14": 62,
      "10.20.0.15": 12,
      "10.20.0.16": 14,
      "fd20::15": 38,
    },
    "nflog-drop.pcap": { "10.20.0.14": 3, "10.20.0.15": 3, "10.20.0.16": 3 },
  };

  test.each(kernelMarked)("%s: every mark is found, by both", async (name) => {
    const { readings } = await expectAgreement(join(shared ?? "", "kernel-marked", name));
    const hosts: Record<string, number> = {};
    for (const [first = ""] of readings.values()) {
      const host = /host ([^,]+)/.exec(first)?.[1] ?? first;
      hosts[host] = (hosts[host] ?? 0) + 1;
    }
    expect(hosts).toEqual(counted[name]);
  });
});

describe.runIf(shared !== undefined)("captures of others, which hold no marks", () => {
  const decoded = new Map<string, DecodedCapture>();

  // A deadline against hanging; the captures take milliseconds.
  test.each(ofOthers)("%s ends within 5 s, without a mark", { timeout: 5000 }, async (name) => {
    const capture = await decode(join(shared ?? "", "public", name));
    decoded.set(name, capture);
    expect([...capture.readings.values()].flat().filter((line) => line.startsWith("mark"))).toEqual([]);
  });

  // In one file: starting tshark for each would take ten times as long as dissecting them all.
  test("tshark reads nothing else in any frame of them", async () => {
    const captures = [...decoded.values()];
    const frames = captures.flatMap((capture) => capture.frames);
    const path = await tshark.save("others.pcapng", writeFrames(frames));
    const dissected = await dissect(path, [frames.length, frames.length + 1]);
    expect(Object.fromEntries(dissected.readings)).toEqual(Object.fromEntries(joinReadings(captures)));
    expect(dissected.last).toBe(frames.length);
  });
});

/** The readings of captures that stand one behind the other. */
function joinReadings(captures: readonly DecodedCapture[]): Readings {
  const joined = new Map<number, readonly string[]>();
  let before = 0;
  for (const { frames, readings } of captures) {
    for (const [number, lines] of readings) joined.set(before + number, lines);
    before += frames.length;
  }
  return joined;
}
