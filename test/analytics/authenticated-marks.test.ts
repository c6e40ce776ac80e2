/** What becomes of authenticated marks at ingest: verified, unknown without a key, worth nothing if the tag is wrong. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import type { ReaderKey } from "../../analytics/ingest/tag-check.ts";
import { icmpError, markOption, tcpPacket } from "../support/segment.ts";
import { taggedOption } from "../support/tagged-option.ts";
import type { TaggedOptionFields } from "../support/tagged-option.ts";
import { defaultCodeBook } from "../support/tshark.ts";
import { detection, midnight, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await TestDatabase.open();
});
afterEach(() => database.close());

const key = Uint8Array.from({ length: 16 }, (_, index) => 3 * index);
const readers: readonly ReaderKey[] = [{ id: 5, key }];
const ends = { source: "10.0.0.1", destination: "192.0.2.9", sourcePort: 40_000, destinationPort: 443 };
const back = { source: ends.destination, destination: ends.source, sourcePort: 443, destinationPort: 40_000 };
const signed = { ...ends, key, keyId: 5, records: [detection] };

interface Talk {
  /** What is signed, if not what is sent. */
  readonly signedAs?: Partial<TaggedOptionFields>;
  /** What the host's address becomes on the way. */
  readonly source?: string;
  readonly at?: number;
  readonly option?: (time: number) => Uint8Array;
}

/** A whole connection of the host; every packet of it is signed at its own time. */
function conversation({
  signedAs = {},
  source = ends.source,
  at = midnight,
  option,
}: Talk = {}): TestFrame[] {
  const sign = option ?? ((time): Uint8Array => taggedOption({ ...signed, time, ...signedAs }));
  const ours = (time: number, fields: object): TestFrame => ({
    time,
    octets: tcpPacket({ ...ends, source }, { ...ends, options: sign(time), ...fields }),
  });
  const theirs = (time: number, fields: object): TestFrame => ({
    time,
    octets: tcpPacket({ ...back, destination: source }, { ...back, ...fields }),
  });
  return [
    ours(at, { flags: "S", sequence: 1000 }),
    theirs(at + 0.1, { flags: "SA", sequence: 5000, acknowledgment: 1001 }),
    ours(at + 0.2, { sequence: 1001, acknowledgment: 5001, payload: new Uint8Array(100) }),
    theirs(at + 0.3, { sequence: 5001, acknowledgment: 1101, payload: new Uint8Array(50) }),
    ours(at + 100, { sequence: 1101, acknowledgment: 5051 }),
    ours(at + 170, { sequence: 1101, acknowledgment: 5051 }),
  ];
}

/** `address trust packets`, one row for each trust that a host's detections were seen with. */
function trusts(): Promise<string[]> {
  return database.rows(`SELECT address, trust.name, sum(packets) FROM detection_minute JOIN trust USING (trust)
    JOIN detection USING (detection_id) JOIN host USING (host_id) GROUP BY ALL HAVING sum(packets) > 0 ORDER BY ALL`);
}

const otherKey = key.map((octet) => octet ^ 1);

describe("a tag that the reader", () => {
  test("can verify makes every packet count fully, with the first on", async () => {
    const report = await database.ingest(conversation(), "test.pcap", { keys: readers });
    expect([report.markedPackets, report.malformedMarks]).toEqual([4, 0]);
    expect(await trusts()).toEqual(["10.0.0.1 verified 4"]);
  });

  test("has no key for counts as if it were not there", async () => {
    await database.ingest(conversation());
    expect(await trusts()).toEqual(["10.0.0.1 established 3", "10.0.0.1 lone 1"]);
    expect(await database.rows("SELECT count(*) FROM detection")).toEqual(["1"]);
  });

  test.each<[string, Talk]>([
    ["finds signed with another key", { signedAs: { key: otherKey } }],
    ["finds signed for another address: forged, or rewritten by NAT", { source: "203.0.113.1" }],
    ["finds signed for another port", { signedAs: { sourcePort: 40_001 } }],
    ["finds sent again on another connection", { signedAs: { destinationPort: 80 } }],
    ["finds sent again after three windows", { signedAs: { time: midnight - 200 } }],
    ["finds sent again when the four bits come round", { signedAs: { time: midnight - 1024 } }],
    ["finds with other records", { option: (time) => altered(taggedOption({ ...signed, time }), 11) }],
    ["finds altered", { option: (time) => altered(taggedOption({ ...signed, time }), 19) }],
  ])("%s makes nothing count", async (_, talk) => {
    await database.ingest(conversation(talk), "test.pcap", { keys: readers });
    const [row, ...others] = await trusts();
    expect(row).toMatch(/ invalid 4$/);
    expect(others).toEqual([]);
    await database.database.write(({ connection }) => loadCodeBook(connection, defaultCodeBook()));
    const { ranked, unranked } = await database.database.read((connection) =>
      rankHosts(connection, midnight + 200),
    );
    expect([ranked.length, unranked.length]).toEqual([0, 1]);
  });
});

function altered(option: Uint8Array, at: number): Uint8Array {
  return option.map((octet, index) => (index === at ? octet ^ 4 : octet));
}

test("the ranking counts a verified mark fully, a mark without a tag less", async () => {
  await database.ingest(conversation(), "verified.pcap", { keys: readers });
  await database.ingest(
    conversation({ option: () => markOption([detection]), source: "10.0.0.2" }),
    "plain.pcap",
  );
  await database.database.write(({ connection }) => loadCodeBook(connection, defaultCodeBook()));
  const { ranked } = await database.database.read((connection) => rankHosts(connection, midnight + 200));
  expect(ranked.map(({ address, detections }) => [address, detections[0]?.trust])).toEqual([
    ["10.0.0.1", "verified"],
    ["10.0.0.2", "established"],
  ]);
});

test("many tags are one mark: it is told without window and tag", async () => {
  await database.ingest(conversation(), "test.pcap", { keys: readers });
  const { detectedAt } = detection;
  const record = detectedAt.toString(16).toUpperCase();
  expect(await database.rows("SELECT hex(option) FROM mark")).toEqual([
    `FD144D4B4450${record}02010000000000000000`,
  ]);
});

test("an option that was verified is not verified for ever", async () => {
  const option = taggedOption({ ...signed, time: midnight });
  const frames = conversation({ option: () => option }).map((frame, index) =>
    index < 4 ? frame : { ...frame, time: midnight + 300 + index },
  );
  await database.ingest(frames, "test.pcap", { keys: readers });
  expect(await trusts()).toEqual(["10.0.0.1 invalid 2", "10.0.0.1 verified 2"]);
});

test("marks with and without a tag on one connection count each for what it is", async () => {
  const plain = markOption([{ ...detection, activity: 9 }]);
  let sent = 0;
  const frames = conversation({
    option: (time) => (sent++ % 2 === 0 ? taggedOption({ ...signed, time }) : plain),
  });
  await database.ingest(frames, "test.pcap", { keys: readers });
  const rows = await database.rows(`SELECT activity, trust.name, sum(packets) FROM detection_minute
    JOIN trust USING (trust) JOIN detection USING (detection_id) GROUP BY ALL HAVING sum(packets) > 0 ORDER BY ALL`);
  expect(rows).toEqual(["1 verified 2", "9 established 2"]);
});

test("a mark with a tag inside an ICMP error is seen, and never ranks", async () => {
  const quoted = tcpPacket(ends, {
    ...ends,
    flags: "S",
    options: taggedOption({ ...signed, time: midnight }),
  });
  const error = icmpError({ source: "192.0.2.1", destination: ends.source }, quoted);
  await database.ingest([{ time: midnight, octets: error }], "test.pcap", { keys: readers });
  expect(await database.rows("SELECT quoted_marks FROM capture")).toEqual(["1"]);
  expect(await trusts()).toEqual([]);
});

test.each([
  ["two records more than its length", "fd 14 4d4b 4c 50"],
  ["another version", "fd 14 4d4b 84 50"],
  ["a truncated tag", "fd 13 4d4b 44 50"],
])("an option with the ExID and %s is malformed", async (_, header) => {
  const option = new Uint8Array(20);
  option.set(Buffer.from(header.replaceAll(" ", ""), "hex"));
  const octets = tcpPacket(ends, { ...ends, flags: "S", options: option });
  const report = await database.ingest([{ time: midnight, octets }]);
  expect([report.markedPackets, report.malformedMarks]).toEqual([0, 1]);
});

describe("a capture that was ingested without the key", () => {
  const captures = "SELECT capture_id, verified_tags, unchecked_tags FROM capture";

  test("says how many tags nobody could check, and takes its own place once the key is there", async () => {
    const first = await database.ingest(conversation());
    expect(first.uncheckedTags).toBe(3);
    expect(await database.rows(captures)).toEqual(["1 0 3"]);
    const again = await database.ingest(conversation(), "test.pcap", { keys: readers });
    expect(again).toMatchObject({ tagsCheckedAgain: true, captureId: 2 });
    expect(again).not.toHaveProperty("uncheckedTags");
    expect(again).not.toHaveProperty("alreadyIngestedAs");
    expect(await trusts()).toEqual(["10.0.0.1 verified 4"]);
    expect(await database.rows(captures)).toEqual(["2 3 0"]);
  });

  test("tells in the same way that tags do not verify", async () => {
    const forged = conversation({ signedAs: { key: otherKey } });
    await database.ingest(forged);
    await database.ingest(forged, "test.pcap", { keys: readers });
    expect(await trusts()).toEqual(["10.0.0.1 invalid 4"]);
    // The right key comes after a wrong one of the same id.
    const wrong = [{ id: 5, key: otherKey }];
    expect(await database.ingest(forged, "test.pcap", { keys: wrong })).toHaveProperty("tagsCheckedAgain");
    expect(await trusts()).toEqual(["10.0.0.1 verified 4"]);
  });

  test("is left as it is by a reader who knows no more", async () => {
    await database.ingest(conversation(), "verified.pcap", { keys: readers });
    for (const keys of [[], readers, [{ id: 6, key }]]) {
      const report = await database.ingest(conversation(), "test.pcap", { keys });
      expect(report).toMatchObject({ alreadyIngestedAs: "verified.pcap", captureId: 1 });
      expect(report).not.toHaveProperty("tagsCheckedAgain");
    }
    expect(await trusts()).toEqual(["10.0.0.1 verified 4"]);
    const plain = conversation({ option: () => markOption([detection]), source: "10.0.0.2" });
    await database.ingest(plain, "plain.pcap");
    expect(await database.ingest(plain, "plain.pcap", { keys: readers })).toHaveProperty("alreadyIngestedAs");
  });

  test("keeps the files that it was read from", async () => {
    await database.ingest(conversation());
    const insert = "INSERT INTO capture_file VALUES (1, '/captures/test.pcap', 1, 1, 'x', now()::TIMESTAMP)";
    await database.database.write(async ({ connection }) => void (await connection.run(insert)));
    await database.ingest(conversation(), "test.pcap", { keys: readers });
    expect(await database.rows("SELECT capture_id, path FROM capture_file")).toEqual([
      "2 /captures/test.pcap",
    ]);
  });
});
