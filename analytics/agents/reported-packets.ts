/**
 * What a batch of events brings to the evidence: what happened to each packet, what was seen of detections, how active
 * hosts were, whom they reached. Sums are rows that add up, as those of captures are; agents' have capture_id 0.
 */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { EnforcementEvent } from "../../policy/event.ts";
import { isPlausible } from "../../wire/mark.ts";
import type { FlowKey } from "../ingest/flow-key.ts";
import { addressWords, canonicalAddress } from "./address-words.ts";
import { appendRows } from "./append-rows.ts";
import { detectionKey, timestamp } from "./known-ids.ts";
import type { KnownIds, ReportedDetection } from "./known-ids.ts";

const sql = (name: string): string =>
  readFileSync(new URL(`../ingest/sql/${name}.sql`, import.meta.url), "utf8");
const mergePairs = sql("merge-pairs");
const mergeSums = sql("merge-detection-sums");

/** Ids of the table trust. */
const trustIds = { lone: 0, established: 1, verified: 2, implausible: 3, invalid: 4 } as const;
const capture = 0;

/** Microseconds. */
const spans = { minute: 60_000_000, hour: 3_600_000_000, day: 86_400_000_000 } as const;

interface Packet {
  readonly event: EnforcementEvent;
  readonly host: number;
  readonly peer: number;
  /** Microseconds since 1970. */
  readonly time: number;
  /** The same key that the flow has in captures of this database (ingest/tuple-key.ts). */
  readonly tupleKey: bigint;
}

interface Sum {
  readonly series: readonly number[];
  readonly start: number;
  first: number;
  last: number;
  packets: number;
  octets: number;
}

/** Stores events that are not stored yet. `reporter` is token/identity. @throws MalformedError for an address that is none */
export async function storePackets(
  connection: DuckDBConnection,
  ids: KnownIds,
  key: FlowKey,
  reporter: string,
  events: readonly EnforcementEvent[],
): Promise<void> {
  const packets = await identified(connection, ids, key, events);
  await appendRows(
    connection,
    "enforcement_event",
    packets.map((packet) => eventRow(packet, reporter)),
  );
  await storeDetections(connection, ids, packets);
  await storeActivity(connection, packets);
  await storeContacts(connection, packets);
}

async function identified(
  connection: DuckDBConnection,
  ids: KnownIds,
  key: FlowKey,
  events: readonly EnforcementEvent[],
): Promise<Packet[]> {
  const addresses = events.map(({ host, peer }) => [canonicalAddress(host), canonicalAddress(peer)] as const);
  const known = await ids.hosts(connection, new Set(addresses.flat()));
  return events.map((event, index) => {
    const [host = "", peer = ""] = addresses[index] ?? [];
    return {
      event,
      host: known.get(host) ?? 0,
      peer: known.get(peer) ?? 0,
      time: Math.round(event.time * 1_000_000),
      tupleKey: tupleKey(event, key),
    };
  });
}

function eventRow({ event, host, peer, time, tupleKey: key }: Packet, reporter: string): DuckDBValue[] {
  const { id, verdict, rule = null, protocol, hostPort, peerPort, length } = event;
  const where = [host, peer, key, protocol, hostPort, peerPort, length];
  return [id, null, timestamp(time), null, verdict, rule, ...where, reporter];
}

async function storeDetections(
  connection: DuckDBConnection,
  ids: KnownIds,
  packets: readonly Packet[],
): Promise<void> {
  const reported = new Map<string, ReportedDetection>();
  const seen = packets.flatMap((packet) =>
    packet.event.detections.map((record) => {
      const detection = { ...record, host: packet.host };
      const isTrue = isPlausible(record.detectedAt, packet.event.time);
      reported.set(detectionKey(detection), detection);
      return {
        packet,
        key: detectionKey(detection),
        trust: trustIds[isTrue ? packet.event.trust : "implausible"],
      };
    }),
  );
  const known = await ids.detections(connection, reported);
  for (const [name, span] of Object.entries(spans)) {
    const sums = new Map<string, Sum>();
    for (const { packet, key, trust } of seen) add(sums, [known.get(key) ?? 0, trust], packet, span);
    const rows = [...sums.values()].map(
      ({ series: [detection = 0, trust = 0], start, first, last, packets: count }) => [
        detection,
        capture,
        timestamp(start),
        trust,
        timestamp(first),
        timestamp(last),
        name === "minute" ? count : BigInt(count),
      ],
    );
    await appendRows(connection, `detection_${name}`, rows);
  }
  await addToSums(connection, seen, known);
}

/** The sums over all times. */
async function addToSums(
  connection: DuckDBConnection,
  seen: readonly { packet: Packet; key: string; trust: number }[],
  known: ReadonlyMap<string, number>,
): Promise<void> {
  const sums = new Map<string, Sum>();
  for (const { packet, key, trust } of seen)
    add(sums, [known.get(key) ?? 0, trust], packet, Number.MAX_SAFE_INTEGER);
  if (sums.size === 0) return;
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE detected_sum (detection_id UINTEGER, trust UTINYINT, first_seen TIMESTAMP, last_seen TIMESTAMP, packets UBIGINT)",
  );
  const rows = [...sums.values()].map(({ series: [detection = 0, trust = 0], first, last, packets }) => [
    detection,
    trust,
    timestamp(first),
    timestamp(last),
    BigInt(packets),
  ]);
  await appendRows(connection, "detected_sum", rows);
  await connection.run(mergeSums);
}

async function storeActivity(connection: DuckDBConnection, packets: readonly Packet[]): Promise<void> {
  for (const [name, span] of Object.entries(spans)) {
    const sums = new Map<string, Sum>();
    for (const packet of packets) add(sums, [packet.host], packet, span);
    const rows = [...sums.values()].map(({ series: [host = 0], start, packets: count, octets }) => [
      host,
      capture,
      timestamp(start),
      name === "minute" ? count : BigInt(count),
      BigInt(octets),
    ]);
    await appendRows(connection, `host_${name}`, rows);
  }
}

/** Counts a packet in the span of time that it lies in. */
function add(sums: Map<string, Sum>, series: readonly number[], { time, event }: Packet, span: number): void {
  const start = time - (time % span);
  const key = `${series.join("/")}/${start}`;
  const sum = sums.get(key) ?? { series, start, first: time, last: time, packets: 0, octets: 0 };
  sum.first = Math.min(sum.first, time);
  sum.last = Math.max(sum.last, time);
  sum.packets++;
  sum.octets += event.length;
  sums.set(key, sum);
}

/** A packet that was let through on a connection on which both sides had spoken, or with a right tag: it arrived. */
async function storeContacts(connection: DuckDBConnection, packets: readonly Packet[]): Promise<void> {
  const passed = new Map<string, DuckDBValue[]>();
  const contacts = new Map<string, Packet>();
  for (const packet of packets) {
    const { event, host, peer, time, tupleKey: key } = packet;
    if (event.trust !== "established" && event.trust !== "verified") continue;
    if (event.verdict !== "accept" && event.verdict !== "strip") continue;
    const minute = time - (time % spans.minute);
    passed.set(`${key}/${minute}`, [capture, key, key, host, timestamp(minute)]);
    const pair = `${host}/${peer}`;
    if (time < (contacts.get(pair)?.time ?? Number.POSITIVE_INFINITY)) contacts.set(pair, packet);
  }
  if (contacts.size === 0) return;
  await appendRows(connection, "flow_passed", [...passed.values()]);
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE contact (host_id UINTEGER, peer_id UINTEGER, first_contact TIMESTAMP)",
  );
  const rows = [...contacts.values()].map(({ host, peer, time }) => [host, peer, timestamp(time)]);
  await appendRows(connection, "contact", rows);
  await connection.run(mergePairs);
}

function tupleKey({ host, peer, hostPort, peerPort, protocol }: EnforcementEvent, key: FlowKey): bigint {
  key.begin();
  for (const word of [...addressWords(host), ...addressWords(peer)]) key.add(word);
  key.add(((hostPort << 16) | peerPort) >>> 0);
  key.add(protocol);
  key.digest();
  return (BigInt(key.high) << 32n) | BigInt(key.low);
}
