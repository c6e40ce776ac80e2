/**
 * What agents report: events exactly once, however often they arrive, and the last heartbeat of each. Events are
 * numbered in an agent's spool (`<spool>-<number>`), and which numbers are stored is known (received-numbers.ts).
 */
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { Heartbeat } from "../../policy/agent-report.ts";
import type { AgentEvent, GapEvent } from "../../policy/event.ts";
import type { Database } from "../database.ts";
import { FlowKey } from "../ingest/flow-key.ts";
import { drawSecrets } from "../ingest/secrets.ts";
import type { AgentLog, AgentReport, ReportSource, StoredEvents } from "../store.ts";
import { AgentClaims } from "./agent-claims.ts";
import { appendRows } from "./append-rows.ts";
import { KnownIds, timestamp } from "./known-ids.ts";
import { storePackets } from "./reported-packets.ts";
import { StoredSpools } from "./stored-spools.ts";

const listAgents = readFileSync(new URL("./sql/agents.sql", import.meta.url), "utf8");

/** What is in memory of the database, so that a batch asks for nothing that was asked before. */
class Known {
  readonly ids = new KnownIds();
  readonly spools = new StoredSpools();
  readonly claims = new AgentClaims();
}

export class DatabaseAgentLog implements AgentLog {
  readonly #database: Database;
  #known = new Known();
  #key: FlowKey | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  store(source: ReportSource, events: readonly AgentEvent[], now: number): Promise<StoredEvents> {
    return this.#write(async (connection) => {
      const { ids, spools, claims } = this.#known;
      for (const agent of new Set(events.map((event) => event.agent)))
        await claims.note(connection, source, agent, now);
      const fresh = await spools.takeFresh(connection, source.token, events);
      for (const [agent, own] of byAgent(fresh)) {
        // An identity counts under the token that it came with: nobody can report in another's name.
        const reporter = `${source.token}/${agent}`;
        const packets = own.filter((event) => event.type === "enforcement");
        if (packets.length > 0)
          await storePackets(connection, ids, await this.#keyOf(connection), reporter, packets);
        await appendRows(
          connection,
          "agent_gap",
          own.filter((event) => event.type === "gap").map(gapRow(reporter)),
        );
      }
      return { stored: fresh.length, known: events.length - fresh.length };
    });
  }

  heard(source: ReportSource, heartbeat: Heartbeat, now: number): Promise<void> {
    return this.#write(async (connection) => {
      await this.#known.claims.note(connection, source, heartbeat.agent, now);
      await connection.run(
        "UPDATE agent SET heartbeat = $heartbeat WHERE token = $token AND agent = $agent",
        { token: source.token, agent: heartbeat.agent, heartbeat: JSON.stringify(heartbeat) },
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

  /** In a transaction; if it fails, nothing that came up in it is known any more. */
  async #write<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    try {
      return await this.#database.write(async ({ connection }) => {
        try {
          return await work(connection);
        } catch (error) {
          // Before the next transaction begins.
          this.#known = new Known();
          throw error;
        }
      });
    } catch (error) {
      // It may have failed to commit.
      this.#known = new Known();
      throw error;
    }
  }

  async #keyOf(connection: DuckDBConnection): Promise<FlowKey> {
    if (!this.#key) {
      const seed = await connection.runAndReadAll("SELECT value FROM setting WHERE key = 'seed'");
      this.#key = new FlowKey(drawSecrets(String(seed.getRows()[0]?.[0])));
    }
    return this.#key;
  }
}

function byAgent(events: readonly AgentEvent[]): Map<string, AgentEvent[]> {
  const groups = new Map<string, AgentEvent[]>();
  for (const event of events) {
    const group = groups.get(event.agent);
    if (group) group.push(event);
    else groups.set(event.agent, [event]);
  }
  return groups;
}

function gapRow(reporter: string) {
  return ({ id, time, verdict, rule, packets, reason }: GapEvent): DuckDBValue[] => [
    id,
    reporter,
    timestamp(Math.round(time * 1_000_000)),
    verdict,
    rule ?? null,
    BigInt(packets),
    reason,
  ];
}
