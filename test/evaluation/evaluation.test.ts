/** The simulation that judges rankings: its measure, that it can be repeated, and a small slice of its result. */
import { describe, expect, test } from "vitest";
import { defaultCodeBook } from "../support/tshark.ts";
import { judgeRankings } from "./evaluate.ts";
import { ndcgOfTen } from "./ndcg.ts";
import { ratio } from "./report.ts";
import { harmBetween, simulateHosts, usualWorld, worldStart } from "./world.ts";

describe("NDCG of the first ten", () => {
  test.each([
    ["the best order", [3, 2, 1], [1, 2, 3], 1],
    // (2 + 3 / log2(3)) / (3 + 2 / log2(3))
    ["the first two in each other's place", [2, 3], [2, 3], 0.9134],
    ["a host that is in no list", [1], [1, 3], 0.2754],
    ["an eleventh place counts nothing", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5], [5], 0],
  ])("%s", (_name, order, all, expected) => {
    expect(ndcgOfTen(order, all)).toBeCloseTo(expected, 4);
  });

  test("is none where there is nothing to find", () => {
    expect(ndcgOfTen([0, 0], [0, 0])).toBeUndefined();
  });
});

describe("the simulated network", () => {
  const book = defaultCodeBook();

  test("is the same for the same seed, and another for another", () => {
    const [one, again, other] = [4, 4, 5].map((seed) =>
      JSON.stringify(simulateHosts(usualWorld, book, seed)),
    );
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  test("has flagged and unflagged hosts, harm, false alarms and stopped flows", () => {
    const hosts = simulateHosts(usualWorld, book, 1);
    const flagged = hosts.filter((host) => host.incidents.length > 0);
    expect(flagged.length).toBeGreaterThan(60);
    expect(flagged.length).toBeLessThan(180);
    const end = worldStart + usualWorld.hours * 3600;
    const harmful = flagged.filter((host) => harmBetween(host, worldStart, end) > 0);
    expect(harmful.length).toBeGreaterThan(30);
    expect(harmful.length).toBeLessThan(flagged.length);
    expect(hosts.flatMap((host) => host.flows).filter((flow) => flow.stopped).length).toBeGreaterThan(100);
  });

  test("does no harm by a flow that is stopped", () => {
    const flows = simulateHosts(usualWorld, book, 2).flatMap((host) => host.flows);
    expect(flows.filter((flow) => flow.stopped && flow.passed)).toEqual([]);
  });
});

test("our order finds more than any of the others, one hour and eight hours ahead", async () => {
  const judgements = await judgeRankings(usualWorld, defaultCodeBook(), [1, 2, 3, 4]);
  for (const judgement of judgements)
    expect(judgement.values.map((values) => values.length)).toEqual([20, 20]);
  expect(ratio(judgements, 0)).toBeGreaterThan(1);
  expect(ratio(judgements, 1)).toBeGreaterThan(1);
});
