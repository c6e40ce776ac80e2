/** What is fuzzed, and what is promised of each. */
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
    name: "resume",
    promise: "behind damage reading goes on at a true record or not at all, whatever payloads hold",
    weight: 16,
    prepare: () => fuzzResume,
  },
];

/** Runs `cases` cases. @throws Error with the case's number and seed, so that it can be run again. */
export async function runTarget(
  target: Target,
  cases: number,
  seed: number,
  onCase?: (number: number) => void,
): Promise<void> {
  const run = target.prepare();
  for (let number = 0; number < cases; number++) {
    // One generator a case: any case can be repeated alone.
    const random = seededRandom(seed + number * 2_654_435_761);
    try {
      await run(random);
    } catch (error) {
      throw new Error(
        `${target.name}, case ${number} of seed ${seed}: ${error instanceof Error ? error.message : "?"}`,
        { cause: error },
      );
    }
    if (number % 10_000 === 0) onCase?.(number);
  }
}
