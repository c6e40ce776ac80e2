/** Answers are remembered while nothing is written, and never given when something was. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AnswerMemory } from "../../analytics/answer-memory.ts";
import type { Database } from "../../analytics/database.ts";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { linkTypes } from "../../wire/link-layer.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import {
  conversation,
  detection,
  midnight,
  nflogFrame,
  segment,
  TestDatabase,
  testInterface,
} from "./ingest-support.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");
const now = midnight + 2 * 3600;
const host = "10.0.0.1";

describe("a memory of answers", () => {
  const one = (): number => 1;
  let asked: string[];
  let memory: AnswerMemory;
  const ask = (question: string, writes: number, rows = 1): Promise<string> =>
    memory.answer(
      question,
      writes,
      () => {
        asked.push(question);
        return Promise.resolve(`${question} after ${writes}`);
      },
      () => rows,
    );
  beforeEach(() => {
    asked = [];
    memory = new AnswerMemory();
  });

  test("asks once for what is asked twice, at the same time or later", async () => {
    expect(await Promise.all([ask("a", 3), ask("a", 3)])).toEqual(["a after 3", "a after 3"]);
    expect(await ask("a", 3)).toBe("a after 3");
    expect(asked).toEqual(["a"]);
  });

  test("forgets when something was written", async () => {
    await ask("a", 3);
    expect(await ask("a", 4)).toBe("a after 4");
  });

  test("does not keep what was asked before a write and comes after it", async () => {
    await ask("a", 4);
    expect(await ask("b", 3)).toBe("b after 3");
    expect(await ask("b", 4)).toBe("b after 4");
  });

  test("does not keep a failure", async () => {
    await expect(memory.answer("a", 1, () => Promise.reject(new Error("no")), one)).rejects.toThrow("no");
    expect(await ask("a", 1)).toBe("a after 1");
  });

  test("lets go of what was asked for longest ago", async () => {
    for (let question = 0; question < 64; question++) await ask(`${question}`, 1);
    await ask("0", 1);
    await ask("64", 1);
    asked = [];
    await ask("0", 1);
    await ask("1", 1);
    expect(asked).toEqual(["1"]);
  });

  test("holds a bounded number of rows, whatever the answers", async () => {
    await ask("small", 1);
    await ask("large", 1, 39_999);
    await ask("another", 1, 2);
    asked = [];
    await ask("another", 1);
    await ask("large", 1, 50_000);
    await ask("large", 1);
    // The first time it was the oldest that had to go; the second time it is more than may be kept at all.
    expect(asked).toEqual(["large", "large"]);
  });

  test("does not keep a question as long as a book", async () => {
    const question = "a".repeat(1001);
    await ask(question, 1);
    await ask(question, 1);
    expect(asked).toHaveLength(2);
  });
});

describe("a store", () => {
  let database: TestDatabase;
  let store: Store;
  let reads: number;
  beforeEach(async () => {
    database = await TestDatabase.open();
    reads = 0;
    store = await openLocalStore({ database: countReads(database.database), codeBook, clock: () => now });
    await database.ingest(conversation({ at: 60 }), "first.pcap");
  });
  afterEach(() => store.close());

  /** The database; whoever reads is counted. */
  function countReads(real: Database): Database {
    return {
      path: real.path,
      failure: real.failure,
      get writes() {
        return real.writes;
      },
      read: (work) => {
        reads++;
        return real.read(work);
      },
      write: (work) => real.write(work),
      close: () => real.close(),
    };
  }

  const questions: readonly [string, (from: Store, asOf?: number) => Promise<unknown>][] = [
    ["the first page", (from, asOf) => from.ranking({ limit: 200, ...at(asOf) })],
    ["a part of it", (from, asOf) => from.ranking({ limit: 1, offset: 1, sort: "peers", ...at(asOf) })],
    ["a filter", (from, asOf) => from.ranking({ limit: 200, filter: "triage:new", ...at(asOf) })],
    ["a host", (from, asOf) => from.host(host, asOf, 50)],
    ["its flows", (from, asOf) => from.hostList("flows", host, at(asOf))],
    ["its peers", (from, asOf) => from.hostList("peers", host, at(asOf))],
    ["the second hop", (from, asOf) => from.hostList("second-hop", host, at(asOf))],
  ];

  function at(asOf: number | undefined): { asOf?: number } {
    return asOf === undefined ? {} : { asOf };
  }

  test.each(questions)(
    "that is asked for %s at a moment twice has read all of it once",
    async (_name, ask) => {
      const answer = await ask(store, now);
      const before = reads;
      expect(await ask(store, now)).toEqual(answer);
      // The moment alone.
      expect(reads - before).toBeLessThanOrEqual(1);
    },
  );

  test("gives other answers to other questions", async () => {
    const answers = [];
    for (const asOf of [undefined, midnight + 61]) {
      for (const [, ask] of questions) answers.push(JSON.stringify(await ask(store, asOf)));
    }
    const fresh = await openLocalStore({ database: database.database, codeBook, clock: () => now });
    const expected = [];
    for (const asOf of [undefined, midnight + 61]) {
      for (const [, ask] of questions) expected.push(JSON.stringify(await ask(fresh, asOf)));
    }
    expect(answers).toEqual(expected);
  });

  const nflog = testInterface(linkTypes.nflog);
  const syn = segment({
    from: `${host}:40000`,
    to: "192.0.2.9:443",
    flags: "S",
    marks: [detection],
    at: 200,
  });
  const changes: readonly [string, () => Promise<unknown>][] = [
    [
      "a capture of another host",
      () => database.ingest(conversation({ host: "10.0.0.2:1", at: 90 }), "2.pcap"),
    ],
    [
      "a capture with another detection",
      () => database.ingest(conversation({ marks: [{ ...detection, activity: 3 }], at: 120 }), "3.pcap"),
    ],
    [
      "a capture of a peer that is flagged, too",
      () =>
        database.ingest(conversation({ host: "192.0.2.9:5000", peer: "192.0.2.77:80", at: 150 }), "4.pcap"),
    ],
    [
      "a capture of a packet that was stopped",
      () =>
        database.ingest(
          [{ octets: nflogFrame("tattle:drop:border", syn.octets), time: syn.time, interface: nflog }],
          "5.pcap",
        ),
    ],
    ["a name and a weight", () => store.setAssets([{ address: host, name: "till 4", weight: 2 }])],
    [
      "a decision",
      () => store.triage.decide({ hosts: { addresses: [host] }, state: "contained", who: "ada" }, now),
    ],
  ];

  test("never gives an answer from before a capture, a name or a decision", async () => {
    for (const [change, make] of changes) {
      const before = [];
      for (const [, ask] of questions) before.push(JSON.stringify(await ask(store, now)));
      await make();
      const known = [];
      const expected = [];
      for (const [name, ask] of questions) known.push([change, name, await ask(store, now)]);
      // Afterwards: a store that is opened writes.
      const fresh = await openLocalStore({ database: database.database, codeBook, clock: () => now });
      for (const [name, ask] of questions) expected.push([change, name, await ask(fresh, now)]);
      expect(known).toEqual(expected);
      expect(known.map(([, , answer]) => JSON.stringify(answer))).not.toEqual(before);
    }
  });

  test("gives the answer from before to whoever asks while a capture is being ingested", async () => {
    const before = await store.ranking({ limit: 200, asOf: now });
    const more = database.ingest(conversation({ host: "10.0.0.2:1", at: 90 }), "2.pcap");
    const meanwhile = await store.ranking({ limit: 200, asOf: now });
    await more;
    expect([1, 2]).toContain(meanwhile.hosts.length);
    expect(before.hosts).toHaveLength(1);
    expect((await store.ranking({ limit: 200, asOf: now })).hosts).toHaveLength(2);
  });
});
