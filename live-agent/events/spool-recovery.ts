/** What a spool's folder holds when it is opened, however the process before ended. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./atomic-file.ts";
import { firstOf, readSegment, segmentName } from "./spool-segment.ts";
import type { SegmentContent } from "./spool-segment.ts";

/** The number of the last event that the dashboard acknowledged, in decimal, and a line feed. */
export const acknowledgedFile = "acknowledged";

export interface RecoveredSpool {
  /** Made once: the ids of its events begin with it. */
  readonly id: string;
  readonly acknowledged: number;
  /** Number of each segment's first event, oldest first, and its octets. */
  readonly segments: Map<number, number>;
  readonly newest?: { readonly first: number; readonly content: SegmentContent };
}

export function recoverSpool(folder: string): RecoveredSpool {
  const common = { id: readId(folder), acknowledged: readAcknowledged(folder) };
  const firsts = readdirSync(folder)
    .map(firstOf)
    .filter((first) => first !== undefined)
    .toSorted((a, b) => a - b);
  for (;;) {
    const first = firsts.at(-1);
    const path = (number: number): string => join(folder, segmentName(number));
    const segments = new Map(firsts.map((number) => [number, statSync(path(number)).size]));
    if (first === undefined) return { ...common, segments };
    const content = readSegment(path(first));
    if (content) return { ...common, segments, newest: { first, content } };
    // A crash between making the file and writing its header: it never held an event.
    rmSync(path(first));
    firsts.pop();
  }
}

function readId(folder: string): string {
  const path = join(folder, "spool.json");
  if (!existsSync(path)) replaceFile(path, JSON.stringify({ id: randomUUID() }));
  return (JSON.parse(readFileSync(path, "utf8")) as { id: string }).id;
}

/** 0 if a power cut left the file empty: what the dashboard has is sent again, under the same ids. */
function readAcknowledged(folder: string): number {
  const path = join(folder, acknowledgedFile);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return /^\d{1,15}\n$/.test(text) ? Number(text) : 0;
}
