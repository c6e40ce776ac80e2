/** Notes the file that a capture was read from, so that its packets can be had again. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { CaptureFile } from "./selection.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");

const forgetFile = sql("forget-file");
const noteFileOf = sql("note-file");

/** `now`: seconds since 1970. */
export async function noteFile(
  connection: DuckDBConnection,
  captureId: number,
  file: CaptureFile,
  now: number,
): Promise<void> {
  await connection.run(forgetFile, { path: file.path });
  await connection.run(noteFileOf, {
    capture_id: captureId,
    path: file.path,
    octets: BigInt(file.octets),
    modified_ns: BigInt(file.modifiedNs),
    sample: file.sample,
    noted_at: BigInt(Math.round(now * 1_000_000)),
  });
}
