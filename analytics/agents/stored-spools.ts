/** Which events of agents' spools are stored, so that an event that comes again is one event. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { AgentEvent } from "../../policy/event.ts";
import { ReceivedNumbers } from "./received-numbers.ts";

const findSpool = readFileSync(new URL("./sql/find-spool.sql", import.meta.url), "utf8");

/** An event whose id is none of a spool's. */
export class EventIdError extends Error {
  constructor(id: string) {
    super(`id: expected <spool>-<number>, got "${id.slice(0, 100)}"`);
    this.name = "EventIdError";
  }
}

/** Spools whose state is kept in memory; an agent has one. */
const mostKept = 1000;

interface TouchedSpool {
  readonly token: string;
  readonly agent: string;
  readonly spool: string;
  readonly numbers: ReceivedNumbers;
}

export class StoredSpools {
  readonly #kept = new Map<string, ReceivedNumbers>();

  /** The events that are not stored yet; from now on they count as stored. @throws EventIdError */
  async takeFresh(
    connection: DuckDBConnection,
    token: string,
    events: readonly AgentEvent[],
  ): Promise<AgentEvent[]> {
    const touched = new Map<string, TouchedSpool>();
    const fresh: AgentEvent[] = [];
    for (const event of events) {
      const [spool, number] = splitId(event.id);
      let state = touched.get(spool);
      if (!state) {
        const numbers = await this.#numbersOf(connection, token, event.agent, spool);
        state = { token, agent: event.agent, spool, numbers };
        touched.set(spool, state);
      }
      if (state.numbers.take(number)) fresh.push(event);
    }
    if (fresh.length > 0) for (const state of touched.values()) await write(connection, state);
    return fresh;
  }

  async #numbersOf(
    connection: DuckDBConnection,
    token: string,
    agent: string,
    spool: string,
  ): Promise<ReceivedNumbers> {
    const key = `${token}/${spool}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const reader = await connection.runAndReadAll(findSpool, { token, agent, spool });
    const [row] = reader.getRows();
    const numbers = row ? ReceivedNumbers.of(Number(row[0]), String(row[1])) : ReceivedNumbers.none();
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(key, numbers);
    return numbers;
  }
}

async function write(
  connection: DuckDBConnection,
  { token, agent, spool, numbers }: TouchedSpool,
): Promise<void> {
  await connection.run(
    `INSERT INTO agent_spool (token, spool, last_number, agent, holes) VALUES ($token, $spool, $last, $agent, $holes)
     ON CONFLICT (token, spool) DO UPDATE SET last_number = excluded.last_number, agent = excluded.agent, holes = excluded.holes`,
    { token, agent, spool, last: BigInt(numbers.last), holes: numbers.holes },
  );
}

function splitId(id: string): [spool: string, number: number] {
  const [, spool, number] = /^(.{1,60})-(\d{1,15})$/.exec(id) ?? [];
  if (spool === undefined || number === undefined) throw new EventIdError(id);
  return [spool, Number(number)];
}
