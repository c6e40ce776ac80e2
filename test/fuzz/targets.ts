/** What is fuzzed, and what is promised of each. */
import { fuzzCapture, fuzzGzip } from "./capture-target.ts";
import { fuzzCodec, fuzzOptions } from "./codec-target.ts";
import { seededRandom } from "./random.ts";
import type { Random } from "./random.ts";
import { fuzzReader, seedCaptures } from "./reader-target.ts";
import { fuzzResume } from "./resume-target.ts";
import { seedFrames } from "./seed-frames.ts";
import { fuzzWalk } from "./walk-target.ts";

export interface Target {
  readonly name: string;
  readonly promise: string;
  /** How many times slower than the quickest: a run divides its cases by it. */
  readonly weight: number;
  readonly prepare: () => (random: Random) => void | Promise<void>;
}

export const targets: readonly Target[] = [
  {
    name: "walk",
    promise: "a frame is read the same whatever lies around it, and cutting it never invents a mark",
    weight: 1,
    prepare: () => {
      const seeds = seedFrames();
      return (random) => fuzzWalk(seeds, random);
    },
  },
  {
    name: "codec",
    promise: "a mark that was encoded is decoded again, and a damaged one is refused with its place",
    weight: 1,
    prepare: () => fuzzCodec,
  },
  {
    name: "options",
    promise: "adding a mark keeps every foreign option and the 40 octets",
    weight: 1,
    prepare: () => fuzzOptions,
  },
  {
    name: "reader",
    promise:
      "a capture ends in one of three states, gives the same frames in pieces of any size, and a cut only ends it",
    weight: 8,
    prepare: () => {
      const seeds = seedCaptures();
      return async (random) => fuzzReader(seeds, random);
    },
  },
  {
    name: "capture",
    promise:
      "a sound capture gives exactly its frames, a cut one those before the cut, and what is before damage stays",
    weight: 8,
    prepare: () => fuzzCapture,
  },
  {
    name: "gzip",
    promise: "compressed, a capture gives the same frames, and damage never passes for sound",
    weight: 16,
    prepare: () => fuzzGzip,
  },
  {
    name: "resume",
    promise: "behind damage reading goes on at a true record or not at all, whatever payloads hold",
    weight: 16,
    prepare: () => fuzzResume,
  },
];

export interface Finding {
  readonly target: string;
  /** Number of the case: with it and the seed it can be run again, alone. */
  readonly number: number;
  readonly problem: string;
}

/** A target that fails as often is broken in one way, most likely. */
const enoughFindings = 5;

/** Runs cases `first` to `end` - 1 and returns what they found. */
export async function runTarget(
  target: Target,
  { first = 0, end, seed }: { readonly first?: number; readonly end: number; readonly seed: number },
  onCase?: (number: number) => void,
): Promise<Finding[]> {
  const run = target.prepare();
  const findings: Finding[] = [];
  for (let number = first; number < end && findings.length < enoughFindings; number++) {
    // One generator a case: any case can be repeated alone.
    const random = seededRandom(seed + number * 2_654_435_761);
    try {
      await run(random);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      findings.push({ target: target.name, number, problem: error.message });
    }
    if (number % 1000 === 0) onCase?.(number);
  }
  return findings;
}
