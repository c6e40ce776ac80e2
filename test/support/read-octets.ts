/** Reads a capture from octets in memory and keeps a copy of every frame. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { CaptureSummary } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import type { CaptureSource } from "../../capture/read-capture.ts";

export interface ReadFrame {
  readonly octets: Uint8Array;
  readonly originalLength: number;
  readonly microseconds: number;
  readonly linkType: number;
  readonly interface: number;
}

export interface ReadResult {
  readonly summary: CaptureSummary;
  readonly frames: readonly ReadFrame[];
}

export async function readFrames(source: CaptureSource): Promise<ReadResult> {
  const frames: ReadFrame[] = [];
  let buffer = new Uint8Array() as Uint8Array;
  const summary = await readCapture(source, {
    useBuffer(octets) {
      buffer = octets;
    },
    frame(start, capturedLength, originalLength, timeHigh, timeLow, from) {
      frames.push({
        octets: buffer.slice(start, start + capturedLength),
        originalLength,
        microseconds: from.microseconds(timeHigh, timeLow),
        linkType: from.linkType,
        interface: from.index,
      });
    },
  });
  return { summary, frames };
}

/** The octets arrive in pieces of this many octets; in one piece if absent. */
export async function readOctets(octets: Uint8Array, piece = octets.length): Promise<ReadResult> {
  return readFrames({ stream: Readable.from(pieces(octets, piece)) });
}

function* pieces(octets: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length);
}

/** Everything of a result in a few words, to compare many results fast. */
export function fingerprint({ summary, frames }: ReadResult): unknown {
  const digest = createHash("sha256");
  for (const { octets, ...fields } of frames) digest.update(octets).update(JSON.stringify(fields));
  return {
    ...summary,
    names: [...summary.names],
    interfaces: summary.interfaces.length,
    frames: digest.digest("hex"),
  };
}
