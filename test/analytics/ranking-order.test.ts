/** Bands, the waterfall, and the orders of ranked hosts. */
import { describe, expect, it } from "vitest";
import { inOrder } from "../support/ranking-order.ts";
import { bandOf, waterfall } from "../../analytics/ranking/score.ts";
import type { RankedDetection, RankedHost, SortKey } from "../../analytics/store.ts";

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

  it("by activity: severity first, then the code; what does not count does not", () => {
    const flagged = (address: string, ...found: Partial<RankedDetection>[]): RankedHost =>
      base(address, { detections: found.map((fields) => ({ ...lowScan, ...fields })) });
    const hosts = [
      flagged("low", {}),
      flagged("high 6/1", { severity: "high", category: 6 }),
      flagged("high 1/9", { severity: "high", category: 1, activity: 9 }, {}),
      flagged("low too", { activity: 2 }, { severity: "critical", trust: "implausible" }),
    ];
    expect(order(hosts, "activity")).toEqual(["high 1/9", "high 6/1", "low", "low too"]);
  });
});

const lowScan: RankedDetection = {
  detectionId: 1,
  detectedAt: 0,
  category: 4,
  activity: 1,
  title: "Port scan",
  severity: "low",
  trust: "established",
  firstSeen: 0,
  lastSeen: 0,
  packets: 1,
  probability: 0.1,
};
