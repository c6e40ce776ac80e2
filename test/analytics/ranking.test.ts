/** The ranking of docs/explanation/ranking.md: SQL against an independent reading of the page, and its promises. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import type { Database } from "../../analytics/database.ts";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import type { RankedHost } from "../../analytics/store.ts";
import { findActivity, findCategory } from "../../wire/code-book.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { expectedScore, storeModel } from "../support/evidence-model.ts";
import type { ModelDetection, ModelFlow, ModelHost, Weights } from "../support/evidence-model.ts";

const book = parseCodeBook(codeBookJson, "code-book.json");
const severityWeights = { info: 0.05, low: 0.2, medium: 0.5, high: 0.8, critical: 0.95 };
const weights: Weights = {
  severity: (category, activity) =>
    severityWeights[findActivity(book, category, activity)?.severity ?? "medium"],
  halfLifeHours: (category) => findCategory(book, category)?.halfLifeHours ?? 6,
};

const asOf = 1_773_770_400;
const hour = 3600;

/** Unless a test says otherwise: one critical detection, seen a moment ago on an established flow. */
function host(changes: Partial<ModelHost> = {}): ModelHost {
  return { weight: 1, detections: [detection()], flows: [], peers: [], ...changes };
}

function detection(changes: Partial<ModelDetection> = {}): ModelDetection {
  return {
    detectedAt: asOf - 2 * hour,
    category: 5,
    activity: 1,
    sights: [{ time: asOf, trust: "established" }],
    ...changes,
  };
}

const passedFlow: ModelFlow = { passed: [asOf - 600], drops: [] };
const droppedFlow: ModelFlow = { passed: [], drops: [asOf - 600] };

let database: Database;

beforeAll(async () => {
  database = await openDatabase(":memory:");
  await database.write(({ connection }) => loadCodeBook(connection, book));
});

afterAll(async () => {
  await database.close();
});

async function rank(hosts: readonly ModelHost[], at = asOf): Promise<Map<string, RankedHost>> {
  await database.write(({ connection }) => storeModel(connection, hosts));
  const { ranked } = await database.read((connection) => rankHosts(connection, at));
  return new Map(ranked.map((entry) => [entry.address, entry]));
}

async function score(one: ModelHost, at = asOf): Promise<number> {
  return (await rank([one], at)).get("10.0.0.1")?.score ?? Number.NaN;
}

const time = fc.integer({ min: asOf - 30 * hour, max: asOf + 3 * hour });
const randomHost: fc.Arbitrary<ModelHost> = fc.record({
  weight: fc.constantFrom(0.5, 1, 2),
  detections: fc.array(
    fc.record({
      detectedAt: fc.integer({ min: asOf - 100 * hour, max: asOf + hour }),
      category: fc.constantFrom(1, 2, 4, 5, 6, 200),
      activity: fc.integer({ min: 1, max: 6 }),
      sights: fc.array(
        fc.record({
          time,
          trust: fc.constantFrom("lone", "established", "verified", "implausible", "invalid"),
        }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  flows: fc.array(
    fc.record({ passed: fc.array(time, { maxLength: 3 }), drops: fc.array(time, { maxLength: 2 }) }),
    { maxLength: 5 },
  ),
  peers: fc.array(time, { maxLength: 6 }),
});

describe("the score", () => {
  it("is what the documentation says, for any evidence and any moment", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(randomHost, { minLength: 1, maxLength: 4 }), time, async (hosts, at) => {
        const ranked = await rank(hosts, at);
        for (const [index, one] of hosts.entries()) {
          const expected = expectedScore(one, at, weights);
          const found = ranked.get(`10.0.0.${index + 1}`)?.score;
          if (expected === undefined) expect(found).toBeUndefined();
          else expect(found).toBeCloseTo(expected, 9);
        }
      }),
      { numRuns: 60, seed: 20_261_122 },
    );
  });

  it("is explained to the last point: the steps of the waterfall sum to it", async () => {
    await fc.assert(
      fc.asyncProperty(randomHost, async (one) => {
        for (const entry of (await rank([one])).values()) {
          const sum = entry.terms.reduce((total, term) => total + term.points, 0);
          expect(sum).toBeCloseTo(entry.score, 9);
        }
      }),
      { numRuns: 20, seed: 7 },
    );
  });

  it("of a command-and-control host seen just now, nothing passed: p 0.57, dwell of two hours", async () => {
    // ln(.57/.43) = 0.2819, 0.05 log2(1 + 2) = 0.0792
    expect(await score(host())).toBeCloseTo(58.93, 2);
  });

  it("halves p in every half-life", async () => {
    const p = async (hoursAgo: number): Promise<number> => {
      const sights = [{ time: asOf - hoursAgo * hour, trust: "verified" as const }];
      const ranked = await rank([host({ detections: [detection({ sights })] })]);
      return ranked.get("10.0.0.1")?.detections[0]?.probability ?? Number.NaN;
    };
    expect(await p(0)).toBeCloseTo(0.95, 12);
    expect(await p(6)).toBeCloseTo(0.475, 12);
    expect(await p(12)).toBeCloseTo(0.2375, 12);
  });

  it("never falls with a graver activity, a flow that passed, a peer, or one more sight that counts", async () => {
    // Of one category, so of one half-life; from info to critical.
    const bySeverity = [6, 1, 2, 3];
    const graver = (one: ModelHost, step: number): ModelHost => ({
      ...one,
      detections: one.detections.map((entry, index) => ({
        ...entry,
        category: 4,
        activity: bySeverity[index === 0 ? Math.min(step, 3) : entry.activity % 4] ?? 6,
      })),
    });
    const sight = { time: asOf - 60, trust: "lone" as const };
    await fc.assert(
      fc.asyncProperty(randomHost, fc.integer({ min: 0, max: 2 }), async (random, step) => {
        // Lone or better: something that ranks, whatever was drawn.
        const [first = detection(), ...others] = random.detections;
        const ranks = { ...first, sights: [...first.sights, sight] };
        const one = graver({ ...random, detections: [ranks, ...others] }, step);
        const [flagged = detection(), ...rest] = one.detections;
        const seenAgain = { ...flagged, sights: [...flagged.sights, { ...sight, time: asOf }] };
        const more = [
          graver(one, step + 1),
          { ...one, flows: [...one.flows, passedFlow] },
          { ...one, peers: [...one.peers, asOf - 60] },
          { ...one, detections: [seenAgain, ...rest] },
          { ...one, detections: [...one.detections, detection({ detectedAt: asOf, sights: [sight] })] },
        ];
        const ranked = await rank([one, ...more]);
        const base = ranked.get("10.0.0.1")?.score ?? Number.NaN;
        for (let index = 2; index <= more.length + 1; index++) {
          expect(ranked.get(`10.0.0.${index}`)?.score).toBeGreaterThanOrEqual(base - 1e-9);
        }
      }),
      { numRuns: 40, seed: 11 },
    );
  });

  it("grows with severity", async () => {
    const activities = [
      { category: 4, activity: 6 },
      { category: 4, activity: 1 },
      { category: 4, activity: 2 },
      { category: 4, activity: 3 },
    ];
    const scores: number[] = [];
    for (const codes of activities) scores.push(await score(host({ detections: [detection(codes)] })));
    expect(scores).toEqual(scores.toSorted((one, other) => one - other));
    expect(new Set(scores).size).toBe(4);
  });

  it("grows with every flow that passed", async () => {
    const flows = (count: number): ModelFlow[] => Array.from({ length: count }, () => passedFlow);
    const none = await score(host());
    const one = await score(host({ flows: flows(1) }));
    const three = await score(host({ flows: flows(3) }));
    expect(none).toBeLessThan(one);
    expect(one).toBeLessThan(three);
  });

  it("counts a drop up to as-of itself, and none of the seconds after it", async () => {
    const flow = (drop: number): ModelFlow => ({ passed: [asOf - 60], drops: [drop] });
    expect((await rank([host({ flows: [flow(asOf)] })])).get("10.0.0.1")?.contained).toBe(true);
    expect((await rank([host({ flows: [flow(asOf + 1)] })])).get("10.0.0.1")).toMatchObject({
      contained: false,
      flowsPassed: 1,
      flowsStopped: 0,
    });
  });

  it("does not change when the same sight is recorded again", async () => {
    const sights = [{ time: asOf - 60, trust: "established" as const }];
    const once = await score(host({ detections: [detection({ sights })] }));
    const twice = await score(host({ detections: [detection({ sights: [...sights, ...sights] })] }));
    expect(twice).toBe(once);
  });

  it("forgets flows that passed more than an hour ago", async () => {
    const old = { passed: [asOf - 61 * 60], drops: [] };
    expect(await score(host({ flows: [old] }))).toBe(await score(host()));
  });

  it("takes in the whole minute that as-of names, and nothing later", async () => {
    const later = { passed: [asOf + 60], drops: [] };
    expect(await score(host({ flows: [later] }))).toBe(await score(host()));
    const atEnd = { time: asOf + 59, trust: "established" as const };
    expect(await score(host({ detections: [detection({ sights: [atEnd] })] }))).toBe(await score(host()));
  });
});

describe("containment", () => {
  it("takes two off the log-odds when every flow of the last hour was stopped", async () => {
    const ranked = await rank([host({ flows: [droppedFlow, droppedFlow] })]);
    expect(ranked.get("10.0.0.1")).toMatchObject({ contained: true, flowsStopped: 2, flowsPassed: 0 });
    expect(await score(host({ flows: [droppedFlow] }))).toBeLessThan(await score(host()));
  });

  it("ends with the first flow that passes", async () => {
    const ranked = await rank([host({ flows: [droppedFlow, passedFlow] })]);
    expect(ranked.get("10.0.0.1")).toMatchObject({ contained: false, flowsStopped: 1, flowsPassed: 1 });
  });

  it("holds for a flow that passed before it was stopped, and not for one that passed after", async () => {
    const stoppedLater = { passed: [asOf - 1200], drops: [asOf - 600] };
    const passedAfter = { passed: [asOf - 600], drops: [asOf - 1200] };
    expect((await rank([host({ flows: [stoppedLater] })])).get("10.0.0.1")?.contained).toBe(true);
    expect((await rank([host({ flows: [passedAfter] })])).get("10.0.0.1")?.contained).toBe(false);
  });
});

describe("nobody is accused by forged packets", () => {
  it("leaves a host of 1,000 lone detections below 40: only the strongest counts", async () => {
    const detections = Array.from({ length: 1000 }, (_, index) =>
      detection({
        detectedAt: asOf - index,
        category: 5,
        activity: 1,
        sights: [{ time: asOf, trust: "lone" }],
      }),
    );
    const forged = await rank([host({ detections })]);
    expect(forged.get("10.0.0.1")?.score).toBeLessThan(40);
    const single = await score(host({ detections: detections.slice(-1) }));
    expect(forged.get("10.0.0.1")?.score).toBeCloseTo(single, 9);
  });

  it("lone packets do not keep an established detection alive", async () => {
    const old = { time: asOf - 48 * hour, trust: "established" as const };
    const fresh = { time: asOf, trust: "lone" as const };
    const ranked = await rank([host({ detections: [detection({ sights: [old, fresh] })] })]);
    // 0.95 x 0.2 from the lone packet; 0.95 x 0.6 x 2^-8 from the established one.
    expect(ranked.get("10.0.0.1")?.detections[0]?.probability).toBeCloseTo(0.19, 12);
  });

  it("lone packets lift one detection, not all of those that had evidence once", async () => {
    const old = { time: asOf - 96 * hour, trust: "established" as const };
    const fresh = { time: asOf, trust: "lone" as const };
    const many = (sights: ModelDetection["sights"]): ModelHost =>
      host({
        detections: Array.from({ length: 50 }, (_, index) =>
          detection({ detectedAt: asOf - 97 * hour + index, sights }),
        ),
      });
    expect(await score(many([old]))).toBeLessThan(5);
    expect(await score(many([old, fresh]))).toBeLessThan(25);
  });

  it("stays below 40 for the most important host and a forged detection of ten years ago", async () => {
    const sights = [{ time: asOf, trust: "lone" as const }];
    const ancient = detection({ detectedAt: asOf - 87_000 * hour, sights });
    const forged = await rank([host({ weight: 2, detections: [ancient] })]);
    expect(forged.get("10.0.0.1")?.score).toBeLessThan(40);
    expect(forged.get("10.0.0.1")?.terms.find((term) => term.name === "dwell")?.value).toBe(0);
  });

  it("a mark that does not verify, or of the future, makes nothing look fresh", async () => {
    const seen = { time: asOf - 48 * hour, trust: "verified" as const };
    const invalid = { time: asOf, trust: "invalid" as const };
    const implausible = { time: asOf, trust: "implausible" as const };
    const [one] = (
      await rank([host({ detections: [detection({ sights: [seen, invalid, implausible] })] })])
    ).values();
    expect(one?.lastSeen).toBe(asOf - 48 * hour);
    expect(one?.detections[0]?.lastSeen).toBe(asOf - 48 * hour);
  });

  it("lists, but does not rank, a host whose detections are all implausible", async () => {
    const sights = [{ time: asOf, trust: "implausible" as const }];
    await database.write(({ connection }) =>
      storeModel(connection, [host({ detections: [detection({ sights })] })]),
    );
    const { ranked, unranked } = await database.read((connection) => rankHosts(connection, asOf));
    expect(ranked).toEqual([]);
    expect(unranked).toMatchObject([{ address: "10.0.0.1", reason: "implausible" }]);
  });
});
