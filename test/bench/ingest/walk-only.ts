/** Reads a capture and collects its evidence, but gives no row to a database: what is left is opening and committing. */
import { closeSync, openSync } from "node:fs";
import { EvidenceObserver } from "../../../analytics/ingest/evidence-observer.ts";
import { drawSecrets } from "../../../analytics/ingest/secrets.ts";
import type { WalkRows } from "../../../analytics/ingest/walk-rows.ts";
import { readCapture } from "../../../capture/read-capture.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: walk-only CAPTURE");
const ignore = (): void => undefined;
const nowhere = {
  sighting: ignore,
  quotedSighting: ignore,
  detectionMinute: ignore,
  hostMinute: ignore,
  passed: ignore,
  event: ignore,
} as unknown as WalkRows;
const observer = new EvidenceObserver(nowhere, drawSecrets("bench"));
const descriptor = openSync(path, "r");
await readCapture({ descriptor }, observer);
observer.finish();
closeSync(descriptor);
process.stdout.write(`${observer.frames} ${observer.markedPackets}\n`);
