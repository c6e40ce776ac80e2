/** Captures of the database that the one being ingested may be, go on from, or be the beginning of. */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { KnownCapture } from "./known-beginnings.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");

const findBeginnings = sql("find-beginnings");
const findContent = sql("find-content");
const moveFiles = sql("move-files");
const findLonger = sql("find-longer");
const findNews = sql("find-news");
const replaceCapture = sql("replace-capture")
  .split(";\n")
  .filter((statement) => statement.trim() !== "");

export interface NamedCapture {
  readonly captureId: number;
  readonly name: string;
}

/** What may have grown into the capture that is about to be read, shortest first. */
export async function readBeginnings(connection: DuckDBConnection): Promise<KnownCapture[]> {
  const reader = await connection.runAndReadAll(findBeginnings);
  return reader.getRows().map(([packets, streamId, captureId, state]) => ({
    packets: Number(packets),
    streamId: String(streamId),
    captureId: Number(captureId),
    isPartial: state === "partial",
  }));
}

/** What became of a capture's tags. */
export interface TagCounts {
  readonly verified: number;
  /** Of keys that the reader did not have; undefined: nobody counted. */
  readonly unchecked: number | undefined;
}

/** The capture of this content. */
export async function findSame(
  connection: DuckDBConnection,
  contentId: string,
): Promise<(NamedCapture & { readonly tags: TagCounts }) | undefined> {
  const reader = await connection.runAndReadAll(findContent, { content_id: contentId });
  const [row] = reader.getRows();
  if (!row) return undefined;
  const [captureId, name, verified, unchecked] = row;
  const tags = {
    verified: Number(verified),
    unchecked: unchecked === null || unchecked === undefined ? undefined : Number(unchecked),
  };
  return { captureId: Number(captureId), name: String(name), tags };
}

/** Whether reading a capture with the keys that are here now told more of its tags than before. */
export function tellsMore(now: TagCounts, before: TagCounts): boolean {
  if (now.verified !== before.verified) return now.verified > before.verified;
  return (now.unchecked ?? 0) < (before.unchecked ?? 0);
}

/** The files that an earlier reading of the same content was from are those of the new one. */
export async function keepFiles(connection: DuckDBConnection, from: number, to: number): Promise<void> {
  await connection.run(moveFiles, { from, to });
}

/** Takes out what a capture brought. */
export async function removeCapture(connection: DuckDBConnection, captureId: number): Promise<void> {
  for (const statement of replaceCapture) {
    const names = statement.includes("$capture_id") ? { capture_id: captureId } : undefined;
    await connection.run(statement, names);
  }
}

/**
 * A longer capture that shows all that this one shows, whose rows are in their tables already. Rows are compared,
 * because nobody knows the digest of a longer capture where a shorter one ends.
 */
export async function findContaining(
  connection: DuckDBConnection,
  captureId: number,
  row: Record<string, DuckDBValue>,
): Promise<NamedCapture | undefined> {
  const { format = null, first_packet = null, packets = null, marked_packets = null } = row;
  const asked = { format, first_packet, packets, marked_packets };
  for (const longer of await findNamed(connection, findLonger, asked)) {
    const ids = { capture_id: captureId, longer_id: longer.captureId };
    const news = await connection.runAndReadAll(findNews, ids);
    if (news.currentRowCount === 0) return longer;
  }
  return undefined;
}

async function findNamed(
  connection: DuckDBConnection,
  question: string,
  values: Record<string, DuckDBValue>,
): Promise<NamedCapture[]> {
  const reader = await connection.runAndReadAll(question, values);
  return reader.getRows().map(([captureId, name]) => ({ captureId: Number(captureId), name: String(name) }));
}
