/** Frames of any captures as one pcapng, for programs that take long to start. */
import { writePcapng } from "./capture-writer.ts";
import type { ReadFrame } from "./read-octets.ts";

/** An interface for each link type, each frame with its time. */
export function writeFrames(frames: readonly ReadFrame[]): Uint8Array {
  const linkTypes = [...new Set(frames.map((frame) => frame.linkType))];
  const samples = frames.map(({ octets, originalLength, microseconds, linkType }) => ({
    octets,
    originalLength,
    time: BigInt.asUintN(64, BigInt(microseconds) * 1000n),
    interface: linkTypes.indexOf(linkType),
  }));
  return writePcapng(samples, linkTypes);
}
