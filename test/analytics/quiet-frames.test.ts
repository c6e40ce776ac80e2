/**
 * Most frames are taken in by WebAssembly (quiet/quiet-frames.as.ts), the others by JavaScript. Which of them takes a
 * frame must never be seen: here every capture is read twice, once with JavaScript alone.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EvidenceObserver } from "../../analytics/ingest/evidence-observer.ts";
import { drawSecrets } from "../../analytics/ingest/secrets.ts";
import type { WalkRows } from "../../analytics/ingest/walk-rows.ts";
import type { CaptureSummary, FrameSink } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { seededRandom } from "../fuzz/random.ts";
import { PcapngBlocks, writePcap } from "../support/capture-writer.ts";
import type { GeneratedCapture } from "../support/generate-capture.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { joinOctets, markOption, tcpPacket } from "../support/segment.ts";

const fixtures = new URL("../fixtures/", import.meta.url);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-quiet-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Observed {
  readonly summary: CaptureSummary;
  readonly counts: Record<string, unknown>;
  readonly rows: readonly string[];
  /** Frames that no `frame` call was for. */
  readonly quiet: number;
}

async function observe(octets: Uint8Array, path: "fast" | "long"): Promise<Observed> {
  const rows: string[] = [];
  // Every row that would reach the database, as text.
  const recorder = new Proxy({} as WalkRows, {
    get:
      (_target, name) =>
      (...values: unknown[]) =>
        rows.push(`${String(name)} ${JSON.stringify(values)}`),
  });
  const observer = new EvidenceObserver(recorder, drawSecrets("a test"));
  let calls = 0;
  const sink: FrameSink = {
    useBuffer: (buffer, view, memory) =>
      observer.useBuffer(buffer, view, path === "fast" ? memory : undefined),
    frame: (...frame) => {
      calls++;
      observer.frame(...frame);
    },
    pass: (...records) => observer.pass(...records),
    passed: observer.passed,
  };
  const summary = await readCapture({ stream: Readable.from([octets]) }, sink);
  observer.finish();
  const { frames, tcpPackets, markedPackets, malformedMarks, cutPackets, duplicateMarks, quotedMarks } =
    observer;
  const { first, last } = observer.times;
  const digest = observer.digest.finish(frames);
  const unmarked: Record<string, number>[] = [];
  observer.dictionaries.unmarked.forEach((host, earliest, latest, packets) => {
    unmarked.push({ host, first: earliest, last: latest, packets });
  });
  return {
    summary,
    counts: {
      frames,
      tcpPackets,
      markedPackets,
      malformedMarks,
      cutPackets,
      duplicateMarks,
      quotedMarks,
      first,
      last,
      digest,
      unmarked,
    },
    rows,
    quiet: frames - calls,
  };
}

/** Frames that WebAssembly took. */
async function expectTheSame(octets: Uint8Array): Promise<number> {
  const fast = await observe(octets, "fast");
  return expectTheSameAs(fast, await observe(octets, "long"));
}

function expectTheSameAs(fast: Observed, long: Observed): number {
  expect(fast.counts).toEqual(long.counts);
  expect(fast.rows).toEqual(long.rows);
  expect({ ...fast.summary, interfaces: [] }).toEqual({ ...long.summary, interfaces: [] });
  expect(long.quiet).toBe(0);
  return fast.quiet;
}

function generated(wanted: GeneratedCapture): Uint8Array {
  const path = join(folder, "generated");
  generateCapture(path, wanted);
  // A Uint8Array: slices of a Buffer are no copies.
  return new Uint8Array(readFileSync(path));
}

describe("a capture gives the same evidence, whichever half takes its frames", () => {
  const names = readdirSync(fixtures).filter((name) => /\.pcap(ng)?$/.test(name));
  test.each(names)("%s", async (name) => {
    await expectTheSame(readFileSync(new URL(name, fixtures)));
  });

  test.each([
    { packets: 20_000, format: "pcap" },
    { packets: 20_000, format: "pcapng" },
    { packets: 20_000, format: "pcap-nanoseconds" },
  ] as const)("$packets packets of the Internet as $format: almost all are quiet", async (wanted) => {
    expect(await expectTheSame(generated(wanted))).toBeGreaterThan(0.9 * wanted.packets);
  });

  test("every packet marked: none is quiet", async () => {
    expect(await expectTheSame(generated({ packets: 3000, mix: "all-marked-small" }))).toBe(0);
  });

  test("20,000 flagged hosts: the filter has outgrown its first size", async () => {
    await expectTheSame(generated({ packets: 60_000, mix: "all-marked-small", flaggedHosts: 20_000 }));
  });
});

describe("flagged hosts that go on without a mark", () => {
  const record = { detectedAt: 1_767_225_500, category: 2, activity: 1 };

  function packet(index: number, isMarked: boolean, payload: number): Uint8Array {
    const [source, destination] =
      index % 2 === 0 ? [`10.0.0.${index}`, "192.0.2.9"] : [`fd00::${index}`, "2001:db8::9"];
    const segment = {
      sourcePort: 40_000,
      destinationPort: 443,
      payload: new Uint8Array(payload),
      ...(isMarked ? { options: markOption([record]) } : {}),
    };
    return ethernetFrame(tcpPacket({ source, destination }, segment));
  }

  // Host by host: before it is flagged, when it is, an acknowledgment, and nine segments without a mark.
  const hosts = Array.from({ length: 20 }, (_, index) => index + 1);
  const steps = [
    [false, 9],
    [true, 9],
    [false, 0],
    ...Array.from({ length: 9 }, () => [false, 9] as const),
  ] as const;
  const frames = steps.flatMap(([isMarked, payload], step) =>
    hosts.map((host) => ({ octets: packet(host, isMarked, payload), time: BigInt(step) * 1_000_000_000n })),
  );
  const innocent = Array.from({ length: 40 }, () => ({ octets: packet(200, false, 9), time: 0n }));

  function pcapng(): Uint8Array {
    const blocks = new PcapngBlocks();
    const packets = [...frames, ...innocent].map((frame) => blocks.enhancedPacket(frame, frame.time / 1000n));
    return joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(1), ...packets);
  }

  test.each([
    ["pcap", () => writePcap([...frames, ...innocent])],
    ["pcapng", pcapng],
  ])("are the same in a %s", async (_format, octets) => {
    const fast = await observe(octets(), "fast");
    expect(expectTheSameAs(fast, await observe(octets(), "long"))).toBeGreaterThan(0);
    const unmarked = { host: expect.any(Number), first: 3_000_000, last: 11_000_000, packets: 9 };
    expect(fast.counts["unmarked"]).toEqual(hosts.map(() => unmarked));
  });
});

test.each(["pcap", "pcapng"] as const)("however a %s is damaged", async (format) => {
  const whole = generated({ packets: 60, format });
  const random = seededRandom(format === "pcap" ? 1 : 2);
  let quiet = 0;
  for (let round = 0; round < 400; round++) {
    const octets = whole.slice();
    for (let flips = random.below(12); flips >= 0; flips--) {
      octets[24 + random.below(octets.length - 24)] = random.below(256);
    }
    quiet += await expectTheSame(octets.subarray(0, octets.length - random.below(200)));
  }
  expect(quiet).toBeGreaterThan(1000);
});

test("frames that are only nearly quiet: every octet of their headers, changed to what may matter", async () => {
  const whole = generated({ packets: 12 });
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  const records: Uint8Array[] = [];
  for (let at = 24; at < whole.length;) {
    const next = at + 16 + view.getUint32(at + 8, true);
    const record = whole.subarray(at, next);
    for (let changed = 16; changed < Math.min(record.length, 16 + 114); changed++) {
      for (const value of [0, 1, 2, 0x44, 0x46, 0x60, 0x81, 253, 254, 255]) {
        const copy = record.slice();
        copy[changed] = value;
        // After a frame that was not quiet the next one is not looked at.
        records.push(record, record, copy);
      }
    }
    at = next;
  }
  expect(await expectTheSame(joinOctets(whole.subarray(0, 24), ...records))).toBeGreaterThan(
    records.length / 2,
  );
});
