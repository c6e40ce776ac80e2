/** The ranking's promises, from packets through the real ingestion to the score: whatever was captured, in any order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import { defaultCodeBook } from "../support/tshark.ts";
import { conversation, midnight, segment, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

const asOf = midnight + 3599;
/** Each run opens several databases. */
const numRuns = process.env["TATTLE_SLOW"] === "1" ? 60 : 4;

interface Talk {
  readonly host: number;
  readonly port: number;
  readonly peer: number;
  readonly activity: number;
  /** Seconds after midnight. */
  readonly at: number;
  /** Whether the peer acknowledges what the host sends; else only the first packet is there. */
  readonly isAnswered: boolean;
}

const talk: fc.Arbitrary<Talk> = fc.record({
  host: fc.integer({ min: 1, max: 3 }),
  port: fc.integer({ min: 40_000, max: 40_005 }),
  peer: fc.integer({ min: 1, max: 4 }),
  activity: fc.integer({ min: 1, max: 5 }),
  at: fc.integer({ min: 0, max: 3500 }),
  isAnswered: fc.boolean(),
});
const captures = fc.array(fc.array(talk, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });

function framesOf({ host, port, peer, activity, at, isAnswered }: Talk): TestFrame[] {
  const marks = [{ detectedAt: midnight - 60, category: 1, activity }];
  const ends = { from: `10.0.0.${host}:${port}`, to: `192.0.2.${peer}:443` };
  if (!isAnswered) return [segment({ ...ends, flags: "S", sequence: at, at, marks })];
  return conversation({ host: ends.from, peer: ends.to, marks, sequence: at * 1000, at });
}

const captureOf = (talks: readonly Talk[]): TestFrame[] =>
  talks.flatMap(framesOf).toSorted((one, other) => one.time - other.time);

/** Score and terms by address, after these captures, in this order. */
async function scores(list: readonly (readonly TestFrame[])[]): Promise<Map<string, string>> {
  const database = await TestDatabase.open();
  try {
    await database.database.write(({ connection }) => loadCodeBook(connection, defaultCodeBook()));
    for (const [index, frames] of list.entries()) await database.ingest(frames, `${index}.pcap`);
    const { ranked } = await database.database.read((connection) => rankHosts(connection, asOf));
    const rows = ranked.map(({ address, score, terms, detections, peers, flowsPassed }): [string, string] => {
      const chances = detections
        .map((detection) => detection.probability)
        .toSorted((one, other) => one - other);
      return [address, JSON.stringify([score.toFixed(6), terms, chances, peers, flowsPassed])];
    });
    return new Map(rows.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  } finally {
    await database.close();
  }
}

const scoreIn = (found: ReadonlyMap<string, string>, address: string): number =>
  Number((JSON.parse(found.get(address) ?? '["0"]') as string[])[0]);

describe("the ranking of what was ingested", { timeout: 600_000 }, () => {
  test("is the same in any order of captures, and when each is ingested twice", async () => {
    await fc.assert(
      fc.asyncProperty(captures, async (list) => {
        const inOrder = list.map(captureOf);
        const expected = await scores(inOrder);
        expect(await scores(inOrder.toReversed())).toEqual(expected);
        expect(await scores([...inOrder, ...inOrder.toReversed()])).toEqual(expected);
      }),
      { numRuns, seed: 20_261_123 },
    );
  });

  test("is the same when packets were captured twice, or the same packets in two captures", async () => {
    await fc.assert(
      fc.asyncProperty(captures, async (list) => {
        const inOrder = list.map(captureOf);
        const expected = await scores(inOrder);
        const repeated = inOrder.map((frames) => frames.flatMap((frame) => [frame, frame]));
        expect(await scores(repeated)).toEqual(expected);
        // Another capture of the same packets, told apart by one more that says nothing.
        const stranger = segment({ from: "203.0.113.1:1", to: "203.0.113.2:2", at: 3599 });
        expect(await scores([...inOrder, ...inOrder.map((frames) => [...frames, stranger])])).toEqual(
          expected,
        );
      }),
      { numRuns, seed: 20_261_123 },
    );
  });

  test("never falls by one more flow that passed", async () => {
    await fc.assert(
      fc.asyncProperty(captures, talk, async (list, more) => {
        const before = await scores(list.map(captureOf));
        const another = captureOf([{ ...more, port: 50_000, isAnswered: true }]);
        const after = await scores([...list.map(captureOf), another]);
        const address = `10.0.0.${more.host}`;
        expect(scoreIn(after, address)).toBeGreaterThanOrEqual(scoreIn(before, address));
      }),
      { numRuns, seed: 20_261_123 },
    );
  });
});
