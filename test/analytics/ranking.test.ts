/** The ranking of docs/explanation/ranking.md: SQL against an independent reading of the page, and its promises. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import type { Database } from "../../analytics/database.ts";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { inOrder } from "../../analytics/ranking/order.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import { bandOf, waterfall } from "../../analytics/ranking/score.ts";
import type { RankedHost, SortKey } from "../../analytics/store.ts";
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

describe("bands", () => {
  it.each([
    [100, "critical"],
    [90, "critical"],
    [89.9, "high"],
    [70, "high"],
    [69.9, "moderate"],
    [40, "moderate"],
    [39.9, "low"],
    [20, "low"],
    [19.9, "minimal"],
    [0, "minimal"],
  ])("%d is %s", (value, band) => {
    expect(bandOf(value)).toBe(band);
  });
});

describe("the waterfall", () => {
  it("begins at 0 and adds in the order of the terms", () => {
    const steps = waterfall([
      { name: "detections", value: 0.5, logOdds: 0 },
      { name: "contained", value: 1, logOdds: -2 },
    ]);
    expect(steps.map((step) => Number(step.points.toFixed(3)))).toEqual([50, -38.08]);
  });
});

describe("orders", () => {
  const base = (address: string, changes: Partial<RankedHost>): RankedHost => ({
    address,
    score: 50,
    band: "moderate",
    terms: [],
    detections: [],
    contained: false,
    flowsPassed: 0,
    flowsStopped: 0,
    peers: 0,
    firstSeen: 0,
    lastSeen: 0,
    firstDetected: 0,
    lastDetected: 0,
    markedPackets: 1,
    weight: 1,
    ...changes,
  });
  const order = (hosts: RankedHost[], sort: SortKey): string[] =>
    inOrder(hosts, sort).map((entry) => entry.address);

  it("by score, higher first; equal to a tenth are ties", () => {
    expect(order([base("a", { score: 10 }), base("b", { score: 99 })], "score")).toEqual(["b", "a"]);
    expect(order([base("10.0.0.2", { score: 50.01 }), base("10.0.0.1", { score: 49.99 })], "score")).toEqual([
      "10.0.0.1",
      "10.0.0.2",
    ]);
  });

  it("ties: not contained, then newest last seen, then oldest detection, then address by number", () => {
    const contained = base("10.0.0.1", { contained: true, lastSeen: 9 });
    const older = base("10.0.0.2", { lastSeen: 4 });
    const newer = base("10.0.0.3", { lastSeen: 5 });
    expect(order([contained, older, newer], "score")).toEqual(["10.0.0.3", "10.0.0.2", "10.0.0.1"]);
    expect(order([base("10.0.0.10", {}), base("10.0.0.9", {})], "score")).toEqual(["10.0.0.9", "10.0.0.10"]);
    expect(
      order([base("10.0.0.1", { firstDetected: 8 }), base("10.0.0.2", { firstDetected: 7 })], "score"),
    ).toEqual(["10.0.0.2", "10.0.0.1"]);
  });

  it("by elapsed time in both directions, by last seen, by peers", () => {
    const old = base("old", { firstDetected: 1, lastDetected: 1, lastSeen: 9, peers: 1 });
    const young = base("young", { firstDetected: 5, lastDetected: 5, lastSeen: 6, peers: 3 });
    expect(order([young, old], "elapsed")).toEqual(["old", "young"]);
    expect(order([old, young], "elapsed-asc")).toEqual(["young", "old"]);
    // Flagged first, and again just now: the elapsed time shown is that of the first detection.
    const again = base("again", { firstDetected: 1, lastDetected: 6 });
    expect(order([again, young], "elapsed-asc")).toEqual(["young", "again"]);
    expect(order([young, old], "last-seen")).toEqual(["old", "young"]);
    expect(order([old, young], "peers")).toEqual(["young", "old"]);
  });

  it("by activity: severity first, then the code", async () => {
    const ranked = await rank([
      host({ detections: [detection({ category: 6, activity: 1 })] }),
      host({ detections: [detection({ category: 5, activity: 1 })] }),
      host({ detections: [detection({ category: 1, activity: 1 })] }),
    ]);
    expect(inOrder([...ranked.values()], "activity").map((entry) => entry.address)).toEqual([
      "10.0.0.3",
      "10.0.0.2",
      "10.0.0.1",
    ]);
  });
});
