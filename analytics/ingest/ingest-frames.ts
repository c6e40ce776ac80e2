/**
 * A capture's frames into a database: all of them in one transaction, or nothing. What the frames come from is the
 * caller's; ingest-capture.ts reads files and streams.
 */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { CaptureSummary, FrameSink } from "../../capture/frame-sink.ts";
import type { MarkSelection } from "../../wire/packet-walk.ts";
import type { Database, Transaction } from "../database.ts";
import { folderBeside } from "../nameless-file.ts";
import type { CaptureReport } from "../store.ts";
import { fastestPath } from "./column-appender.ts";
import type { CopyPath } from "./column-appender.ts";
import { EvidenceObserver } from "./evidence-observer.ts";
import { KnownBeginnings } from "./known-beginnings.ts";
import {
  findContaining,
  findSame,
  keepFiles,
  readBeginnings,
  removeCapture,
  tellsMore,
} from "./known-captures.ts";
import { mergeEvidence } from "./merge-evidence.ts";
import { drawSecrets } from "./secrets.ts";
import type { ReaderKey } from "./tag-check.ts";
import { WalkMemory } from "./walk-memory.ts";
import type { WalkMemoryOptions } from "./walk-memory.ts";
import { WalkRows } from "./walk-rows.ts";
import type { IdBases } from "./walk-rows.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");

const staging = sql("staging");
const insertCapture = sql("insert-capture");
const insertRefused = sql("insert-refused");
const forgetRefused = sql("forget-refused");

export interface FrameIngestOptions {
  /** Microseconds since 1970: when this happens. */
  readonly ingestedAt: number;
  readonly selection?: MarkSelection;
  /** Keys that tags are verified with. */
  readonly keys?: readonly ReaderKey[];
  /** How columns reach DuckDB; by default the fastest way that this machine can go. */
  readonly path?: CopyPath;
  /** How much memory the tables of the walk take; the rest of them is in a file. */
  readonly memory?: WalkMemoryOptions;
}

interface WalkOptions extends Omit<FrameIngestOptions, "memory"> {
  readonly memory: WalkMemory;
}

/** Hands the frames of one capture to a sink; `observed` tells what has been found so far. */
export type FrameSource = (sink: FrameSink, observed: () => number) => Promise<CaptureSummary>;

/** Ingests what `readFrames` hands over and reports it under `name`. */
export async function ingestFrames(
  database: Database,
  name: string,
  readFrames: FrameSource,
  options: FrameIngestOptions,
): Promise<CaptureReport> {
  const memory = new WalkMemory({ folder: folderBeside(database.path), ...options.memory });
  const report = await database
    .write((transaction) => ingest(transaction, name, readFrames, { ...options, memory }))
    .finally(() => {
      memory.close();
    });
  if (report.state !== "refused") return report;
  await database.write(async ({ connection }) => {
    await connection.run(forgetRefused, { name });
    await connection.run(insertRefused, {
      name,
      reason: report.reason ?? "",
      reason_offset: wholeOrNull(report.reasonOffset),
      refused_at: BigInt(options.ingestedAt),
    });
  });
  return report;
}

async function ingest(
  transaction: Transaction,
  name: string,
  readFrames: FrameSource,
  options: WalkOptions,
): Promise<CaptureReport> {
  const { connection } = transaction;
  const path = options.path ?? fastestPath;
  await connection.run(staging);
  const bases = await readBases(connection);
  const secrets = drawSecrets(await readSeed(connection));
  const rows = await WalkRows.create(connection, bases, path);
  const { selection, keys, memory } = options;
  const beginnings = new KnownBeginnings(await readBeginnings(connection));
  const observer = new EvidenceObserver(rows, secrets, { selection, keys, beginnings, memory });
  let summary: CaptureSummary;
  try {
    summary = await readFrames(observer, () => observer.markedPackets);
    observer.finish();
  } catch (error) {
    rows.discard();
    throw error;
  }
  const described = describe(name, summary, observer, options.ingestedAt);
  const replaced = beginnings.replacedBy(observer.frames, described.state);
  const grewFrom = replaced.at(-1)?.packets;
  const report = grewFrom === undefined ? described : { ...described, grewFrom };
  const contentId = digestOf(summary, observer);
  const known = report.state === "refused" ? undefined : await findSame(connection, contentId);
  const takesOwnPlace = known !== undefined && tellsMore(observer.tags, known.tags);
  const isKnown = known && !takesOwnPlace && !replaced.some(({ captureId }) => captureId === known.captureId);
  if (report.state === "refused" || isKnown) {
    rows.discard();
    transaction.discard();
    return isKnown ? { ...report, captureId: known.captureId, alreadyIngestedAs: known.name } : report;
  }
  rows.close();
  for (const { captureId } of replaced) await removeCapture(connection, captureId);
  if (takesOwnPlace) {
    await removeCapture(connection, known.captureId);
    await keepFiles(connection, known.captureId, bases.captureId);
  }
  await mergeEvidence(transaction, observer.dictionaries, summary.names, bases, path);
  const row = captureRow(contentId, report, summary, observer);
  const longer = await findContaining(connection, bases.captureId, row);
  if (longer) {
    transaction.discard();
    return { ...described, captureId: longer.captureId, alreadyIngestedAs: longer.name };
  }
  await connection.run(forgetRefused, { name });
  await connection.run(insertCapture, row);
  return { ...report, captureId: bases.captureId, ...(takesOwnPlace ? { tagsCheckedAgain: true } : {}) };
}

async function readBases(connection: DuckDBConnection): Promise<IdBases> {
  const reader = await connection.runAndReadAll(
    "SELECT getvariable('capture_id'), getvariable('last_mark'), getvariable('last_flow')",
  );
  const [captureId, lastMark, lastFlow] = (reader.getRows()[0] ?? []).map(Number);
  return { captureId: captureId ?? 1, lastMark: lastMark ?? 0, lastFlow: lastFlow ?? 0 };
}

async function readSeed(connection: DuckDBConnection): Promise<string> {
  const reader = await connection.runAndReadAll("SELECT value FROM setting WHERE key = 'seed'");
  return String(reader.getRows()[0]?.[0]);
}

function digestOf(summary: CaptureSummary, observer: EvidenceObserver): string {
  observer.digest.addLabel(summary.format);
  for (const { index, linkType } of summary.interfaces) observer.digest.addLabel(`${index} ${linkType}`);
  for (const [address, hostName] of summary.names) observer.digest.addLabel(`${address} ${hostName}`);
  const { first, last } = observer.times;
  observer.digest.addLabel(`${first ?? "no"} ${last ?? "time"}`);
  return observer.digest.finish(observer.frames);
}

function describe(
  name: string,
  summary: CaptureSummary,
  observer: EvidenceObserver,
  ingestedAt: number,
): CaptureReport {
  const { outcome } = summary;
  const { first, last } = observer.times;
  return {
    name,
    state: outcome.state,
    ...(outcome.state === "complete" ? {} : { reason: outcome.reason, reasonOffset: outcome.offset }),
    format: summary.format,
    octets: summary.octets,
    packets: observer.frames,
    markedPackets: observer.markedPackets,
    malformedMarks: observer.malformedMarks,
    ...(observer.tags.unchecked > 0 ? { uncheckedTags: observer.tags.unchecked } : {}),
    ...(first === undefined ? {} : { firstPacket: first / 1_000_000 }),
    ...(last === undefined ? {} : { lastPacket: last / 1_000_000 }),
    ingestedAt: ingestedAt / 1_000_000,
  };
}

function captureRow(
  contentId: string,
  report: CaptureReport,
  summary: CaptureSummary,
  observer: EvidenceObserver,
): Record<string, DuckDBValue> {
  const { first, last } = observer.times;
  return {
    name: report.name,
    content_id: contentId,
    state: report.state,
    reason: report.reason ?? null,
    reason_offset: wholeOrNull(report.reasonOffset),
    format: summary.format,
    octets: BigInt(summary.octets),
    packets: BigInt(observer.frames),
    tcp_packets: BigInt(observer.tcpPackets),
    marked_packets: BigInt(observer.markedPackets),
    malformed_marks: BigInt(observer.malformedMarks),
    cut_packets: BigInt(observer.cutPackets),
    duplicate_marks: BigInt(observer.duplicateMarks),
    quoted_marks: BigInt(observer.quotedMarks),
    gap_octets: BigInt(summary.gaps.reduce((sum, gap) => sum + gap.octets, 0)),
    first_packet: wholeOrNull(first),
    last_packet: wholeOrNull(last),
    ingested_at: BigInt(Math.round(report.ingestedAt * 1_000_000)),
    stream_id: observer.digest.streamId(observer.frames),
    grew_from: wholeOrNull(report.grewFrom),
    verified_tags: BigInt(observer.tags.verified),
    unchecked_tags: BigInt(observer.tags.unchecked),
  };
}

function wholeOrNull(value: number | undefined): bigint | null {
  return value === undefined ? null : BigInt(value);
}
