/**
 * Under which tokens agents come. While a token is good it speaks for itself alone: the same identity under another one
 * is another agent. Once it is taken out, the agent goes on under the token that it comes with now.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { ReportSource } from "../store.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");
const takeOver = sql("take-over")
  .split(";\n")
  .filter((statement) => /^(UPDATE|DELETE)/m.test(statement));

/** Agents that are kept in memory; whoever has a token may claim to be any number of them. */
const mostKept = 10_000;

/** Seconds between notes that an agent was heard. */
const noteSeconds = 1;

export class AgentClaims {
  /** Tokens of each agent that was heard. */
  readonly #tokens = new Map<string, Set<string>>();
  /** When `token/agent` was noted last, seconds since 1970. */
  readonly #noted = new Map<string, number>();

  /** Notes that the agent was heard; true if it takes over what it reported by a token that is none any more. */
  async note(
    connection: DuckDBConnection,
    { token, isToken }: ReportSource,
    agent: string,
    now: number,
  ): Promise<boolean> {
    if (this.#tokens.size > mostKept) {
      this.#tokens.clear();
      this.#noted.clear();
    }
    const tokens = this.#tokens.get(agent) ?? (await this.#read(connection, agent));
    const key = `${token}/${agent}`;
    if (!tokens.has(token) || Math.abs(now - (this.#noted.get(key) ?? 0)) >= noteSeconds) {
      await noteAgent(connection, token, agent, now);
      tokens.add(token);
      this.#noted.set(key, now);
    }
    const former = [...tokens].filter((other) => other !== token && !isToken(other));
    for (const from of former) {
      for (const statement of takeOver) {
        await connection.run(statement, boundIn(statement, { from, to: token, agent }));
      }
      tokens.delete(from);
    }
    return former.length > 0;
  }

  async #read(connection: DuckDBConnection, agent: string): Promise<Set<string>> {
    const reader = await connection.runAndReadAll("SELECT token FROM agent WHERE agent = $agent", { agent });
    const tokens = new Set(reader.getRows().map(([token]) => String(token)));
    this.#tokens.set(agent, tokens);
    return tokens;
  }
}

/** DuckDB refuses values that a statement does not name. */
function boundIn(statement: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => statement.includes(`$${name}`)));
}

async function noteAgent(
  connection: DuckDBConnection,
  token: string,
  agent: string,
  now: number,
): Promise<void> {
  await connection.run(
    `INSERT INTO agent (token, agent, heard_at, claimed_at)
     VALUES ($token, $agent, make_timestamp($now::BIGINT), make_timestamp($now::BIGINT))
     ON CONFLICT (token, agent) DO UPDATE SET heard_at = excluded.heard_at`,
    { agent, token, now: BigInt(Math.round(now * 1_000_000)) },
  );
}
