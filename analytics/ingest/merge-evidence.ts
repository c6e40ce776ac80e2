/**
 * What a walk found is joined to what the database knows. One slice after the other: a join or a sum over more rows than
 * that would take memory by their number. Slices are the same whatever memory there is, so the rows are, too.
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import type { Transaction } from "../database.ts";
import type { CopyPath } from "./column-appender.ts";
import { stageDictionaries } from "./dictionary-rows.ts";
import type { Dictionaries } from "./dictionary-rows.ts";
import { writeFlows } from "./flow-rows.ts";
import { PagedRows } from "./paged-rows.ts";
import type { WalkMemory } from "./walk-memory.ts";
import type { IdBases } from "./walk-rows.ts";

const sql = (name: string): string => readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), "utf8");

const mergeHosts = sql("merge-hosts");
const mergeDetections =
  sql("merge-detections") + sql("merge-detection-minutes") + sql("merge-detection-sums");
const mergeHostMinutes = sql("merge-host-minutes");
const mergeMarks = sql("merge-marks");
const mergePassed = sql("merge-passed");
const mergePairs = sql("merge-flow-contacts") + sql("merge-pairs");
const mergeEvents = sql("merge-events");
const mergeUnmarked = sql("merge-unmarked");

/** Ids of one kind that are joined at once. */
const sliceRows = 65_536;

/** `names` are of name-resolution blocks. The walk's memory is given back meanwhile. */
export async function mergeEvidence(
  { connection, takeRoom }: Transaction,
  dictionaries: Dictionaries,
  names: ReadonlyMap<string, string>,
  bases: IdBases,
  path: CopyPath,
): Promise<void> {
  const { hosts, detections, marks, flows, memory } = dictionaries;
  await choose(connection, 0, 1);
  await stageDictionaries(connection, dictionaries, names, path);
  await inSlices(connection, mergeHosts, hosts.count);
  const hostIds = await readHostIds(connection, memory);
  await writeFlows(connection, dictionaries, hostIds, bases, path);
  // From here on the database needs the room, and nobody the tables.
  memory.close();
  await takeRoom();
  await inSlices(connection, mergeDetections, detections.count);
  await inSlices(connection, mergeHostMinutes, hosts.count);
  await inSlices(connection, mergeMarks, marks.count);
  await inSlices(connection, mergePassed, flows.count);
  await inSlices(connection, mergePairs, flows.count);
  await connection.run(mergeEvents);
  await connection.run(mergeUnmarked);
}

/** Runs statements for ids 0 to `rows` - 1; once, if there are none. */
async function inSlices(connection: DuckDBConnection, statements: string, rows: number): Promise<void> {
  const slices = Math.max(1, Math.ceil(rows / sliceRows));
  if (slices === 1) return void (await connection.run(statements));
  for (let slice = 0; slice < slices; slice++) {
    await choose(connection, slice, slices);
    await connection.run(statements);
  }
  await choose(connection, 0, 1);
}

async function choose(connection: DuckDBConnection, slice: number, slices: number): Promise<void> {
  await connection.run("SET VARIABLE slices = $slices", { slices });
  await connection.run("SET VARIABLE slice = $slice", { slice });
  await connection.run("SET VARIABLE slice_from = $from", { from: slice * sliceRows });
  await connection.run("SET VARIABLE slice_to = $to", { to: (slice + 1) * sliceRows });
}

/** The database's ids of the local hosts, one word each. */
async function readHostIds(connection: DuckDBConnection, memory: WalkMemory): Promise<PagedRows> {
  const ids = new PagedRows(memory, 1);
  const result = await connection.stream("SELECT local_host, host_id FROM host_of");
  // Column by column: an array a row would be 40 MB of garbage by the time that anybody looks for garbage.
  for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) {
    const databaseIds = chunk.getColumnValues(1);
    for (const [row, host] of chunk.getColumnValues(0).entries()) {
      memory.nextTurn();
      memory.words[ids.place(Number(host))] = Number(databaseIds[row]);
    }
  }
  return ids;
}
