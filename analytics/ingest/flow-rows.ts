/** The flows of a walked capture, written straight into their table: they can be as many as the packets. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { setWide } from "./capture-time.ts";
import { nullableWideColumn, octetColumn, shortColumn, wideColumn, wordColumn } from "./column-appender.ts";
import type { CopyPath, NullableColumn } from "./column-appender.ts";
import { writeRows } from "./dictionary-rows.ts";
import type { Dictionaries } from "./dictionary-rows.ts";
import { cold, coldDouble, flowFlags, hot } from "./flow-table.ts";
import { minuteOf } from "./minute-rows.ts";
import type { PagedRows } from "./paged-rows.ts";
import { addTuple } from "./tuple-key.ts";
import type { IdBases } from "./walk-rows.ts";

/** `hostIds`: the database's id of each local host, one word each. */
export async function writeFlows(
  connection: DuckDBConnection,
  dictionaries: Dictionaries,
  hostIds: PagedRows,
  bases: IdBases,
  path: CopyPath,
): Promise<void> {
  const columns = {
    flow: wordColumn(),
    capture: wordColumn().fill(bases.captureId),
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
    establishedAt: nullableWideColumn(),
    passedAt: nullableWideColumn(),
  };
  const { flows, hosts, flowKey, memory } = dictionaries;
  const { words, doubles } = flows;
  await writeRows(connection, "flow_seen", columns, path, flows.count, (to, row, flow) => {
    memory.nextTurn();
    const at = flows.place(flow);
    const coldAt = flows.coldPlace(flow);
    const coldTime = (place: number): number => doubles[(coldAt >> 1) + place] ?? 0;
    const host = words[coldAt + cold.host] ?? 0;
    const peer = words[coldAt + cold.peer] ?? 0;
    const ports = words[at + hot.ports] ?? 0;
    const flags = words[at + hot.flags] ?? 0;
    const protocol = flags >>> 20;
    const firstSeen = coldTime(coldDouble.firstSeen);
    to.flow[row] = bases.lastFlow + 1 + flow;
    to.host[row] = words[hostIds.place(host)] ?? 0;
    to.peer[row] = words[hostIds.place(peer)] ?? 0;
    to.protocol[row] = protocol;
    to.hostPort[row] = ports >>> 16;
    to.peerPort[row] = ports & 0xffff;
    setWide(to.firstSeen, row, firstSeen);
    setWide(to.lastSeen, row, coldTime(coldDouble.lastSeen));
    to.markedPackets[row] = words[coldAt + cold.markedPackets] ?? 0;
    setWide(to.markedOctets, row, coldTime(coldDouble.markedOctets));
    to.replyPackets[row] = words[coldAt + cold.replyPackets] ?? 0;
    setWide(to.replyOctets, row, coldTime(coldDouble.replyOctets));
    setWide(to.acknowledgedOctets, row, coldTime(coldDouble.acknowledgedOctets));
    const isEstablished = (flags & flowFlags.established) !== 0;
    to.established[row] = isEstablished ? 1 : 0;
    setOptional(to.establishedAt, row, isEstablished, coldTime(coldDouble.establishedAt));
    setOptional(to.passedAt, row, (flags & flowFlags.passed) !== 0, coldTime(coldDouble.passedAt));
    addTuple(flowKey, hosts, host, peer, ports, protocol);
    flowKey.digest();
    to.tupleKey[row * 2] = flowKey.low;
    to.tupleKey[row * 2 + 1] = flowKey.high;
    // Without its SYN a flow is told apart by the minute in which it was first seen.
    const knowsSyn = (flags & flowFlags.knowsFirstSyn) !== 0;
    flowKey.add(knowsSyn ? 1 : 0);
    flowKey.add(knowsSyn ? (words[coldAt + cold.firstSyn] ?? 0) : minuteOf(firstSeen));
    flowKey.digest();
    to.flowKey[row * 2] = flowKey.low;
    to.flowKey[row * 2 + 1] = flowKey.high;
  });
}

function setOptional(column: NullableColumn, row: number, isPresent: boolean, value: number): void {
  column.present[row] = isPresent ? 1 : 0;
  setWide(column.values, row, value);
}
