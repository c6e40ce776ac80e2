/** The store over captures: what it answers, as of when, and that nothing depends on how the evidence came in. */
import type { DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../analytics/database.ts";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { RankedHost, Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { linkTypes } from "../../wire/link-layer.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { conversation, detection, midnight, nflogFrame, segment } from "./ingest-support.ts";
import { TestDatabase, testInterface } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");
const now = midnight + 2 * 3600;
const nflog = testInterface(linkTypes.nflog);

let database: TestDatabase;
let store: Store;

beforeEach(async () => {
  database = await TestDatabase.open();
  store = await openLocalStore({ database: database.database, codeBook, clock: () => now });
});

afterEach(() => store.close());

/** What a border router logged of a packet. */
function logged(prefix: string, frame: TestFrame): TestFrame {
  return { octets: nflogFrame(prefix, frame.octets), time: frame.time, interface: nflog };
}

function syn(at: number, host = "10.0.0.1:40000"): TestFrame {
  return segment({ from: host, to: "192.0.2.9:443", flags: "S", sequence: 1000, marks: [detection], at });
}

async function onlyHost(asOf?: number): Promise<RankedHost> {
  const { hosts } = await store.ranking(asOf === undefined ? {} : { asOf });
  const [host] = hosts;
  if (!host || hosts.length > 1) throw new Error(`expected one host, got ${hosts.length}`);
  return host;
}

describe("as of", () => {
  it("is now where there is no evidence, and says so", async () => {
    expect(await store.ranking()).toMatchObject({
      asOf: now,
      asOfSource: "no evidence",
      total: 0,
      summary: { ranked: 0, unranked: 0 },
      hosts: [],
      unranked: [],
    });
  });

  it("is the newest packet", async () => {
    await database.ingest(conversation({ at: 120 }));
    const { asOf, asOfSource } = await store.ranking();
    expect([asOf, asOfSource]).toEqual([midnight + 120.5, "newest packet"]);
  });

  it("passes over a capture whose packets are more than 300 s later than its ingestion", async () => {
    await database.ingest(conversation({ at: 60 }), "believed.pcap");
    await database.ingest(conversation({ at: 3600 + 301 }), "future.pcap");
    expect(await store.ranking()).toMatchObject({ asOf: midnight + 60.5, asOfSource: "newest packet" });
  });

  it("is the newest packet of a clock that is ahead, where there is no other", async () => {
    await database.ingest(conversation({ at: 3600 + 301 }), "future.pcap");
    const { asOf, asOfSource, hosts } = await store.ranking();
    expect([asOf, asOfSource]).toEqual([midnight + 3901.5, "newest packet"]);
    expect(hosts.map((host) => host.address)).toEqual(["10.0.0.1"]);
  });

  it("is what was asked for, and takes in nothing that came later", async () => {
    await database.ingest([...conversation({ at: 0 }), ...conversation({ host: "10.0.0.2:40000", at: 600 })]);
    const { asOfSource, hosts } = await store.ranking({ asOf: midnight + 300 });
    expect(asOfSource).toBe("asked");
    expect(hosts.map((host) => host.address)).toEqual(["10.0.0.1"]);
    expect((await store.ranking({ asOf: midnight - 60 })).hosts).toEqual([]);
  });

  it("is now while an agent reports, and the newest packet an hour after its last report", async () => {
    await database.ingest([logged("tattle:drop", syn(0))]);
    const report = (at: number): Promise<unknown> =>
      database.database.write(({ connection }) =>
        connection.run(
          "UPDATE enforcement_event SET event_id = 'a', capture_id = NULL, time = make_timestamp($1::BIGINT)",
          [BigInt(at) * 1_000_000n],
        ),
      );
    await report(now - 3599);
    expect(await store.ranking()).toMatchObject({ asOf: now, asOfSource: "now" });
    await report(now - 3601);
    expect(await store.ranking()).toMatchObject({ asOf: midnight, asOfSource: "newest packet" });
    await report(now + 301);
    expect(await store.ranking()).toMatchObject({ asOfSource: "newest packet" });
  });
});

describe("the ranking of captures", () => {
  const captures: readonly (readonly TestFrame[])[] = [
    conversation({ at: 0 }),
    conversation({ host: "10.0.0.1:40001", peer: "192.0.2.10:443", at: 61 }),
    conversation({ host: "10.0.0.2:40000", at: 3500, marks: [{ ...detection, category: 5 }] }),
    [syn(3590, "10.0.0.3:5")],
    [logged("tattle:drop:border", syn(3599))],
  ];

  async function rankingAfter(order: readonly number[]): Promise<unknown> {
    const other = await TestDatabase.open();
    const otherStore = await openLocalStore({ database: other.database, codeBook, clock: () => now });
    for (const index of order) await other.ingest(captures[index] ?? [], `${index}.pcap`);
    const ranking = await otherStore.ranking({ asOf: midnight + 3600 });
    await otherStore.close();
    return ranking.hosts.map(({ score, terms, detections, ...host }) => ({
      ...host,
      score: Number(score.toFixed(9)),
      points: terms.map((term) => Number(term.points.toFixed(9))),
      detections: detections.map((found) => ({ ...found, detectionId: 0 })),
    }));
  }

  it("is the same in whatever order they are ingested, and however often", async () => {
    const expected = await rankingAfter([0, 1, 2, 3, 4]);
    expect(expected).toMatchObject([
      { address: "10.0.0.2", contained: false, flowsPassed: 1, peers: 1 },
      { address: "10.0.0.1", contained: false, flowsPassed: 1, flowsStopped: 1, peers: 2 },
      { address: "10.0.0.3", contained: false, flowsPassed: 0, peers: 0 },
    ]);
    const anyOrder = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 0, maxLength: 4 });
    const orders = fc.tuple(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), anyOrder);
    await fc.assert(
      fc.asyncProperty(orders, async ([order, repeats]) => {
        expect(await rankingAfter([...order, ...repeats])).toEqual(expected);
      }),
      { numRuns: 8, seed: 6 },
    );
  });

  it("does not change when a packet is repeated a hundred times", async () => {
    await database.ingest([...conversation({ at: 0 }), syn(10)], "once.pcap");
    const once = await onlyHost();
    await database.ingest(
      Array.from({ length: 100 }, () => syn(10)),
      "often.pcap",
    );
    const often = await onlyHost();
    expect(often.score).toBeCloseTo(once.score, 9);
    expect(often.markedPackets).toBe(once.markedPackets + 100);
  });

  it("falls while nothing is seen, to the half of p after a half-life", async () => {
    await database.ingest(conversation({ at: 0 }));
    const fresh = await onlyHost(midnight + 0.5);
    const later = await onlyHost(midnight + 12 * 3600 + 0.5);
    // Information leakage has a half-life of 12 hours.
    expect(later.detections[0]?.probability).toBeCloseTo((fresh.detections[0]?.probability ?? 0) / 2, 9);
  });

  it("can be asked for at the duckdb shell, with the same numbers", async () => {
    await database.ingest(conversation({ at: 0 }));
    const { score, band } = await onlyHost();
    const [row = ""] = await database.rows("SELECT score, band FROM ranking_now");
    expect(Number(row.split(" ")[0])).toBeCloseTo(score, 9);
    expect(row.split(" ")[1]).toBe(band);
    expect(await database.rows("SELECT score FROM ranking(TIMESTAMP '2025-12-31')")).toEqual([]);
  });
});

describe("what the operator says of a host", () => {
  it("names it and weighs it, and can be said again", async () => {
    await database.ingest(conversation());
    const plain = await onlyHost();
    await store.setAssets([{ address: "10.0.0.1", name: "till", weight: 2 }]);
    await store.setAssets([{ address: "10.0.0.1", name: "till 2", weight: 2 }]);
    const weighed = await onlyHost();
    expect(weighed).toMatchObject({ name: "till 2", weight: 2 });
    expect(weighed.score).toBeGreaterThan(plain.score);
    await store.setAssets([]);
    expect((await onlyHost()).name).toBeUndefined();
  });

  it("may be a list of 100,000 hosts", async () => {
    await database.ingest(conversation());
    const others = Array.from({ length: 99_999 }, (_, index) => ({
      address: `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      weight: 0.5,
    }));
    await store.setAssets([...others, { address: "10.0.0.1", weight: 2 }]);
    expect((await onlyHost()).weight).toBe(2);
  });
});

describe("a code book", () => {
  it("takes the place of the one before", async () => {
    await database.ingest(conversation());
    expect((await onlyHost()).detections[0]).toMatchObject({ severity: "critical" });
    await openLocalStore({
      database: database.database,
      codeBook: { name: "empty", version: 1, categories: [] },
      clock: () => now,
    });
    expect((await onlyHost()).detections[0]).toMatchObject({
      severity: "medium",
      title: "category 2, activity 1",
    });
    await openLocalStore({ database: database.database, codeBook, clock: () => now });
    expect((await onlyHost()).detections[0]).toMatchObject({ severity: "critical" });
  });
});

describe("the report of a host", () => {
  it("tells what became of each flow", async () => {
    await database.ingest([
      ...conversation({ at: 0 }),
      ...conversation({ host: "10.0.0.1:2", at: 60, sends: 0 }),
      syn(120, "10.0.0.1:3"),
      syn(180, "10.0.0.1:4"),
      logged("tattle:drop:border", syn(180.1, "10.0.0.1:4")),
    ]);
    const report = await store.host("10.0.0.1");
    expect(report?.flows.map((flow) => `${flow.hostPort} ${flow.outcome}`)).toEqual([
      "4 stopped",
      "3 unanswered",
      "2 connected",
      "40000 passed",
    ]);
    expect([report?.flowCount, report?.eventCount]).toEqual([4, 1]);
    expect(report?.events).toEqual([
      {
        time: midnight + 180.1,
        verdict: "drop",
        rule: "border",
        peer: "192.0.2.9",
        hostPort: 4,
        peerPort: 443,
      },
    ]);
    expect(report?.timeline).toEqual([
      { start: midnight, seconds: 60, markedPackets: 4 },
      { start: midnight + 60, seconds: 60, markedPackets: 4 },
      { start: midnight + 120, seconds: 60, markedPackets: 1 },
      { start: midnight + 180, seconds: 60, markedPackets: 2 },
    ]);
  });

  it("knows as of an earlier time what was known then", async () => {
    await database.ingest([
      ...conversation({ at: 0 }),
      logged("tattle:drop", syn(30)),
      ...conversation({ host: "10.0.0.1:2", at: 600 }),
    ]);
    const early = await store.host("10.0.0.1", midnight + 20);
    expect(early?.flows.map((flow) => `${flow.hostPort} ${flow.outcome}`)).toEqual(["40000 passed"]);
    const later = await store.host("10.0.0.1");
    expect(later?.flows.map((flow) => `${flow.hostPort} ${flow.outcome}`)).toEqual([
      "2 passed",
      "40000 stopped",
    ]);
  });

  it("is absent for an address that was never seen with a mark, a peer too", async () => {
    await database.ingest(conversation());
    expect(await store.host("192.0.2.9")).toBeUndefined();
    expect(await store.host("not an address")).toBeUndefined();
  });

  it("of an implausible host says why it is not ranked", async () => {
    await database.ingest([segment({ ...farFuture, flags: "S" })]);
    const report = await store.host("10.0.0.9");
    expect(report?.ranked).toBeUndefined();
    expect(report?.unranked).toMatchObject({ address: "10.0.0.9", reason: "implausible" });
  });
});

const farFuture = {
  from: "10.0.0.9:1",
  to: "192.0.2.9:443",
  marks: [{ ...detection, detectedAt: midnight + 900 }],
};

describe("one moment", () => {
  it("holds for the whole answer, though a capture is committed between two of its queries", async () => {
    await database.ingest(conversation());
    const expected = await onlyHost(now);
    const more = conversation({ host: "10.0.0.1:2", marks: [{ ...detection, activity: 3 }] });
    const interrupted = await openLocalStore({
      database: withEventAfterFirstQuery(database.database, () => database.ingest(more, "more.pcap")),
      codeBook,
      clock: () => now,
    });
    expect((await interrupted.ranking({ asOf: now })).hosts).toEqual([expected]);
    expect(await onlyHost(now)).not.toEqual(expected);
  });
});

/** The database, but something happens as soon as a reader has the answer to its first query. */
function withEventAfterFirstQuery(real: Database, event: () => Promise<unknown>): Database {
  let happened = false;
  const watched = (connection: DuckDBConnection): DuckDBConnection =>
    new Proxy(connection, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return async (...parameters: unknown[]) => {
          const answer: unknown = await Reflect.apply(value, target, parameters);
          if (key === "runAndReadAll" && !happened) {
            happened = true;
            await event();
          }
          return answer;
        };
      },
    });
  return {
    path: real.path,
    get writes() {
      return real.writes;
    },
    failure: real.failure,
    read: (work) => real.read((connection) => work(watched(connection))),
    write: (work) => real.write(work),
    close: () => real.close(),
  };
}
