/** The dictionaries of a walked capture, written into the staging tables once the walk has ended. */
import { DuckDBBlobValue } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { setWide } from "./capture-time.ts";
import { ColumnAppender, octetColumn, textColumn, wideColumn, wordColumn } from "./column-appender.ts";
import type { Columns, CopyPath } from "./column-appender.ts";
import type { DetectionTable } from "./detection-table.ts";
import type { EnforcementPrefixes } from "./enforcement-prefix.ts";
import type { FlowKey } from "./flow-key.ts";
import type { FlowTable } from "./flow-table.ts";
import type { HostTable } from "./host-table.ts";
import type { MarkTable } from "./mark-table.ts";
import type { UnmarkedHosts } from "./unmarked-hosts.ts";
import type { WalkMemory } from "./walk-memory.ts";

export interface Dictionaries {
  readonly hosts: HostTable;
  readonly detections: DetectionTable;
  readonly marks: MarkTable;
  readonly flows: FlowTable;
  readonly prefixes: EnforcementPrefixes;
  readonly flowKey: FlowKey;
  readonly unmarked: UnmarkedHosts;
  /** Where all of them are. */
  readonly memory: WalkMemory;
}

/** Writes all but the flows, which need the database's ids of hosts; `names` are of name-resolution blocks. */
export async function stageDictionaries(
  connection: DuckDBConnection,
  dictionaries: Dictionaries,
  names: ReadonlyMap<string, string>,
  path: CopyPath,
): Promise<void> {
  await stageHosts(connection, dictionaries, path);
  await stageDetections(connection, dictionaries, path);
  await stageMarks(connection, dictionaries, path);
  await stagePrefixes(connection, dictionaries.prefixes, path);
  await stageUnmarked(connection, dictionaries.unmarked, path);
  await stageNames(connection, names, path);
}

/** Calls `write` for each of `count` rows; whatever goes wrong, no rest is left in the appender. */
export async function writeRows<Named extends Columns>(
  connection: DuckDBConnection,
  table: string,
  columns: Named,
  path: CopyPath,
  count: number,
  write: (columns: Named, row: number, index: number) => void,
): Promise<void> {
  if (count === 0) return;
  const appender = await ColumnAppender.create(connection, table, columns, path);
  try {
    for (let index = 0; index < count; index++) {
      write(columns, appender.rows, index);
      appender.advance();
    }
  } catch (error) {
    appender.discard();
    throw error;
  }
  appender.close();
}

async function stageHosts(
  connection: DuckDBConnection,
  { hosts, memory }: Dictionaries,
  path: CopyPath,
): Promise<void> {
  const columns = { host: wordColumn(), address: textColumn() };
  await writeRows(connection, "staged_host", columns, path, hosts.count, (to, row, host) => {
    memory.nextTurn();
    to.host[row] = host;
    to.address[row] = hosts.text(host);
  });
}

async function stageDetections(
  connection: DuckDBConnection,
  { detections, memory }: Dictionaries,
  path: CopyPath,
): Promise<void> {
  const columns = {
    detection: wordColumn(),
    host: wordColumn(),
    detectedAt: wideColumn(),
    category: octetColumn(),
    activity: octetColumn(),
  };
  await writeRows(connection, "staged_detection", columns, path, detections.count, (to, row, detection) => {
    memory.nextTurn();
    const at = detections.place(detection);
    const codes = detections.words[at + 2] ?? 0;
    to.detection[row] = detection;
    to.host[row] = detections.words[at] ?? 0;
    setWide(to.detectedAt, row, (detections.words[at + 1] ?? 0) * 1_000_000);
    to.category[row] = codes >>> 8;
    to.activity[row] = codes & 0xff;
  });
}

async function stageMarks(
  connection: DuckDBConnection,
  { marks, memory }: Dictionaries,
  path: CopyPath,
): Promise<void> {
  const columns = { mark: wordColumn(), host: wordColumn(), kind: octetColumn(), option: textColumn() };
  await writeRows(connection, "staged_mark", columns, path, marks.count, (to, row, mark) => {
    memory.nextTurn();
    to.mark[row] = mark;
    to.host[row] = marks.host(mark);
    to.kind[row] = marks.kind(mark);
    to.option[row] = new DuckDBBlobValue(marks.option(mark));
  });
}

async function stagePrefixes(
  connection: DuckDBConnection,
  prefixes: EnforcementPrefixes,
  path: CopyPath,
): Promise<void> {
  const columns = { prefix: wordColumn(), verdict: textColumn(), rule: textColumn() };
  const { list } = prefixes;
  await writeRows(connection, "staged_prefix", columns, path, list.length, (to, row, index) => {
    to.prefix[row] = index;
    to.verdict[row] = list[index]?.verdict ?? null;
    to.rule[row] = list[index]?.rule ?? null;
  });
}

async function stageUnmarked(
  connection: DuckDBConnection,
  unmarked: UnmarkedHosts,
  path: CopyPath,
): Promise<void> {
  if (unmarked.count === 0) return;
  const columns = { host: wordColumn(), first: wideColumn(), last: wideColumn(), packets: wordColumn() };
  const appender = await ColumnAppender.create(connection, "staged_unmarked", columns, path);
  try {
    unmarked.forEach((host, first, last, packets) => {
      columns.host[appender.rows] = host;
      setWide(columns.first, appender.rows, first);
      setWide(columns.last, appender.rows, last);
      columns.packets[appender.rows] = packets;
      appender.advance();
    });
  } catch (error) {
    appender.discard();
    throw error;
  }
  appender.close();
}

async function stageNames(
  connection: DuckDBConnection,
  names: ReadonlyMap<string, string>,
  path: CopyPath,
): Promise<void> {
  const entries = [...names];
  const columns = { address: textColumn(), name: textColumn() };
  await writeRows(connection, "staged_name", columns, path, entries.length, (to, row, index) => {
    const [address, name] = entries[index] ?? ["", ""];
    to.address[row] = address;
    to.name[row] = name;
  });
}
