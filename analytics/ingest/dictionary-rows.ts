/** The dictionaries of a walked capture, written into the staging tables once the walk has ended. */
import { DuckDBBlobValue } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { setWide } from "./capture-time.ts";
import {
  ColumnAppender,
  octetColumn,
  shortColumn,
  textColumn,
  wideColumn,
  wordColumn,
} from "./column-appender.ts";
import type { Columns, CopyPath } from "./column-appender.ts";
import type { DetectionTable } from "./detection-table.ts";
import type { EnforcementPrefixes } from "./enforcement-prefix.ts";
import type { FlowKey } from "./flow-key.ts";
import { cold, coldDouble, coldWords, flowFlags, hot, hotWords } from "./flow-table.ts";
import type { FlowTable } from "./flow-table.ts";
import type { HostTable } from "./host-table.ts";
import type { MarkTable } from "./mark-table.ts";
import { minuteOf } from "./minute-rows.ts";
import { addTuple } from "./tuple-key.ts";

export interface Dictionaries {
  readonly hosts: HostTable;
  readonly detections: DetectionTable;
  readonly marks: MarkTable;
  readonly flows: FlowTable;
  readonly prefixes: EnforcementPrefixes;
  readonly flowKey: FlowKey;
}

/** Writes everything; `names` are of the capture's name-resolution blocks. */
export async function stageDictionaries(
  connection: DuckDBConnection,
  dictionaries: Dictionaries,
  names: ReadonlyMap<string, string>,
  path: CopyPath,
): Promise<void> {
  await stageHosts(connection, dictionaries.hosts, path);
  await stageDetections(connection, dictionaries.detections, path);
  await stageMarks(connection, dictionaries.marks, path);
  await stageFlows(connection, dictionaries, path);
  await stagePrefixes(connection, dictionaries.prefixes, path);
  await stageNames(connection, names, path);
}

/** Calls `write` for each of `count` rows; whatever goes wrong, no rest is left in the appender. */
async function stage<Named extends Columns>(
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

async function stageHosts(connection: DuckDBConnection, hosts: HostTable, path: CopyPath): Promise<void> {
  const columns = { host: wordColumn(), address: textColumn() };
  await stage(connection, "staged_host", columns, path, hosts.count, (to, row, host) => {
    to.host[row] = host;
    to.address[row] = hosts.text(host);
  });
}

async function stageDetections(
  connection: DuckDBConnection,
  detections: DetectionTable,
  path: CopyPath,
): Promise<void> {
  const columns = {
    detection: wordColumn(),
    host: wordColumn(),
    detectedAt: wideColumn(),
    category: octetColumn(),
    activity: octetColumn(),
  };
  await stage(connection, "staged_detection", columns, path, detections.count, (to, row, detection) => {
    const at = detection * 3;
    const codes = detections.words[at + 2] ?? 0;
    to.detection[row] = detection;
    to.host[row] = detections.words[at] ?? 0;
    setWide(to.detectedAt, row, (detections.words[at + 1] ?? 0) * 1_000_000);
    to.category[row] = codes >>> 8;
    to.activity[row] = codes & 0xff;
  });
}

async function stageMarks(connection: DuckDBConnection, marks: MarkTable, path: CopyPath): Promise<void> {
  const columns = { mark: wordColumn(), host: wordColumn(), kind: octetColumn(), option: textColumn() };
  await stage(connection, "staged_mark", columns, path, marks.count, (to, row, mark) => {
    to.mark[row] = mark;
    to.host[row] = marks.host(mark);
    to.kind[row] = marks.kind(mark);
    to.option[row] = new DuckDBBlobValue(marks.option(mark));
  });
}

async function stageFlows(
  connection: DuckDBConnection,
  { flows, hosts, flowKey }: Dictionaries,
  path: CopyPath,
): Promise<void> {
  const columns = {
    flow: wordColumn(),
    flowKey: wideColumn(),
    tupleKey: wideColumn(),
    host: wordColumn(),
    peer: wordColumn(),
    protocol: octetColumn(),
    hostPort: shortColumn(),
    peerPort: shortColumn(),
    firstSeen: wideColumn(),
    lastSeen: wideColumn(),
    markedPackets: wordColumn(),
    markedOctets: wideColumn(),
    replyPackets: wordColumn(),
    replyOctets: wideColumn(),
    acknowledgedOctets: wideColumn(),
    established: octetColumn(),
    establishedAt: wideColumn(),
    passed: octetColumn(),
    passedAt: wideColumn(),
  };
  const { words, coldWords: coldRows, coldDoubles } = flows;
  await stage(connection, "staged_flow", columns, path, flows.count, (to, row, flow) => {
    const at = flow * hotWords;
    const coldAt = flow * coldWords;
    const coldTime = (place: number): number => coldDoubles[(coldAt >> 1) + place] ?? 0;
    const host = coldRows[coldAt + cold.host] ?? 0;
    const peer = coldRows[coldAt + cold.peer] ?? 0;
    const ports = words[at + hot.ports] ?? 0;
    const flags = words[at + hot.flags] ?? 0;
    const protocol = flags >>> 20;
    const firstSeen = coldTime(coldDouble.firstSeen);
    to.flow[row] = flow;
    to.host[row] = host;
    to.peer[row] = peer;
    to.protocol[row] = protocol;
    to.hostPort[row] = ports >>> 16;
    to.peerPort[row] = ports & 0xffff;
    setWide(to.firstSeen, row, firstSeen);
    setWide(to.lastSeen, row, coldTime(coldDouble.lastSeen));
    to.markedPackets[row] = coldRows[coldAt + cold.markedPackets] ?? 0;
    setWide(to.markedOctets, row, coldTime(coldDouble.markedOctets));
    to.replyPackets[row] = coldRows[coldAt + cold.replyPackets] ?? 0;
    setWide(to.replyOctets, row, coldTime(coldDouble.replyOctets));
    setWide(to.acknowledgedOctets, row, coldTime(coldDouble.acknowledgedOctets));
    to.established[row] = (flags & flowFlags.established) === 0 ? 0 : 1;
    setWide(to.establishedAt, row, coldTime(coldDouble.establishedAt));
    to.passed[row] = (flags & flowFlags.passed) === 0 ? 0 : 1;
    setWide(to.passedAt, row, coldTime(coldDouble.passedAt));
    addTuple(flowKey, hosts, host, peer, ports, protocol);
    flowKey.digest();
    to.tupleKey[row * 2] = flowKey.low;
    to.tupleKey[row * 2 + 1] = flowKey.high;
    // Without its SYN a flow is told apart by the minute in which it was first seen.
    const knowsSyn = (flags & flowFlags.knowsFirstSyn) !== 0;
    flowKey.add(knowsSyn ? 1 : 0);
    flowKey.add(knowsSyn ? (coldRows[coldAt + cold.firstSyn] ?? 0) : minuteOf(firstSeen));
    flowKey.digest();
    to.flowKey[row * 2] = flowKey.low;
    to.flowKey[row * 2 + 1] = flowKey.high;
  });
}

async function stagePrefixes(
  connection: DuckDBConnection,
  prefixes: EnforcementPrefixes,
  path: CopyPath,
): Promise<void> {
  const columns = { prefix: wordColumn(), verdict: textColumn(), rule: textColumn() };
  const { list } = prefixes;
  await stage(connection, "staged_prefix", columns, path, list.length, (to, row, index) => {
    to.prefix[row] = index;
    to.verdict[row] = list[index]?.verdict ?? null;
    to.rule[row] = list[index]?.rule ?? null;
  });
}

async function stageNames(
  connection: DuckDBConnection,
  names: ReadonlyMap<string, string>,
  path: CopyPath,
): Promise<void> {
  const entries = [...names];
  const columns = { address: textColumn(), name: textColumn() };
  await stage(connection, "staged_name", columns, path, entries.length, (to, row, index) => {
    const [address, name] = entries[index] ?? ["", ""];
    to.address[row] = address;
    to.name[row] = name;
  });
}
