/** What was handed in, newest first. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CaptureReport } from "../store.ts";
import { query } from "./query.ts";
import type { Row } from "./query.ts";

const captures = query("captures");

export async function listCaptures(connection: DuckDBConnection): Promise<CaptureReport[]> {
  return (await captures(connection)).map(toReport);
}

function toReport(row: Row): CaptureReport {
  const state = row.text("state");
  return {
    ...optional("captureId", row.maybeNumber("capture_id")),
    name: row.text("name"),
    state: state === "complete" || state === "partial" ? state : "refused",
    ...optional("reason", row.maybeText("reason")),
    ...optional("reasonOffset", row.maybeNumber("reason_offset")),
    ...optional("format", row.maybeText("format")),
    octets: row.number("octets"),
    packets: row.number("packets"),
    markedPackets: row.number("marked_packets"),
    malformedMarks: row.number("malformed_marks"),
    ...optional("grewFrom", row.maybeNumber("grew_from")),
    ...optional("uncheckedTags", row.maybeNumber("unchecked_tags")),
    ...optional("firstPacket", row.maybeNumber("first_packet")),
    ...optional("lastPacket", row.maybeNumber("last_packet")),
    ingestedAt: row.number("ingested_at"),
  };
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}
