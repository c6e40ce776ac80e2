/**
 * Captures of which every frame is known: what the reader gives is compared with it, whole, cut at any octet, with
 * flipped bits, and compressed and damaged.
 */
import { gzipSync } from "node:zlib";
import { readOctets } from "../support/read-octets.ts";
import type { ReadFrame, ReadResult } from "../support/read-octets.ts";
import { joinOctets } from "../support/segment.ts";
import { modelCapture } from "./model-capture.ts";
import type { ModelCapture } from "./model-capture.ts";
import { mutate } from "./random.ts";
import type { Random } from "./random.ts";

/** One case: a sound capture of any format gives exactly its frames; cut, exactly those before the cut. */
export async function fuzzCapture(random: Random): Promise<void> {
  const model = modelCapture(random);
  const whole = await readOctets(model.octets, 1 + random.below(model.octets.length));
  if (whole.summary.outcome.state !== "complete")
    fail(`a sound capture is ${JSON.stringify(whole.summary.outcome)}`, model.octets);
  compare(whole, model, model.frames.length);
  await checkCut(model, random.below(model.octets.length));
  await checkFlippedBit(model, random);
}

/** One case: compressed, whole or in members, and damaged: either the same frames, or it is said to be damaged. */
export async function fuzzGzip(random: Random): Promise<void> {
  const model = modelCapture(random);
  const at = random.below(model.octets.length);
  const members =
    random.below(3) === 0 ? [model.octets.subarray(0, at), model.octets.subarray(at)] : [model.octets];
  const compressed = joinOctets(
    ...members.map((octets) => gzipSync(octets, { level: random.pick([0, 1, 9]) })),
  );
  compare(await readOctets(compressed, 1 + random.below(500)), model, model.frames.length);
  const damaged = mutate(compressed, random);
  const { summary, frames } = await readOctets(damaged);
  if (summary.outcome.state !== "complete") return;
  // Headers hold a time and a name that nothing depends on; content that differs must not pass.
  if (frames.length !== model.frames.length && frames.length > 0) fail("damage was not noticed", damaged);
  for (const [index, frame] of frames.entries())
    if (describe(frame) !== model.frames[index]?.text) fail(`frame ${index + 1} is another one`, damaged);
}

async function checkCut(model: ModelCapture, cut: number): Promise<void> {
  const octets = model.octets.subarray(0, cut);
  const result = await readOctets(octets);
  const before = model.frames.filter((frame) => frame.end <= cut).length;
  compare(result, model, before);
  const { outcome } = result.summary;
  // A cut between two records cannot be seen.
  const lastEnd = Math.max(0, ...model.ends.filter((end) => end <= cut));
  if (outcome.state === "complete" ? lastEnd !== cut : outcome.offset !== lastEnd)
    fail(`cut at ${cut} behind ${lastEnd}: ${JSON.stringify(outcome)}`, model.octets);
}

/** Frames before the damaged record stay as they are, and gaps lie behind one another within the capture. */
async function checkFlippedBit(model: ModelCapture, random: Random): Promise<void> {
  const at = random.below(model.octets.length);
  const octets = model.octets.slice();
  octets[at] = (octets[at] ?? 0) ^ (1 << random.below(8));
  const { summary, frames } = await readOctets(octets);
  // What describes an interface or a section changes the frames behind it, and is not looked at here.
  const sound = model.frames.filter((frame) => frame.end <= at).length;
  if (summary.outcome.state !== "refused" && frames.length < sound)
    fail(`${frames.length} frames, ${sound} are sound`, octets);
  for (const [index, frame] of frames.slice(0, sound).entries())
    if (describe(frame) !== model.frames[index]?.text) fail(`frame ${index + 1} is another one`, octets);
  let behind = 0;
  for (const gap of summary.gaps) {
    if (gap.offset < behind || gap.octets <= 0) fail(`a gap of ${gap.octets} at ${gap.offset}`, octets);
    behind = gap.offset + gap.octets;
  }
  if (behind > octets.length) fail(`a gap ends at ${behind}`, octets);
}

function compare({ summary, frames }: ReadResult, model: ModelCapture, count: number): void {
  if (summary.frames !== frames.length || frames.length !== count)
    fail(`${frames.length} frames instead of ${count}`, model.octets);
  for (const [index, frame] of frames.entries()) {
    const expected = model.frames[index]?.text ?? "";
    if (describe(frame) !== expected)
      fail(`frame ${index + 1} is ${describe(frame)} instead of ${expected}`, model.octets);
  }
}

function describe({ octets, originalLength, microseconds, linkType }: ReadFrame): string {
  return `${linkType} ${originalLength} ${microseconds} ${Buffer.from(octets).toString("hex")}`;
}

function fail(problem: string, octets: Uint8Array): never {
  throw new Error(`${problem}: ${Buffer.from(octets).toString("hex")}`);
}
