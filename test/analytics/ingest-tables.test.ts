/** The dictionaries and sums that a walk fills: they grow, they keep apart what differs, and they never forget. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AddressFilter } from "../../analytics/ingest/address-filter.ts";
import {
  ColumnAppender,
  chunkRows,
  octetColumn,
  wordColumn,
} from "../../analytics/ingest/column-appender.ts";
import { FlowKey } from "../../analytics/ingest/flow-key.ts";
import { FlowTable } from "../../analytics/ingest/flow-table.ts";
import { FlowTuple } from "../../analytics/ingest/flow-tuple.ts";
import { parsePrefix } from "../../analytics/ingest/enforcement-prefix.ts";
import { none } from "../../analytics/ingest/hash-slots.ts";
import { HostTable } from "../../analytics/ingest/host-table.ts";
import { MinuteSums } from "../../analytics/ingest/minute-rows.ts";
import { drawSecrets } from "../../analytics/ingest/secrets.ts";
import { isAcknowledged, outside, progress } from "../../analytics/ingest/sequence-space.ts";
import { WalkMemory } from "../../analytics/ingest/walk-memory.ts";
import { segment, TestDatabase } from "./ingest-support.ts";

const secrets = drawSecrets("a test");
let memory: WalkMemory;
beforeEach(() => {
  memory = new WalkMemory();
});

describe("hosts", () => {
  test("100,000 addresses get 100,000 dense ids, and the same ones again", () => {
    const hosts = new HostTable(secrets, memory);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 100_000; index++) {
        memory.nextTurn();
        expect(hosts.intern(0x20010db8, 0, index & 7, index)).toBe(index);
      }
    }
    expect(hosts.text(0x1_0003)).toBe("2001:db8::3:1:3");
  });

  test("the IPv4 address and the IPv6 address of the same low word are two hosts", () => {
    const hosts = new HostTable(secrets, memory);
    hosts.intern(0, 0, 0xffff, 0xc0000201);
    expect(hosts.intern(0, 0, 0, 0xc0000201)).toBe(1);
    expect([hosts.text(0), hosts.text(1)]).toEqual(["192.0.2.1", "::c000:201"]);
  });
});

describe("flows", () => {
  test("IPv6 flows whose addresses differ in upper words only are different flows", () => {
    const flows = new FlowTable(new HostTable(secrets, memory), secrets, memory);
    const tuple = new FlowTuple();
    const view = new DataView(new ArrayBuffer(40));
    const ids = Array.from({ length: 1000 }, (_, index) => {
      view.setUint32(8, index);
      tuple.readSent(view, 0, 6, 1, 6);
      const known = flows.find(tuple);
      return known === none ? flows.add(tuple) : known;
    });
    expect(new Set(ids).size).toBe(1000);
    view.setUint32(8, 500);
    tuple.readSent(view, 0, 6, 1, 6);
    expect(flows.find(tuple)).toBe(500);
  });

  test("a packet back finds the flow of the packet there", () => {
    const flows = new FlowTable(new HostTable(secrets, memory), secrets, memory);
    const view = new DataView(new ArrayBuffer(40));
    view.setUint32(12, 0xf0000001);
    view.setUint32(16, 0x0a000001);
    const there = new FlowTuple();
    there.readSent(view, 0, 4, 0xfff1_0050 | 0, 6);
    const flow = flows.add(there);
    view.setUint32(12, 0x0a000001);
    view.setUint32(16, 0xf0000001);
    const back = new FlowTuple();
    back.readReceived(view, 0, 4, 0x0050_fff1 | 0, 6);
    expect(flows.find(back)).toBe(flow);
  });
});

test("the filter of flagged addresses never says no to one of them, however many they are", () => {
  const filter = new AddressFilter();
  const hash = (index: number): number => Math.imul(index, 0x9e3779b1);
  for (let index = 0; index < 50_000; index++) {
    filter.enter(hash(index));
    filter.enter(hash(index));
    if (index === 10_000) expect(filter.count).toBe(10_001);
  }
  for (let index = 0; index < 50_000; index++) expect(filter.has(hash(index))).toBe(true);
});

test("flow keys are HalfSipHash-2-4 with 64 bits", () => {
  // Key 00 01 ... 07 and no input: the first of the reference code's 64-bit vectors.
  const key = new FlowKey({ ...secrets, flowKeyHigh: 0x03020100, flowKeyLow: 0x07060504 });
  key.begin();
  key.digest();
  const octets = new DataView(new ArrayBuffer(8));
  octets.setUint32(0, key.low, true);
  octets.setUint32(4, key.high, true);
  expect(Buffer.from(octets.buffer).toString("hex")).toBe("218d1f59b9b83cc8");
});

describe("sequence numbers", () => {
  test("progress is counted modulo 2^32", () => {
    expect(progress(0xfffffff0, 0x10)).toBe(0x20);
    expect(progress(0x10, 0xfffffff0)).toBe(0);
    expect(progress(0, 0x7fffffff)).toBe(outside);
    expect(progress(0, 0x90000000)).toBe(outside);
  });

  test("an acknowledgment counts from behind the first number to the next one", () => {
    expect(isAcknowledged(1001, 1, 1001)).toBe(true);
    expect(isAcknowledged(1001, 1, 1000)).toBe(false);
    expect(isAcknowledged(1001, 1, 1002)).toBe(false);
    expect(isAcknowledged(5, 10, 0xfffffffc)).toBe(true);
    expect(isAcknowledged(5, 10, 0xfffffffb)).toBe(false);
    expect(isAcknowledged(1001, 0, 1001)).toBe(false);
  });
});

test("sums per minute hold more octets than 32 bits, and every series its own", () => {
  const rows: number[][] = [];
  const sums = new MinuteSums(new WalkMemory(), (...row) => rows.push(row));
  sums.add(0, 1, 5, 9, 1, 0xffffffff);
  sums.add(0, 1, 3, 7, 1, 0xffffffff);
  sums.add(70_000, 2, 0, 0, 1, 1);
  sums.add(0, 2, 1, 1, 1, 1);
  sums.finish();
  expect(rows).toEqual([
    [0, 1, 60_000_003, 60_000_009, 2, 0x1_ffff_fffe],
    [0, 2, 120_000_001, 120_000_001, 1, 1],
    [70_000, 2, 120_000_000, 120_000_000, 1, 1],
  ]);
});

test("NFLOG prefixes", () => {
  expect(parsePrefix("tattle:drop")).toEqual({ verdict: "drop", rule: null });
  expect(parsePrefix("tattle:alter:a b")).toEqual({ verdict: "alter", rule: "a b" });
  expect(parsePrefix("tattle:strip:")).toEqual({ verdict: "strip", rule: null });
  for (const foreign of ["", "tattle", "tattle:", "tattle:DROP", "xtattle:drop", "tattle:drops"]) {
    expect(parsePrefix(foreign), foreign).toBeUndefined();
  }
});

describe("the column appender", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await TestDatabase.open();
  });
  afterEach(() => database.close());

  test("refuses arrays that are not as wide or as long as a chunk of the table's column", async () => {
    const create = (columns: Record<string, Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>) =>
      database.database.write(async ({ connection }) => {
        await connection.run("CREATE TEMP TABLE narrow (a UINTEGER, b UTINYINT)");
        await ColumnAppender.create(connection, "narrow", columns, "memory");
      });
    await expect(create({ a: wordColumn() })).rejects.toThrow("narrow has 2 columns, got 1");
    await expect(create({ a: octetColumn(), b: octetColumn() })).rejects.toThrow(
      "narrow, column 0 (UINTEGER): a chunk takes 8192 octets, the array has 2048",
    );
    await expect(create({ a: new Uint32Array(chunkRows - 1), b: octetColumn() })).rejects.toThrow("8188");
  });

  test("refuses a type that it does not know as octets", async () => {
    const attempt = database.database.write(async ({ connection }) => {
      await connection.run("CREATE TEMP TABLE wide (a HUGEINT)");
      await ColumnAppender.create(connection, "wide", { a: wordColumn() }, "memory");
    });
    await expect(attempt).rejects.toThrow("wide, column 0 (HUGEINT)");
  });
});

test("10,000 flagged hosts with 3 records each, and their replies, are all there", async () => {
  const database = await TestDatabase.open();
  const frames = Array.from({ length: 10_000 }, (_, index) => {
    const from = `10.1.${index >> 8}.${index & 255}:${2000 + index}`;
    const to = `192.0.2.${index % 200}:80`;
    const marks = [1, 2, 3].map((activity) => ({ detectedAt: 1_767_225_000 + index, category: 1, activity }));
    return [
      segment({ from, to, marks, flags: "S", sequence: index }),
      segment({ from: to, to: from, flags: "SA", sequence: 9, acknowledgment: index + 1 }),
      segment({ from, to, marks, sequence: index + 1, acknowledgment: 10 }),
    ];
  }).flat();
  await database.ingest(frames);
  expect(
    await database.rows(`SELECT (SELECT count(*) FROM host), (SELECT count(*) FROM detection), (SELECT count(*) FROM mark),
      (SELECT count(*) FROM flow_seen WHERE established AND reply_packets = 1 AND marked_packets = 2),
      (SELECT count(*) FROM pair), (SELECT sum(peers) FROM peer_minute), (SELECT count(*) FROM sighting)`),
  ).toEqual(["10200 30000 10000 10000 10000 10000 20000"]);
  await database.close();
});
