/** Properties of the capture reader that hold for any octets whatever. */
import { readdirSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import type { CaptureSummary } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { mutate } from "./random.ts";
import type { Random } from "./random.ts";

const folder = new URL("../fixtures/", import.meta.url);
/** Larger captures would only make the cases slower. */
const largestSeed = 4096;

/** The small fixtures: every format, link layer and kind of damage. */
export function seedCaptures(): Uint8Array[] {
  return readdirSync(folder)
    .filter((name) => /\.(pcap|pcapng)$/.test(name))
    .map((name) => new Uint8Array(readFileSync(new URL(name, folder))))
    .filter((octets) => octets.length <= largestSeed);
}

interface Reading {
  readonly summary: CaptureSummary;
  /** Each frame as text: lengths, time words, octets. */
  readonly frames: readonly string[];
}

/** One case: a mutated capture, read whole and in pieces. Throws an Error that says what broke. */
export async function fuzzReader(seeds: readonly Uint8Array[], random: Random): Promise<void> {
  const capture =
    random.below(20) === 0 ? random.octets(random.below(300)) : mutate(random.pick(seeds), random);
  const whole = await read(capture, [capture.length]);
  const pieces = await read(capture, randomSizes(random));
  check(whole, capture);
  if (describe(whole) !== describe(pieces)) fail("the size of the pieces changed the reading", capture);
  await checkCut(capture, whole, random);
}

/** What was read before a cut is what would have been read without it. */
async function checkCut(capture: Uint8Array, whole: Reading, random: Random): Promise<void> {
  if (whole.summary.gaps.length > 0) return;
  const cut = capture.subarray(0, random.below(capture.length + 1));
  const { frames } = await read(cut, [cut.length]);
  if (frames.some((frame, index) => frame !== whole.frames[index]))
    fail("a cut capture shows other frames", capture);
}

function check({ summary, frames }: Reading, capture: Uint8Array): void {
  if (summary.frames !== frames.length) fail("frames were counted that nobody got", capture);
  if (summary.outcome.state === "refused" && frames.length > 0) fail("a refused capture has frames", capture);
  if (summary.outcome.state === "complete") return;
  const { offset, reason } = summary.outcome;
  if (offset < 0 || offset > capture.length) fail(`the damage is outside the capture, at ${offset}`, capture);
  if (reason === "") fail("no reason is given", capture);
}

async function read(capture: Uint8Array, sizes: readonly number[]): Promise<Reading> {
  const frames: string[] = [];
  let octets = new Uint8Array();
  const summary = await readCapture(
    { stream: Readable.from(pieces(capture, sizes)) },
    {
      useBuffer: (buffer) => {
        octets = buffer as Uint8Array<ArrayBuffer>;
      },
      frame: (start, captured, original, high, low, source) => {
        if (start < 0 || captured < 0 || start + captured > octets.length)
          fail("a frame outside the buffer", capture);
        const time = source.microseconds(high, low);
        if (!Number.isFinite(time)) fail(`no time: ${time}`, capture);
        const text = Buffer.from(octets.subarray(start, start + captured)).toString("hex");
        frames.push(`${source.linkType} ${captured} ${original} ${time} ${text}`);
      },
    },
  );
  return { summary, frames };
}

function describe({ summary, frames }: Reading): string {
  // How far the reader had read ahead of the damage depends on the pieces, and may.
  const octets = summary.outcome.state === "complete" ? summary.octets : 0;
  return JSON.stringify([summary.outcome, summary.format, summary.gaps, octets, frames]);
}

function randomSizes(random: Random): number[] {
  return Array.from({ length: 5 }, () => 1 + random.below(random.pick([2, 20, 400])));
}

function* pieces(capture: Uint8Array, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let turn = 0; at < capture.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield Buffer.from(capture.subarray(at, at + size));
    at += size;
  }
}

function fail(problem: string, capture: Uint8Array): never {
  throw new Error(`${problem}: ${Buffer.from(capture).toString("hex")}`);
}
