/** Questions to a large database: what the pages of the dashboard ask, and counting all sightings beside them. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { openDatabase } from "../../analytics/database.ts";
import type { Database } from "../../analytics/database.ts";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { usualListRows } from "../../analytics/host-lists.ts";
import { readHostList } from "../../analytics/queries/host-lists.ts";
import { reportHost } from "../../analytics/queries/host-report.ts";
import { readNetworkTimeline } from "../../analytics/queries/network-timeline.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import { defaultCodeBook } from "../support/tshark.ts";
import { median } from "./measure.ts";
import { benchFolder } from "./prepared-capture.ts";

export interface RankingBench {
  readonly sightings: number;
  readonly pairs: number;
  readonly results: readonly QuestionResult[];
}

export interface QuestionResult {
  readonly name: string;
  /** Median of the rounds. */
  readonly milliseconds: number;
  /** Milliseconds that the specification allows; absent for what stands beside. */
  readonly target?: number;
}

interface Question {
  readonly name: string;
  readonly target?: number;
  readonly ask: (connection: DuckDBConnection) => Promise<unknown>;
}

const rounds = 7;

/** A host like the others: 3,000 peers, 1,250 flows. */
const address = "10.0.0.77";

/** What every other question stands beside. */
const allSightings = "marked packets by host, from all sightings (no sums): GROUP BY";

/** many-sightings.sql changed in a way that changes what it makes: count up. */
const generation = 3;
/** 2026-03-01, where many-sightings.sql ends, less a minute; and the middle of its month. */
const end = Date.UTC(2026, 2, 1) / 1000 - 60;
const middle = Date.UTC(2026, 1, 14, 12) / 1000;

const ranking = (asOf: number) => (connection: DuckDBConnection) =>
  connection.runAndReadAll(
    "SELECT host_id, score FROM ranking(make_timestamp($1::BIGINT)) ORDER BY score DESC",
    [BigInt(asOf) * 1_000_000n],
  );

const questions: readonly Question[] = [
  { name: "ranking of 10,000 hosts, now", target: 100, ask: ranking(end) },
  { name: "ranking as of the middle of the month", target: 100, ask: ranking(middle) },
  {
    name: "first page: 200 hosts of 10,000 with terms, detections and counts",
    target: 100,
    ask: (connection) => rankHosts(connection, end, { limit: 200 }),
  },
  {
    name: "the same, as of the middle of the month",
    target: 100,
    ask: (connection) => rankHosts(connection, middle, { limit: 200 }),
  },
  {
    name: "the first page, filtered by two words",
    ask: (connection) => rankHosts(connection, end, { limit: 200, filter: "command active" }),
  },
  {
    name: "all 10,000 hosts, as `tattle rank` gets them",
    ask: (connection) => rankHosts(connection, end),
  },
  {
    name: "host page: score, timeline, lanes, flows, enforcement",
    target: 200,
    ask: (connection) => reportHost(connection, address, end, usualListRows),
  },
  {
    name: "host page: peers after detection",
    target: 200,
    ask: (connection) => readHostList(connection, "peers", address, end, {}),
  },
  {
    name: "host page: second hop",
    target: 200,
    ask: (connection) => readHostList(connection, "second-hop", address, end, {}),
  },
  {
    name: "network timeline of one host",
    ask: (connection) => readNetworkTimeline(connection, { asOf: end, source: "asked" }, { host: address }),
  },
  {
    name: "network timeline of the 100 hosts with the strongest detections",
    ask: (connection) => readNetworkTimeline(connection, { asOf: end, source: "asked" }, {}),
  },
  {
    name: allSightings,
    ask: (connection) =>
      connection.runAndReadAll(
        "SELECT host_id, count(*), max(time) FROM sighting JOIN mark USING (mark_id) GROUP BY host_id",
      ),
  },
];

/** Makes the database unless it is there, and asks each question several times, in turn. */
export async function benchRanking(options: {
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}): Promise<RankingBench> {
  const sightings = options.quick ? 1_000_000 : 100_000_000;
  const database = await openDatabase(await prepareDatabase(sightings, options.tell), { memoryLimit: "4GB" });
  try {
    const times = await database.read((connection) => askInTurn(connection, options.tell));
    const results = questions.map(({ name, target }, index) => ({
      name,
      milliseconds: median(times[index] ?? []),
      ...(target === undefined ? {} : { target }),
    }));
    return { sightings, pairs: (sightings * 3) / 10, results };
  } finally {
    await database.close();
  }
}

async function askInTurn(connection: DuckDBConnection, tell: (line: string) => void): Promise<number[][]> {
  const times = questions.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    for (const [index, question] of questions.entries()) {
      const started = performance.now();
      await question.ask(connection);
      // The first round brings the file into memory.
      if (round > 0) times[index]?.push(performance.now() - started);
    }
  }
  return times;
}

async function prepareDatabase(sightings: number, tell: (line: string) => void): Promise<string> {
  mkdirSync(benchFolder, { recursive: true });
  const path = join(benchFolder, `sightings-${generation}-${sightings}.duckdb`);
  if (existsSync(path)) return path;
  tell(`making ${path}: ${sightings} sightings; takes about a minute for 100 million`);
  const part = `${path}.part`;
  for (const suffix of ["", ".wal"]) rmSync(part + suffix, { force: true });
  const database = await openDatabase(part, { memoryLimit: "8GB" });
  try {
    await fill(database, sightings);
  } finally {
    await database.close();
  }
  renameSync(part, path);
  return path;
}

function fill(database: Database, sightings: number): Promise<void> {
  const statements = readFileSync(new URL("./many-sightings.sql", import.meta.url), "utf8").replaceAll(
    /^--.*$/gm,
    "",
  );
  return database.write(async ({ connection }) => {
    await loadCodeBook(connection, defaultCodeBook());
    for (const statement of statements.split(";")) {
      if (statement.trim() === "") continue;
      await connection.run(
        statement,
        statement.includes("$sightings") ? { sightings: BigInt(sightings) } : undefined,
      );
    }
  });
}

/** One line a question, with how it stands to its target. */
export function formatRanking({ sightings, pairs, results }: RankingBench): string {
  const million = (value: number): string => `${value / 1_000_000} million`;
  const beside = results.find(({ name }) => name === allSightings)?.milliseconds ?? Number.NaN;
  const lines = results.map(({ name, milliseconds, target }) => {
    const verdict =
      target === undefined
        ? ""
        : `  target ${target} ms, ${milliseconds <= target ? "reached" : `missed ${(milliseconds / target).toFixed(1)} x`}`;
    const ratio = (milliseconds / beside).toFixed(3);
    return `${milliseconds.toFixed(0).padStart(6)} ms  ${ratio.padStart(7)}  ${name}${verdict}`;
  });
  return [
    `${million(sightings)} sightings, ${million(pairs)} pairs of host and peer; medians of ${rounds}; beside each its ratio to the GROUP BY`,
    ...lines,
  ].join("\n");
}
