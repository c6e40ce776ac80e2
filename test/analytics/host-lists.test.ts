/** The long lists of a host: whom it reached, whom those reached after that, and its flows, in parts and in order. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { linkTypes } from "../../wire/link-layer.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { conversation, detection, midnight, nflogFrame, segment } from "./ingest-support.ts";
import { TestDatabase, testInterface } from "./ingest-support.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");

let database: TestDatabase;
let store: Store;

beforeEach(async () => {
  database = await TestDatabase.open();
  store = await openLocalStore({ database: database.database, codeBook, clock: () => midnight + 7200 });
});

afterEach(() => store.close());

/** Flagged host 10.0.0.1 to a peer: `sends` octets of payload, 200 come back. */
async function reach(peer: string, at: number, sends = 100, host = "10.0.0.1"): Promise<void> {
  const port = 40_000 + (at % 20_000);
  const frames = conversation({ host: `${host}:${port}`, peer: `${peer}:443`, at, sends });
  await database.ingest(frames, `${host}-${peer}-${at}.pcap`);
}

describe("peers after detection", () => {
  test("are the hosts that answered, with octets both ways and first contact", async () => {
    await reach("192.0.2.9", 0, 100);
    await reach("192.0.2.9", 60, 50);
    const { total, rows } = await store.hostList("peers", "10.0.0.1");
    expect(total).toBe(1);
    expect(rows[0]).toMatchObject({
      address: "192.0.2.9",
      firstContact: midnight + 0.2,
      lastSeen: midnight + 60.5,
      flows: 2,
      flowsPassed: 2,
      acknowledgedOctets: 150,
      packetsStopped: 0,
    });
    // Three packets with 200 octets of payload among them, twice; ours carry an option of 12 octets besides.
    expect(rows[0]?.receivedOctets).toBe(2 * (2 * 40 + 200));
    expect(rows[0]?.sentOctets).toBeGreaterThan(150 + 8 * 40);
  });

  test("are not those that never answered", async () => {
    const syn = { from: "10.0.0.1:40000", to: "192.0.2.9:443", flags: "S", marks: [detection], at: 0 };
    await database.ingest([segment(syn)], "syn.pcap");
    expect(await store.hostList("peers", "10.0.0.1")).toMatchObject({ total: 0, rows: [] });
  });

  test("say what was stopped on the way to them, and which of them are flagged themselves", async () => {
    await reach("10.0.0.2", 0);
    await reach("192.0.2.9", 10, 100, "10.0.0.2");
    const later = segment({
      from: "10.0.0.1:41000",
      to: "10.0.0.2:443",
      flags: "S",
      marks: [detection],
      at: 90,
    });
    const logged = { ...later, octets: nflogFrame("tattle:drop:border", later.octets) };
    await database.ingest([{ ...logged, interface: testInterface(linkTypes.nflog) }], "border.pcap");
    const { rows } = await store.hostList("peers", "10.0.0.1");
    expect(rows[0]).toMatchObject({ packetsStopped: 1, flaggedSince: detection.detectedAt });
  });

  test("come in the order and the part that is asked for", async () => {
    for (const [index, sends] of [300, 100, 200].entries()) await reach(`192.0.2.${index + 1}`, index, sends);
    const addresses = async (query: object): Promise<string[]> =>
      (await store.hostList("peers", "10.0.0.1", query)).rows.map(({ address }) => address);
    expect(await addresses({})).toEqual(["192.0.2.1", "192.0.2.3", "192.0.2.2"]);
    expect(await addresses({ sort: "first-contact" })).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    expect(await addresses({ sort: "last-seen", limit: 1, offset: 1 })).toEqual(["192.0.2.2"]);
    expect((await store.hostList("peers", "10.0.0.1", { limit: 1 })).total).toBe(3);
  });

  test("of later than the moment asked for are not there", async () => {
    await reach("192.0.2.1", 0);
    await reach("192.0.2.2", 600);
    const { rows } = await store.hostList("peers", "10.0.0.1", { asOf: midnight + 300 });
    expect(rows.map(({ address }) => address)).toEqual(["192.0.2.1"]);
  });
});

describe("the second hop", () => {
  test("is whom a flagged peer reached after it was reached, and not before", async () => {
    await reach("192.0.2.1", 0, 100, "10.0.0.2");
    await reach("10.0.0.2", 60);
    await reach("192.0.2.2", 120, 70, "10.0.0.2");
    const { rows, total, reached, followed } = await store.hostList("second-hop", "10.0.0.1");
    expect([total, reached, followed]).toEqual([1, 1, 1]);
    expect(rows).toEqual([
      {
        via: "10.0.0.2",
        address: "192.0.2.2",
        viaContact: midnight + 60.2,
        firstPassed: midnight + 120.4,
        flows: 1,
        acknowledgedOctets: 70,
      },
    ]);
  });

  test("counts the peers that cannot be followed, because they mark nothing", async () => {
    await reach("192.0.2.1", 0);
    await reach("192.0.2.2", 10);
    expect(await store.hostList("second-hop", "10.0.0.1")).toMatchObject({
      total: 0,
      rows: [],
      reached: 2,
      followed: 0,
    });
  });

  test("does not lead back to the host itself", async () => {
    await reach("10.0.0.2", 0);
    await reach("10.0.0.1", 60, 100, "10.0.0.2");
    expect((await store.hostList("second-hop", "10.0.0.1")).rows).toEqual([]);
  });
});

test("flows come in the order and the part that is asked for", async () => {
  for (const [index, sends] of [300, 100, 200].entries())
    await reach(`192.0.2.${index + 1}`, index * 60, sends);
  const acknowledged = async (query: object): Promise<number[]> =>
    (await store.hostList("flows", "10.0.0.1", query)).rows.map((flow) => flow.acknowledgedOctets);
  expect(await acknowledged({})).toEqual([200, 100, 300]);
  expect(await acknowledged({ sort: "acknowledged" })).toEqual([300, 200, 100]);
  expect(await acknowledged({ sort: "acknowledged", offset: 2 })).toEqual([100]);
});

test("a host that is not known has empty lists", async () => {
  expect(await store.hostList("flows", "10.9.9.9")).toMatchObject({ total: 0, rows: [] });
  expect(await store.hostList("second-hop", "10.9.9.9")).toMatchObject({ total: 0, reached: 0 });
});

test("the report has what passed and what was stopped in bins, for the lanes of the timeline", async () => {
  await reach("192.0.2.1", 0);
  await reach("192.0.2.2", 10);
  const later = segment({
    from: "10.0.0.1:41000",
    to: "192.0.2.1:443",
    flags: "S",
    marks: [detection],
    at: 90,
  });
  const logged = { ...later, octets: nflogFrame("tattle:drop:border", later.octets) };
  await database.ingest([{ ...logged, interface: testInterface(linkTypes.nflog) }], "border.pcap");
  const report = await store.host("10.0.0.1");
  expect(report?.lanes).toEqual([
    { lane: "passed", start: midnight, seconds: 60, count: 2 },
    { lane: "stopped", start: midnight + 60, seconds: 60, count: 1 },
  ]);
});
