/** A capture file or stream into a database: all of it in one transaction, or nothing. */
import { readCapture } from "../../capture/read-capture.ts";
import type { Database } from "../database.ts";
import type { CaptureReport, IngestInput, IngestOptions } from "../store.ts";
import { ingestFrames } from "./ingest-frames.ts";
import type { ReaderKey } from "./tag-check.ts";

/**
 * Ingests one capture. A damaged, refused or known capture is an outcome, not an error.
 * @throws the signal's reason when it aborts; the database is then as it was.
 */
export function ingestCapture(
  database: Database,
  input: IngestInput,
  options: IngestOptions = {},
  keys: readonly ReaderKey[] = [],
): Promise<CaptureReport> {
  const { signal, onProgress } = options;
  const now = options.now ?? Date.now() / 1000;
  const totalOctets = input.source.octets;
  return ingestFrames(
    database,
    input.name,
    (sink, markedPackets) =>
      readCapture(input.source, sink, {
        ...(signal ? { signal } : {}),
        ...(onProgress
          ? {
              onProgress: (octets, packets) => {
                onProgress({
                  octets,
                  ...(totalOctets === undefined ? {} : { totalOctets }),
                  packets,
                  markedPackets: markedPackets(),
                });
              },
            }
          : {}),
      }),
    { ingestedAt: Math.floor(now * 1_000_000), keys },
  );
}
