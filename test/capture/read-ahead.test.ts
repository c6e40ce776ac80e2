/**
 * A large file is read ahead into one of two places while what lies in the other one is walked. Whatever lies across
 * the places, it must read as it does from a stream.
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aheadOctets } from "../../capture/capture-buffer.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { seededRandom } from "../fuzz/random.ts";
import { writePcap } from "../support/capture-writer.ts";
import { fingerprint, readFrames, readOctets } from "../support/read-octets.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-ahead-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Frames of these lengths in a pcap whose snap length allows all of them. */
function capture(lengths: readonly number[]): Uint8Array {
  const frames = lengths.map((length, index) => ({
    octets: new Uint8Array(length).fill(index & 255),
    time: 1_767_225_600_000_000_000n + BigInt(index) * 1000n,
  }));
  return writePcap(frames, { snapLength: 16 * 1024 * 1024 - 16 });
}

async function expectAsStreamed(octets: Uint8Array): Promise<void> {
  const path = join(folder, "large.pcap");
  writeFileSync(path, octets);
  const file = openSync(path, "r");
  try {
    expect(fingerprint(await readFrames({ descriptor: file }))).toEqual(
      fingerprint(await readOctets(octets, 65_536)),
    );
  } finally {
    closeSync(file);
  }
}

const random = seededRandom(7);
const usual = Array.from({ length: 20_000 }, () => 60 + random.below(1455));

test("16 MB of ordinary records", async () => {
  await expectAsStreamed(capture(usual));
});

test.each([
  ["as long as a read", [aheadOctets]],
  ["longer than a read", [aheadOctets + 1]],
  ["as long as a record may be, several in a row", [16_777_200, 16_777_200, 16_777_200]],
])("a record %s among them", async (_what, long) => {
  await expectAsStreamed(capture([...usual.slice(0, 9000), ...long, ...usual.slice(9000)]));
});

test.each([0, -1, 1, -8, -15, -16, -17, -1000])(
  "a file that ends %i octets from where a read ends",
  async (distance) => {
    const octets = capture(usual);
    // The first read is a small one; the next ones follow it.
    for (let end = 512 * 1024; end < octets.length; end += aheadOctets) {
      await expectAsStreamed(octets.subarray(0, end + distance));
    }
  },
);

test("damage wherever two reads meet", async () => {
  const whole = capture(usual);
  for (let at = 512 * 1024; at < whole.length; at += 512 * 1024) {
    const octets = whole.slice();
    octets.fill(0xff, at - 700, at + 700);
    await expectAsStreamed(octets);
  }
});

test("the next reading borrows the buffer that the last one gave back", async () => {
  const buffers: Uint8Array[] = [];
  for (let round = 0; round < 2; round++) {
    await readCapture(
      { stream: Readable.from([capture([100])]) },
      { useBuffer: (octets) => buffers.push(octets), frame: () => undefined },
    );
  }
  expect(buffers[1]).toBe(buffers[0]);
});

test("who stops in the middle finds the file's octets no longer being written to", async () => {
  const path = join(folder, "large.pcap");
  writeFileSync(path, capture(usual));
  const file = openSync(path, "r");
  const stopped = new AbortController();
  let seen = 0;
  const reading = readCapture(
    { descriptor: file },
    {
      useBuffer: () => undefined,
      frame: () => {
        if (++seen === 9000) stopped.abort(new Error("enough"));
      },
    },
    { signal: stopped.signal },
  );
  await expect(reading).rejects.toThrow("enough");
  // A read that were still under way would write into the buffer that the next reading borrows.
  await expectAsStreamed(capture(usual));
  closeSync(file);
  expect(seen).toBeLessThan(usual.length);
});
