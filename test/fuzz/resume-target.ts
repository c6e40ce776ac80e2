/**
 * Resynchronisation behind damage, in captures whose payloads were made to mislead it: whole records, in chains that
 * lead from payload to payload over the true headers. Small records and a small window make a case cheap.
 */
import type { FrameSink } from "../../capture/frame-sink.ts";
import { PcapWalker } from "../../capture/pcap-walker.ts";
import { PcapngWalker } from "../../capture/pcapng-walker.ts";
import type { RecordWalker } from "../../capture/record-walker.ts";
import { findResumption } from "../../capture/resynchronise.ts";
import type { ChainWalker } from "../../capture/resynchronise.ts";
import { buildHostileCapture } from "./hostile-capture.ts";
import type { HostileCapture } from "./hostile-capture.ts";
import type { Random } from "./random.ts";

/** Stands for the largest record that is possible. */
const window = 2800;
const needed = 3 * window;

/** One case: where reading goes on is a true record, and nothing was skipped that later records depend on. */
export function fuzzResume(random: Random): void {
  const capture = buildHostileCapture(random);
  const walker = walkTo(capture);
  const start = capture.damagedAt;
  const end = Math.min(capture.octets.length, start + needed);
  const resumed = findResumption(withWindow(walker), start, end, end < start + needed);
  if (resumed === start) return;
  if (!capture.starts.has(resumed)) fail(`reading goes on at ${resumed}, where no record begins`, capture);
  const lost = [...capture.stateful].find((at) => at >= start && at < resumed);
  if (lost !== undefined) fail(`reading goes on at ${resumed}, behind the description at ${lost}`, capture);
}

/** The walker as it stands at the damage. */
function walkTo(capture: HostileCapture): RecordWalker {
  const sink: FrameSink = { useBuffer: () => undefined, frame: () => undefined };
  const walker = capture.format === "pcap" ? new PcapWalker(sink) : new PcapngWalker(sink);
  const { octets } = capture;
  walker.useBuffer(octets, new DataView(octets.buffer, octets.byteOffset, octets.length));
  const reached = walker.walk(0, octets.length);
  if (reached !== capture.damagedAt || walker.damage === undefined)
    fail(`walking ended at ${reached}, not at the damage`, capture);
  return walker;
}

function withWindow(walker: RecordWalker): ChainWalker {
  return {
    alignment: walker.alignment,
    largestRecord: window,
    plausibleEnd: (at, end) => {
      const next = walker.plausibleEnd(at, end);
      return next - at > window && next > end ? 0 : next;
    },
    hidesState: (start, end) => walker.hidesState(start, end),
  };
}

function fail(problem: string, { octets, damagedAt }: HostileCapture): never {
  throw new Error(`${problem}: damaged at ${damagedAt}, ${Buffer.from(octets).toString("hex")}`);
}
