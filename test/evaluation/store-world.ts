/** Puts what sensors saw of a simulated network into a database, as an ingest would have: the ranking reads it from there. */
import { readFileSync } from "node:fs";
import { DuckDBTimestampValue } from "@duckdb/node-api";
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import { carriedAt } from "./world.ts";
import type { Flow, SimulatedHost } from "./world.ts";

const finish = readFileSync(new URL("./sql/finish-world.sql", import.meta.url), "utf8");

/** Ids of the table trust. */
const trust = { lone: 0, established: 1 } as const;

export const addressOf = (index: number): string => `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`;

/** Within a transaction, into empty tables. */
export async function storeWorld(
  connection: DuckDBConnection,
  hosts: readonly SimulatedHost[],
): Promise<void> {
  const names = [
    "host",
    "asset",
    "detection",
    "detection_minute",
    "flow_passed",
    "simulated_stop",
    "peer_minute",
  ];
  await connection.run("CREATE TABLE simulated_stop (time TIMESTAMP, host_id UINTEGER, flow UBIGINT)");
  const appenders: DuckDBAppender[] = [];
  for (const name of names) appenders.push(await connection.createAppender(name));
  const [host, asset, detection, sight, passed, event, peer] = appenders as [
    DuckDBAppender,
    DuckDBAppender,
    DuckDBAppender,
    DuckDBAppender,
    DuckDBAppender,
    DuckDBAppender,
    DuckDBAppender,
  ];
  let detections = 0;
  let flows = 0n;
  for (const [index, simulated] of hosts.entries()) {
    const hostId = index + 1;
    host.appendUInteger(hostId);
    host.appendVarchar(addressOf(index));
    host.endRow();
    asset.appendVarchar(addressOf(index));
    asset.appendNull();
    asset.appendDouble(simulated.weight);
    asset.endRow();
    const ids = new Map(simulated.incidents.map((incident) => [incident, ++detections]));
    for (const [incident, id] of ids) {
      detection.appendUInteger(id);
      detection.appendUInteger(hostId);
      detection.appendTimestamp(timestamp(incident.detectedAt));
      detection.appendUTinyInt(incident.category);
      detection.appendUTinyInt(incident.activity);
      detection.endRow();
    }
    const peers = new Set<number>();
    for (const flow of simulated.flows) {
      const carried = flow.seen ? carriedAt(simulated, flow.time) : [];
      if (carried.length === 0) continue;
      flows++;
      for (const incident of carried) appendSight(sight, ids.get(incident) ?? 0, flow);
      if (flow.stopped) appendStop(event, hostId, flow, flows);
      if (!flow.passed) continue;
      passed.appendUInteger(1);
      passed.appendUBigInt(flows);
      passed.appendUBigInt(flows);
      passed.appendUInteger(hostId);
      passed.appendTimestamp(minuteOf(flow.time));
      passed.endRow();
      if (peers.has(flow.peer)) continue;
      peers.add(flow.peer);
      peer.appendUInteger(hostId);
      peer.appendTimestamp(minuteOf(flow.time));
      peer.appendInteger(1);
      peer.endRow();
    }
  }
  for (const appender of appenders) appender.closeSync();
  for (const statement of finish.split(";")) if (statement.trim() !== "") await connection.run(statement);
}

function appendSight(appender: DuckDBAppender, detectionId: number, flow: Flow): void {
  appender.appendUInteger(detectionId);
  appender.appendUInteger(1);
  appender.appendTimestamp(minuteOf(flow.time));
  // What nobody answers, or a router stops at its SYN, shows no evidence of the other side.
  appender.appendUTinyInt(flow.passed ? trust.established : trust.lone);
  appender.appendTimestamp(timestamp(flow.time));
  appender.appendTimestamp(timestamp(flow.time));
  appender.appendUInteger(1);
  appender.endRow();
}

function appendStop(appender: DuckDBAppender, hostId: number, flow: Flow, key: bigint): void {
  appender.appendTimestamp(timestamp(flow.time));
  appender.appendUInteger(hostId);
  appender.appendUBigInt(key);
  appender.endRow();
}

const timestamp = (seconds: number): DuckDBTimestampValue =>
  new DuckDBTimestampValue(BigInt(seconds) * 1_000_000n);
const minuteOf = (seconds: number): DuckDBTimestampValue => timestamp(seconds - (seconds % 60));
