/** How the experiment counts what a router stopped, from captures on both of its sides. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compareSides } from "./border-traffic.ts";
import { tcpFlags } from "./captured-segments.ts";
import type { CapturedSegment } from "./captured-segments.ts";
import { expectRequests } from "./expected-requests.ts";
import { formatExperimentPage } from "./experiment-page.ts";
import { fullPlan } from "./experiment-plan.ts";
import { readKept } from "./kept-results.ts";
import { countWhole, leakedFile } from "./leaked-files.ts";

const [node, peer] = ["10.2.0.25", "10.3.0.60"];
const { syn, ack } = tcpFlags;

/** From the node to its peer, a SYN without a mark, unless told otherwise. */
function segment(fields: Partial<CapturedSegment>): CapturedSegment {
  return {
    time: 0,
    source: node,
    destination: peer,
    sourcePort: 5000,
    destinationPort: 4000,
    sequence: 1,
    acknowledgment: 0,
    flags: syn,
    identification: 0,
    payloadOctets: 0,
    isMarked: false,
    ...fields,
  };
}

test("a SYN sent again is the same communication, one with another sequence number is another", () => {
  const inner = [
    segment({ time: 1, isMarked: true }),
    segment({ time: 2, isMarked: true }),
    segment({ time: 3, isMarked: true, sequence: 2 }),
  ];
  const { stopped, cut } = compareSides(inner, [], node);
  expect(stopped.length).toBe(3);
  expect(cut).toMatchObject([
    { peer, openedBy: "node", at: 1 },
    { peer, openedBy: "node", at: 3 },
  ]);
});

test("an answer that is stopped cuts the communication that the peer opened", () => {
  const opened = { source: peer, destination: node, sourcePort: 6000, destinationPort: 4000 };
  const answer = { sourcePort: 4000, destinationPort: 6000, flags: syn | ack, acknowledgment: 2 };
  const inner = [segment({ ...opened, time: 1 }), segment({ ...answer, time: 2, isMarked: true })];
  expect(compareSides(inner, inner.slice(0, 1), node).cut).toMatchObject([
    { peer, openedBy: "peer", at: 2, isOlder: true },
  ]);
});

test("a packet that comes out without its mark, or with another payload, was not stopped", () => {
  const sent = segment({ flags: ack, payloadOctets: 100, isMarked: true });
  const border = compareSides([sent], [{ ...sent, isMarked: false }], node);
  expect(border).toMatchObject({ marked: 1, stopped: [], markedBeyond: 0, cut: [] });
});

test("of the same packet sent twice, one that came out is one", () => {
  const sent = segment({ isMarked: true });
  const border = compareSides([sent, sent], [sent], node);
  expect(border).toMatchObject({ marked: 2, markedBeyond: 1 });
  expect(border.stopped.length).toBe(1);
});

test("leaked files that are cut short or zeroed are not whole", () => {
  const file = leakedFile("letters.txt");
  expect(countWhole(Buffer.concat([file, file]))).toBe(2);
  expect(countWhole(Buffer.concat([file, file.subarray(0, 1000)]))).toBe(1);
  expect(countWhole(Buffer.alloc(file.length * 3))).toBe(0);
});

test("what is to be expected follows from the seed", () => {
  const [kept] = readKept().expected;
  expect(expectRequests(fullPlan, 1)).toEqual(kept);
});

test("the page about the experiment is made of the results that are kept", () => {
  const page = new URL("../../docs/explanation/experiment.md", import.meta.url);
  expect(readFileSync(page, "utf8")).toBe(formatExperimentPage(readKept()));
});
