/**
 * What agents report: events exactly once, however often they arrive, and the last heartbeat of each. Events are
 * numbered in an agent's spool (`<spool>-<number>`) and come in order, so one number a spool tells what is stored.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { Heartbeat } from "../../policy/agent-report.ts";
import type { AgentEvent, EnforcementEvent, GapEvent } from "../../policy/event.ts";
import { isPlausible } from "../../wire/mark.ts";
import type { Database } from "../database.ts";
import type { AgentLog, AgentReport, StoredEvents } from "../store.ts";
import { FlowKey } from "../ingest/flow-key.ts";
import { drawSecrets } from "../ingest/secrets.ts";
import { addressWords, canonicalAddress } from "./address-words.ts";

const sql = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const staging = sql("./sql/staging.sql");
const stageReports = sql("./sql/stage-reports.sql");
const stageDetections = sql("./sql/stage-detections.sql");
const mergeReports = sql("./sql/merge-reports.sql");
const mergePairs = sql("../ingest/sql/merge-pairs.sql");
const listAgents = sql("./sql/agents.sql");

/** Ids of the table trust. */
const trustIds = { lone: 0, established: 1, implausible: 3 } as const;

/** An event whose id is none of a spool's. */
export class EventIdError extends Error {
  constructor(id: string) {
    super(`id: expected <spool>-<number>, got "${id.slice(0, 100)}"`);
    this.name = "EventIdError";
  }
}

export class DatabaseAgentLog implements AgentLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  store(token: string, events: readonly AgentEvent[], now: number): Promise<StoredEvents> {
    return this.#database.write(async ({ connection }) => {
      const fresh = await takeFresh(connection, token, events);
      const enforced = fresh.filter((event) => event.type === "enforcement");
      if (enforced.length > 0) await storeEnforced(connection, token, enforced);
      for (const gap of fresh) if (gap.type === "gap") await storeGap(connection, token, gap);
      for (const agent of new Set(events.map((event) => event.agent)))
        await noteAgent(connection, agent, token, now);
      return { stored: fresh.length, known: events.length - fresh.length };
    });
  }

  heard(token: string, heartbeat: Heartbeat, now: number): Promise<void> {
    return this.#database.write(async ({ connection }) => {
      await noteAgent(connection, heartbeat.agent, token, now);
      await connection.run(
        "UPDATE agent SET heartbeat = $heartbeat WHERE token = $token AND agent = $agent",
        {
          token,
          agent: heartbeat.agent,
          heartbeat: JSON.stringify(heartbeat),
        },
      );
    });
  }

  agents(): Promise<readonly AgentReport[]> {
    return this.#database.read(async (connection) => {
      const reader = await connection.runAndReadAll(listAgents);
      return reader.getRowObjects().map((row) => {
        const heartbeat = row["heartbeat"];
        return {
          agent: String(row["agent"]),
          token: String(row["token"]),
          heardAt: Number(row["heard_at"]),
          // Checked when it came.
          ...(typeof heartbeat === "string" ? { heartbeat: JSON.parse(heartbeat) as Heartbeat } : {}),
          events: Number(row["events"]),
          gapPackets: Number(row["gap_packets"]),
        };
      });
    });
  }
}

/** The events that are not stored yet; from now on they count as stored. */
async function takeFresh(
  connection: DuckDBConnection,
  token: string,
  events: readonly AgentEvent[],
): Promise<AgentEvent[]> {
  const lasts = new Map<string, bigint>();
  const fresh: AgentEvent[] = [];
  for (const event of events) {
    const [spool, number] = splitId(event.id);
    let last = lasts.get(spool);
    if (last === undefined) {
      const reader = await connection.runAndReadAll(
        "SELECT last_number FROM agent_spool WHERE token = $token AND spool = $spool",
        { token, spool },
      );
      last = BigInt(String(reader.getRows()[0]?.[0] ?? -1));
    }
    if (number > last) fresh.push(event);
    lasts.set(spool, number > last ? number : last);
  }
  for (const [spool, last] of lasts) {
    await connection.run("INSERT OR REPLACE INTO agent_spool VALUES ($token, $spool, $last)", {
      token,
      spool,
      last,
    });
  }
  return fresh;
}

function splitId(id: string): [spool: string, number: bigint] {
  const [, spool, number] = /^(.{1,60})-(\d{1,15})$/.exec(id) ?? [];
  if (spool === undefined || number === undefined) throw new EventIdError(id);
  return [spool, BigInt(number)];
}

async function noteAgent(
  connection: DuckDBConnection,
  agent: string,
  token: string,
  now: number,
): Promise<void> {
  await connection.run(
    `INSERT INTO agent VALUES ($token, $agent, make_timestamp($now::BIGINT), NULL)
     ON CONFLICT (token, agent) DO UPDATE SET heard_at = excluded.heard_at`,
    { agent, token, now: microseconds(now) },
  );
}

async function storeGap(connection: DuckDBConnection, token: string, gap: GapEvent): Promise<void> {
  await connection.run(
    `INSERT INTO agent_gap VALUES
     ($id, $agent, make_timestamp($time::BIGINT), $verdict, $rule, $packets::UBIGINT, $reason)`,
    {
      id: gap.id,
      agent: reporter(token, gap.agent),
      time: microseconds(gap.time),
      verdict: gap.verdict,
      rule: gap.rule ?? null,
      packets: BigInt(gap.packets),
      reason: gap.reason,
    },
  );
}

async function storeEnforced(
  connection: DuckDBConnection,
  token: string,
  events: readonly EnforcementEvent[],
): Promise<void> {
  const seed = await connection.runAndReadAll("SELECT value FROM setting WHERE key = 'seed'");
  const key = new FlowKey(drawSecrets(String(seed.getRows()[0]?.[0])));
  await connection.run(staging);
  await connection.run(stageReports, {
    reports: JSON.stringify(events.map((event) => toReport(token, event, key))),
  });
  await connection.run(stageDetections, { detections: JSON.stringify(events.flatMap(toDetections)) });
  await connection.run(mergeReports);
  await connection.run(mergePairs);
}

function toReport(token: string, event: EnforcementEvent, key: FlowKey): Record<string, unknown> {
  return {
    id: event.id,
    agent: reporter(token, event.agent),
    time: Number(microseconds(event.time)),
    host: canonicalAddress(event.host),
    peer: canonicalAddress(event.peer),
    verdict: event.verdict,
    rule: event.rule ?? null,
    trust: trustIds[event.trust],
    tuple_key: tupleKey(event, key),
    protocol: event.protocol,
    host_port: event.hostPort,
    peer_port: event.peerPort,
    length: event.length,
  };
}

/** The same key that the flow has in captures of this database (ingest/tuple-key.ts); decimal. */
function tupleKey({ host, peer, hostPort, peerPort, protocol }: EnforcementEvent, key: FlowKey): string {
  key.begin();
  for (const word of [...addressWords(host), ...addressWords(peer)]) key.add(word);
  key.add(((hostPort << 16) | peerPort) >>> 0);
  key.add(protocol);
  key.digest();
  return ((BigInt(key.high) << 32n) | BigInt(key.low)).toString();
}

function toDetections(event: EnforcementEvent): Record<string, unknown>[] {
  return event.detections.map(({ detectedAt, category, activity }) => ({
    host: canonicalAddress(event.host),
    time: Number(microseconds(event.time)),
    trust: isPlausible(detectedAt, event.time) ? trustIds[event.trust] : trustIds.implausible,
    detected_at: detectedAt,
    category,
    activity,
  }));
}

/** An identity counts under the token that it came with: nobody can report in another's name. */
function reporter(token: string, agent: string): string {
  return `${token}/${agent}`;
}

function microseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1_000_000));
}
