/** "Flagged host now unmarked": which packets say so, and when nobody should be alarmed. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import type { Unmarked } from "../../analytics/store.ts";
import { joinOctets, synOptions, tcpPacket } from "../support/segment.ts";
import { conversation, detection, midnight, segment, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await TestDatabase.open();
});
afterEach(() => database.close());

const host = "10.0.0.1:40000";
const peer = "192.0.2.9:443";

/** Payload of the connection that `conversation` had, without a mark. */
function goesOn(at: number): TestFrame {
  return segment({ from: host, to: peer, sequence: 1101, acknowledgment: 5201, payload: 50, at });
}

interface Syn {
  readonly at: number;
  readonly flags?: string;
  readonly options?: Uint8Array;
  readonly source?: string;
}

/** The first segment of another connection, as Linux sends it. */
function begins({ at, flags = "S", options = synOptions(), source = "10.0.0.1" }: Syn): TestFrame {
  const octets = tcpPacket(
    { source, destination: "192.0.2.9" },
    { sourcePort: 41_000, destinationPort: 443, flags, options },
  );
  return { octets, time: midnight + at };
}

/** Seconds after midnight. */
async function unmarked(asOf = 100): Promise<Unmarked | undefined> {
  const { ranked } = await database.database.read((connection) => rankHosts(connection, midnight + asOf));
  const found = ranked.find(({ address }) => address === "10.0.0.1")?.unmarked;
  return found && { ...found, since: found.since - midnight, lastSeen: found.lastSeen - midnight };
}

describe("a flagged host is now unmarked", () => {
  test("if it goes on with a connection whose packets it marked", async () => {
    await database.ingest([...conversation(), goesOn(10), goesOn(20)]);
    expect(await unmarked()).toEqual({ since: 10, lastSeen: 20, packets: 2 });
  });

  test("if it begins a connection", async () => {
    await database.ingest([...conversation(), begins({ at: 10 })]);
    expect(await unmarked()).toEqual({ since: 10, lastSeen: 10, packets: 1 });
  });

  test("from its first packet without a mark on, and for a day after the last one", async () => {
    await database.ingest([...conversation(), goesOn(10), goesOn(20)]);
    expect(await unmarked(9)).toBeUndefined();
    expect(await unmarked(15)).toEqual({ since: 10, lastSeen: 15, packets: 2 });
    expect(await unmarked(20 + 86_400)).toBeDefined();
    expect(await unmarked(21 + 86_400)).toBeUndefined();
  });
});

describe("nobody is alarmed", () => {
  const silent: [string, () => TestFrame[]][] = [
    ["by packets before the first mark", () => [goesOn(-20), begins({ at: -10 }), ...conversation()]],
    [
      "if marks go on afterwards",
      () => [...conversation(), goesOn(1), ...conversation({ at: 30, host: "10.0.0.1:40001" })],
    ],
    ["by another host's packets", () => [...conversation(), begins({ at: 10, source: "10.0.0.2" })]],
    [
      "by a reset of a closed port",
      () => [...conversation(), segment({ from: host, to: peer, flags: "RA", at: 10 })],
    ],
    [
      "by an acknowledgment that a kernel sends for a socket that is gone",
      () => [...conversation(), segment({ from: host, to: peer, at: 10 })],
    ],
    [
      "by a SYN-ACK that a kernel sends without a socket",
      () => [...conversation(), begins({ at: 10, flags: "SA" })],
    ],
    [
      "by a scanner's raw SYN",
      () => [...conversation(), begins({ at: 10, options: Uint8Array.of(2, 4, 5, 180) })],
    ],
    [
      "by a connection older than the mark",
      () => [...conversation(), segment({ from: "10.0.0.1:39999", to: peer, payload: 50, at: 10 })],
    ],
    [
      "if the header had no room for a mark",
      () => [...conversation(), begins({ at: 10, options: new Uint8Array(32).fill(1) })],
    ],
    ["by a mark that is taken off behind the tap", () => [...conversation(), goesOn(0.50001)]],
    [
      "by a mark that is malformed",
      () => [
        ...conversation(),
        begins({ at: 10, options: Uint8Array.of(253, 9, 2, ...synOptions().subarray(0, 9)) }),
      ],
    ],
    [
      "by a mark without records, as of a host that says it is clean",
      () => [
        ...conversation(),
        begins({ at: 10, options: joinOctets([253, 14, 0x4d, 0x4b, 0x42, 0], new Uint8Array(10)) }),
      ],
    ],
    [
      "for a host that only lone packets accuse",
      () => [segment({ from: host, to: peer, marks: [detection] }), goesOn(10), begins({ at: 11 })],
    ],
  ];

  test.each(silent)("%s", async (_name, frames) => {
    await database.ingest(frames());
    expect(await unmarked()).toBeUndefined();
  });

  test("once another capture shows it marked later, in whatever order they come", async () => {
    await database.ingest([...conversation(), goesOn(10)], "first.pcap");
    expect(await unmarked()).toBeDefined();
    await database.ingest(conversation({ at: 90, host: "10.0.0.1:40001" }), "second.pcap");
    expect(await unmarked()).toBeUndefined();
    // A moment takes in its whole minute.
    expect(await unmarked(59)).toEqual({ since: 10, lastSeen: 10, packets: 1 });
  });
});

test("a capture that grew replaces what its beginning showed", async () => {
  const frames = [...conversation(), goesOn(10)];
  await database.ingest(frames, "grows.pcap");
  await database.ingest([...frames, goesOn(20)], "grows.pcap");
  expect(await database.rows("SELECT packets FROM unmarked_run")).toEqual(["2"]);
});

test("the beginning of a capture that is known shows nothing new, although the host was unmarked where it ends", async () => {
  const beginning = [...conversation(), goesOn(10)];
  const whole = [...beginning, ...conversation({ at: 30, host: "10.0.0.1:40001" })];
  await database.ingest(whole, "whole.pcap");
  const report = await database.ingest(beginning, "beginning.pcap");
  expect(report.alreadyIngestedAs).toBe("whole.pcap");
});
