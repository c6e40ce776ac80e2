/** The ranking in parts: the database sorts, filters, counts and cuts, as the orders and words are written down. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import type { Database } from "../../analytics/database.ts";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import type { HostsAtMoment, RankedPart } from "../../analytics/ranking/rank-hosts.ts";
import { sortKeys } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { storeModel } from "../support/evidence-model.ts";
import type { ModelHost } from "../support/evidence-model.ts";
import { summarize } from "../support/fake-store.ts";
import { inOrder } from "../support/ranking-order.ts";

const book = parseCodeBook(codeBookJson, "code-book.json");
const asOf = 1_773_770_400;
const hour = 3600;

let database: Database;

beforeAll(async () => {
  database = await openDatabase(":memory:");
  await database.write(({ connection }) => loadCodeBook(connection, book));
});

afterAll(() => database.close());

async function store(hosts: readonly ModelHost[]): Promise<void> {
  await database.write(({ connection }) => storeModel(connection, hosts));
}

function rank(part: RankedPart = {}): Promise<HostsAtMoment> {
  return database.read((connection) => rankHosts(connection, asOf, part));
}

/** Few values of each, so that there are ties of every kind. */
const randomHost: fc.Arbitrary<ModelHost> = fc.record({
  weight: fc.constantFrom(0.5, 1, 2),
  detections: fc.array(
    fc.record({
      detectedAt: fc.constantFrom(asOf - 30 * hour, asOf - 2 * hour),
      category: fc.constantFrom(1, 2, 5),
      activity: fc.constantFrom(1, 2, 99),
      sights: fc.array(
        fc.record({
          time: fc.constantFrom(asOf - 5 * hour, asOf - 60),
          trust: fc.constantFrom("lone", "established", "verified", "implausible"),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  flows: fc.array(fc.constantFrom({ passed: [asOf - 600], drops: [] }, { passed: [], drops: [asOf - 600] }), {
    maxLength: 2,
  }),
  peers: fc.constantFrom([], [asOf - hour]),
});

test("every order is the one that is written down, ties included, and its parts join up to it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(randomHost, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...sortKeys),
      async (hosts, sort) => {
        await store(hosts);
        const all = await rank({ sort });
        expect(all.ranked.map(({ address }) => address)).toEqual(
          inOrder(all.ranked, sort).map(({ address }) => address),
        );
        const first = await rank({ sort, limit: 3 });
        const rest = await rank({ sort, limit: 1000, offset: 3 });
        expect([...first.ranked, ...rest.ranked]).toEqual(all.ranked);
        expect(first.fitting).toBe(all.ranked.length);
        expect(all.summary).toEqual(summarize(all.ranked, all.unranked.length));
        expect(first.summary).toEqual(all.summary);
      },
    ),
    { numRuns: 20 },
  );
});

describe("the filter", () => {
  const seen = (category: number, activity: number): ModelHost["detections"] => [
    { detectedAt: asOf - hour, category, activity, sights: [{ time: asOf - 60, trust: "established" }] },
  ];
  const host = (changes: Partial<ModelHost>): ModelHost => ({
    weight: 1,
    detections: seen(5, 1),
    flows: [],
    peers: [],
    ...changes,
  });
  const passed = { passed: [asOf - 600], drops: [] };
  const dropped = { passed: [], drops: [asOf - 600] };

  async function fitting(filter: string): Promise<string[]> {
    return (await rank({ filter })).ranked.map(({ address }) => address).toSorted();
  }

  beforeAll(() =>
    store([
      host({}),
      host({ flows: [dropped] }),
      host({ flows: [dropped, passed] }),
      host({ detections: seen(2, 1) }),
    ]),
  );

  test.each([
    ["", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]],
    ["command", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]],
    ["COMMAND  contained", ["10.0.0.2"]],
    ["blocked", ["10.0.0.3"]],
    ["t1071 active", ["10.0.0.1", "10.0.0.3"]],
    ["sharing", ["10.0.0.4"]],
    ["10.0.0.4", ["10.0.0.4"]],
    ["established", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]],
    ["nothing like it", []],
    ["%", []],
    ["'; DROP TABLE host; --", []],
  ])("%j", async (filter, addresses) => {
    expect(await fitting(filter)).toEqual(addresses);
  });

  test("counts what fits apart from all", async () => {
    const { fitting: fits, summary, ranked } = await rank({ filter: "command", limit: 1 });
    expect([fits, summary.ranked, ranked.length]).toEqual([3, 4, 1]);
    const none = await rank({ filter: "nothing" });
    expect([none.fitting, none.summary.ranked]).toEqual([0, 4]);
  });
});

test("where nobody was flagged everything is zero", async () => {
  await store([]);
  const { ranked, unranked, fitting, summary } = await rank();
  expect([ranked, unranked, fitting, summary.ranked, summary.bands.critical]).toEqual([[], [], 0, 0, 0]);
});
