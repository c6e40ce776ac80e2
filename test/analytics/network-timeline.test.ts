/** The network timeline from captures and from agents: what stands where, and what is left out when it is too much. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { NetworkTimeline } from "../../analytics/network-timeline.ts";
import type { Store } from "../../analytics/store.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { linkTypes } from "../../wire/link-layer.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { conversation, detection, midnight, nflogFrame, segment } from "./ingest-support.ts";
import { TestDatabase, testInterface } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");
const nflog = testInterface(linkTypes.nflog);

let database: TestDatabase;
let store: Store;

beforeEach(async () => {
  database = await TestDatabase.open();
  store = await openLocalStore({ database: database.database, codeBook, clock: () => midnight + 7200 });
});

afterEach(() => store.close());

/** A packet of 10.0.0.1 that a border router logged as dropped. */
function dropped(at: number, peer: string, port = 40_001): TestFrame {
  const packet = segment({
    from: `10.0.0.1:${port}`,
    to: `${peer}:443`,
    flags: "S",
    sequence: 1000 + port,
    marks: [detection],
    at,
  });
  return { octets: nflogFrame("tattle:drop:border", packet.octets), time: packet.time, interface: nflog };
}

/** `kind row at count octets`, with the row's address. */
function lines({ rows, marks }: NetworkTimeline): string[] {
  return marks.map(({ kind, row, at, count, octets }) =>
    [kind, rows[row]?.address, at, count, octets].join(" "),
  );
}

test("a detection stands at its host, a drop and a flow that passed at their peers, in seconds since the detection", async () => {
  // Detected a minute before midnight.
  await database.ingest(conversation({ at: 0, sends: 100, peer: "192.0.2.9:443" }), "inside.pcap");
  await database.ingest([dropped(30, "198.51.100.7")], "border.pcap");
  const timeline = await store.network();
  expect(lines(timeline)).toEqual([
    "detection 10.0.0.1 0 1 0",
    "exposure 192.0.2.9 60.4 1 100",
    `drop 198.51.100.7 90 1 ${timeline.marks[2]?.octets}`,
  ]);
  expect([timeline.from, timeline.to, timeline.scale, timeline.cut]).toEqual([0, 90, "elapsed", {}]);
  expect(timeline.rows).toEqual([
    { address: "10.0.0.1", firstDetected: midnight - 60 },
    { address: "192.0.2.9" },
    { address: "198.51.100.7" },
  ]);
  expect(timeline.marks[0]).toMatchObject({ title: "Files put into a sharing folder", severity: "critical" });
});

test("on the scale of UTC the same things stand at their times", async () => {
  await database.ingest(conversation({ at: 0 }), "inside.pcap");
  const timeline = await store.network({ scale: "utc" });
  expect(timeline.marks.map(({ at }) => at)).toEqual([midnight - 60, midnight + 0.4]);
});

test("a flow that two captures saw is one", async () => {
  await database.ingest(conversation({ at: 0 }), "one.pcap");
  await database.ingest(conversation({ at: 0 }).slice(0, 5), "other.pcap");
  expect(lines(await store.network())).toEqual(["detection 10.0.0.1 0 1 0", "exposure 192.0.2.9 60.4 1 100"]);
});

test("a flow whose payload nobody acknowledged is no exposure", async () => {
  await database.ingest(conversation({ at: 0 }).slice(0, 4), "unanswered.pcap");
  expect(lines(await store.network())).toEqual(["detection 10.0.0.1 0 1 0"]);
});

test("packets to one peer within a fraction of the stretch are one triangle that counts them; zoomed in they come apart", async () => {
  const burst = [0, 0.01, 0.02].map((at) => dropped(at, "198.51.100.7"));
  await database.ingest([...burst, dropped(600, "198.51.100.7")], "border.pcap");
  const all = await store.network();
  expect(all.marks.filter(({ kind }) => kind === "drop").map(({ at, count }) => [at, count])).toEqual([
    [60, 3],
    [660, 1],
  ]);
  const near = await store.network({ from: 59, to: 61 });
  expect(near.marks.filter(({ kind }) => kind === "drop").map(({ at, count }) => [at, count])).toEqual([
    [60, 1],
    [60.01, 1],
    [60.02, 1],
  ]);
});

test("a detection from before the stretch stays, others outside of it go", async () => {
  await database.ingest([dropped(0, "198.51.100.7"), dropped(100, "198.51.100.8")], "border.pcap");
  const later = await store.network({ from: 120, to: 200 });
  expect(later.marks.map(({ kind, at }) => [kind, at])).toEqual([
    ["detection", 0],
    ["drop", 160],
  ]);
  expect([later.from, later.to]).toEqual([120, 200]);
});

test("a detection of ten days ago does not squeeze a minute of packets into nothing", async () => {
  const old = { ...detection, detectedAt: midnight - 864_000 };
  await database.ingest(conversation({ at: 0, marks: [old] }), "a.pcap");
  await database.ingest(
    conversation({ at: 60, marks: [old], sequence: 9000, host: "10.0.0.1:40002" }),
    "b.pcap",
  );
  const timeline = await store.network();
  // The minute, and ten before it.
  expect(timeline.to - timeline.from).toBeCloseTo(660, 3);
});

test("what came later than the moment asked for is not there", async () => {
  await database.ingest([dropped(0, "198.51.100.7"), dropped(100, "198.51.100.8")], "border.pcap");
  const then = await store.network({ asOf: midnight + 50 });
  expect(then.marks.map(({ kind, at }) => [kind, at])).toEqual([
    ["detection", 0],
    ["drop", 60],
  ]);
});

test("one flagged host, and only flows of so many octets", async () => {
  await database.ingest(conversation({ host: "10.0.0.1:40000", sends: 100 }), "one.pcap");
  await database.ingest(conversation({ host: "10.0.0.2:40000", sends: 900 }), "other.pcap");
  expect(lines(await store.network({ host: "10.0.0.2" }))).toEqual([
    "detection 10.0.0.2 0 1 0",
    "exposure 192.0.2.9 60.4 1 900",
  ]);
  expect(
    lines(await store.network({ leastOctets: 500 })).filter((line) => line.startsWith("exposure")),
  ).toEqual(["exposure 192.0.2.9 60.4 1 900"]);
  expect((await store.network({ host: "10.0.0.3" })).marks).toEqual([]);
});

test("a host whose detection cannot be believed accuses nobody", async () => {
  const implausible = { ...detection, detectedAt: midnight + 4000 };
  await database.ingest(conversation({ marks: [implausible] }), "future.pcap");
  expect((await store.network()).marks).toEqual([]);
});

test("rows are in the order of addresses, by number", async () => {
  const peers = ["198.51.100.10", "198.51.100.9", "192.0.2.200"];
  await database.ingest(
    peers.map((peer, index) => dropped(index, peer, 40_001 + index)),
    "border.pcap",
  );
  expect((await store.network()).rows.map(({ address }) => address)).toEqual([
    "10.0.0.1",
    "192.0.2.200",
    "198.51.100.9",
    "198.51.100.10",
  ]);
});

test("beyond its bounds the answer says how much there is, and keeps flagged hosts and what passed", async () => {
  const peers = Array.from({ length: 700 }, (_, index) => `198.51.${100 + (index >> 8)}.${index & 255}`);
  await database.ingest(
    peers.map((peer, index) => dropped(index / 10, peer, 20_000 + index)),
    "border.pcap",
  );
  await database.ingest(conversation({ at: 71, peer: "203.0.113.255:443" }), "inside.pcap");
  const { rows, cut, marks } = await store.network();
  expect(rows).toHaveLength(600);
  expect(cut).toEqual({ rows: 702, marks: 702 });
  expect(marks).toHaveLength(600);
  expect(rows.map(({ address }) => address)).toContain("203.0.113.255");
});
