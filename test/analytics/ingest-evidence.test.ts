/** Evidence of both sides: which flows count, when they passed, and which connection a packet belongs to. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conversation, detection, segment, testInterface, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";
import { linkTypes } from "../../wire/link-layer.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await TestDatabase.open();
});
afterEach(() => database.close());

const host = "10.0.0.1:40000";
const peer = "192.0.2.9:443";
const marks = [detection];
const ours = { from: host, to: peer, marks };
const theirs = { from: peer, to: host };

/** One string a flow: host:port peer:port marked replies acknowledged established passed. */
async function flows(frames?: readonly TestFrame[]): Promise<string[]> {
  if (frames) await database.ingest(frames);
  return database.rows(`
    SELECT host.address || ':' || host_port, peer.address || ':' || peer_port, marked_packets, reply_packets,
      acknowledged_octets, established, passed_at IS NOT NULL
    FROM flow_seen JOIN host USING (host_id) JOIN host AS peer ON peer.host_id = peer_id ORDER BY flow_id`);
}

/** One string a row: trust and packets, in the order of trust. */
function trust(): Promise<string[]> {
  return database.rows(`SELECT trust.name, sum(packets) FROM detection_minute JOIN trust USING (trust)
    GROUP BY ALL ORDER BY ALL`);
}

describe("a whole connection", () => {
  test("is one established flow, and it passed", async () => {
    expect(await flows(conversation({ sends: 100 }))).toEqual([`${host} ${peer} 4 2 100 true true`]);
    expect(await database.rows("SELECT established_at, passed_at FROM flow_seen")).toEqual([
      "2026-01-01 00:00:00.2 2026-01-01 00:00:00.4",
    ]);
  });

  test("its SYN was a lone packet, what follows is established", async () => {
    await database.ingest(conversation());
    expect(await trust()).toEqual(["established 3", "lone 1"]);
  });

  test("the mark seen last before the evidence counts as established at that time", async () => {
    const other = { ...detection, activity: 9 };
    // The SYN carries one mark; the evidence comes with a packet that carries another.
    await database.ingest([
      segment({ ...ours, flags: "S", sequence: 1 }),
      segment({ ...theirs, flags: "SA", sequence: 7, acknowledgment: 2, at: 60 }),
      segment({ ...ours, marks: [other], sequence: 2, acknowledgment: 8, at: 120 }),
    ]);
    const rows = await database.rows(`SELECT activity, trust, minute, packets
      FROM detection JOIN detection_minute USING (detection_id) ORDER BY ALL`);
    expect(rows).toEqual([
      "1 0 2026-01-01 00:00:00 1",
      "1 1 2026-01-01 00:00:00 0",
      "9 1 2026-01-01 00:02:00 1",
    ]);
  });

  test("the peer is reached once, at the time of the first evidence", async () => {
    await database.ingest([...conversation(), ...conversation({ host: "10.0.0.1:40001", at: 300 })]);
    expect(
      await database.rows("SELECT address, first_contact FROM pair JOIN host ON host.host_id = peer_id"),
    ).toEqual(["192.0.2.9 2026-01-01 00:00:00.2"]);
    expect(await database.rows("SELECT minute, peers FROM peer_minute")).toEqual(["2026-01-01 00:00:00 1"]);
  });

  test("that passes in three minutes has a row for each", async () => {
    const frames = [0, 1, 2, 5].flatMap((minute) => [
      segment({
        ...ours,
        sequence: 1001 + minute * 10,
        acknowledgment: 5001,
        payload: 10,
        at: 60 * minute + 1,
      }),
      segment({ ...theirs, sequence: 5001, acknowledgment: 1011 + minute * 10, at: 60 * minute + 2 }),
    ]);
    await database.ingest([...conversation({ sends: 0, receives: 0 }).slice(0, 3), ...frames]);
    expect(await database.rows("SELECT minute FROM flow_passed ORDER BY minute")).toEqual([
      "2026-01-01 00:00:00",
      "2026-01-01 00:01:00",
      "2026-01-01 00:02:00",
      "2026-01-01 00:05:00",
    ]);
  });
});

describe("nobody is accused by forged packets", () => {
  test("forged-syn-answered: a SYN-ACK to a forged SYN is no evidence", async () => {
    const frames = [
      segment({ ...ours, flags: "S", sequence: 1000 }),
      segment({ ...theirs, flags: "SA", sequence: 5000, acknowledgment: 1001 }),
      // The victim knows nothing of it, and resets without a mark.
      segment({ from: host, to: peer, flags: "R", sequence: 1001 }),
      segment({ ...theirs, flags: "SA", sequence: 5000, acknowledgment: 1001, at: 1 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 1 2 0 false false`]);
    expect(await trust()).toEqual(["lone 1"]);
    expect(await database.rows("FROM pair")).toEqual([]);
    expect(await database.rows("FROM flow_passed")).toEqual([]);
  });

  test("forged-on-real-ports: a real connection's own segments do not vouch for forged ones between them", async () => {
    const real = { from: host, to: peer };
    const frames = [
      segment({ ...ours, sequence: 900_000_000, acknowledgment: 700_000_000, payload: 10 }),
      segment({ ...real, sequence: 1000, acknowledgment: 5000, payload: 100 }),
      segment({ ...theirs, sequence: 5000, acknowledgment: 1100, payload: 100 }),
      segment({ ...ours, sequence: 3_000_000_000, acknowledgment: 2_500_000_000, payload: 10 }),
      segment({ ...real, sequence: 1100, acknowledgment: 5100, payload: 100 }),
      segment({ ...theirs, sequence: 5100, acknowledgment: 1200, payload: 100 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 2 2 0 false false`]);
  });

  test("a refused connection reached nobody", async () => {
    const frames = [
      segment({ ...ours, flags: "S", sequence: 1000 }),
      segment({ ...theirs, flags: "RA", sequence: 0, acknowledgment: 1001 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 1 1 0 false false`]);
  });

  test("split-by-forged-syn: a forged SYN of the peer does not make one flow two", async () => {
    const [syn, synAck, ack, request, answer, last] = conversation() as [
      TestFrame,
      TestFrame,
      TestFrame,
      TestFrame,
      TestFrame,
      TestFrame,
    ];
    const forged = segment({ ...theirs, flags: "S", sequence: 123_456_789 });
    expect(await flows([syn, synAck, forged, ack, request, forged, answer, last])).toEqual([
      `${host} ${peer} 4 4 100 true true`,
    ]);
  });
});

describe("a capture that starts in the middle", () => {
  test("has evidence when data was acknowledged both ways", async () => {
    const frames = [
      segment({ ...ours, sequence: 1000, acknowledgment: 5000, payload: 100 }),
      segment({ ...theirs, sequence: 5000, acknowledgment: 1100, payload: 50 }),
      segment({ ...ours, sequence: 1100, acknowledgment: 5050 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 2 1 100 true true`]);
  });

  test("has none while one side only acknowledges", async () => {
    const frames = [
      segment({ ...ours, sequence: 1000, acknowledgment: 5000, payload: 100 }),
      segment({ ...theirs, sequence: 5000, acknowledgment: 1100 }),
      segment({ ...ours, sequence: 1100, acknowledgment: 5000, payload: 100 }),
      segment({ ...theirs, sequence: 5000, acknowledgment: 1200 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 2 2 200 false false`]);
  });

  test("a SYN that the capture shows late belongs to the same flow", async () => {
    const [syn, synAck, ack, ...rest] = conversation() as [TestFrame, TestFrame, TestFrame];
    expect(await flows([ack, synAck, syn, ...rest])).toEqual([`${host} ${peer} 4 2 100 true true`]);
  });
});

describe("sequence numbers", () => {
  test("wrap around", async () => {
    expect(await flows(conversation({ sequence: 0xffffffff, peerSequence: 0xfffffff0 }))).toEqual([
      `${host} ${peer} 4 2 100 true true`,
    ]);
  });

  test("octets sent twice are acknowledged once", async () => {
    const request = segment({ ...ours, sequence: 1001, acknowledgment: 5001, payload: 100 });
    const [syn, synAck, ack] = conversation() as [TestFrame, TestFrame, TestFrame];
    const answer = segment({ ...theirs, sequence: 5001, acknowledgment: 1101 });
    expect(await flows([syn, synAck, ack, request, request, answer, request, answer])).toEqual([
      `${host} ${peer} 5 3 100 true true`,
    ]);
  });

  test("octets acknowledged in part are counted in part", async () => {
    const opening = conversation().slice(0, 4);
    const answer = segment({ ...theirs, sequence: 5001, acknowledgment: 1061 });
    expect(await flows([...opening, answer])).toEqual([`${host} ${peer} 3 2 60 true true`]);
  });

  test("SYN and FIN are no payload", async () => {
    const frames = [
      ...conversation({ sends: 0, receives: 0 }).slice(0, 3),
      segment({ ...ours, flags: "FA", sequence: 1001, acknowledgment: 5001, payload: 100 }),
      segment({ ...theirs, sequence: 5001, acknowledgment: 1101 }),
      segment({ ...theirs, sequence: 5001, acknowledgment: 1102 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 3 3 100 true true`]);
    await database.close();
    database = await TestDatabase.open();
    const [syn, synAck, ack] = frames as [TestFrame, TestFrame, TestFrame];
    const fin = segment({ ...ours, flags: "FA", sequence: 1001, acknowledgment: 5001 });
    const finAck = segment({ ...theirs, flags: "FA", sequence: 5001, acknowledgment: 1002 });
    expect(await flows([syn, synAck, ack, fin, finAck])).toEqual([`${host} ${peer} 3 2 0 true false`]);
  });

  test("payload of unmarked packets does not count as passed", async () => {
    const opening = conversation().slice(0, 3);
    const frames = [
      ...opening,
      segment({ from: host, to: peer, sequence: 1001, acknowledgment: 5001, payload: 500 }),
      segment({ ...ours, sequence: 1501, acknowledgment: 5001, payload: 100 }),
      segment({ ...theirs, sequence: 5001, acknowledgment: 1601 }),
    ];
    expect(await flows(frames)).toEqual([`${host} ${peer} 3 2 100 true true`]);
  });
});

describe("which connection", () => {
  test("another SYN on the same ports begins another flow, the same SYN again does not", async () => {
    const first = conversation({ sequence: 1000 });
    const second = conversation({ sequence: 900_000, peerSequence: 77, at: 30 });
    const [syn] = first as [TestFrame];
    expect(await flows([syn, ...first, ...second])).toEqual([
      `${host} ${peer} 5 2 100 true true`,
      `${host} ${peer} 4 2 100 true true`,
    ]);
    expect(
      await database.rows("SELECT count(DISTINCT flow_key), count(DISTINCT tuple_key) FROM flow_seen"),
    ).toEqual(["2 1"]);
  });

  test("a flagged server's flow is the client's connection, and its sightings say so", async () => {
    const server = { from: "10.0.0.1:445", to: "10.0.0.7:51000", marks };
    const client = { from: "10.0.0.7:51000", to: "10.0.0.1:445" };
    const frames = [
      segment({ ...client, flags: "S", sequence: 100 }),
      segment({ ...server, flags: "SA", sequence: 900, acknowledgment: 101 }),
      segment({ ...client, sequence: 101, acknowledgment: 901, payload: 40 }),
      segment({ ...server, sequence: 901, acknowledgment: 141, payload: 300 }),
      segment({ ...client, sequence: 141, acknowledgment: 1201 }),
    ];
    expect(await flows(frames)).toEqual(["10.0.0.1:445 10.0.0.7:51000 2 2 300 true true"]);
    expect(await database.rows("SELECT frame, detail FROM sighting ORDER BY frame")).toEqual(["2 4", "4 4"]);
  });

  test("a server whose SYN-ACK had no room for the mark: the next connection on these ports is another flow", async () => {
    const server = { from: "10.0.0.1:445", to: "10.0.0.7:51000" };
    const client = { from: "10.0.0.7:51000", to: "10.0.0.1:445" };
    const connection = (x: number, y: number): TestFrame[] => [
      segment({ ...client, flags: "S", sequence: x }),
      segment({ ...server, flags: "SA", sequence: y, acknowledgment: x + 1 }),
      segment({ ...client, sequence: x + 1, acknowledgment: y + 1, payload: 40 }),
      segment({ ...server, marks, sequence: y + 1, acknowledgment: x + 41, payload: 300 }),
      segment({ ...client, sequence: x + 41, acknowledgment: y + 301, payload: 40 }),
      segment({ ...server, marks, sequence: y + 301, acknowledgment: x + 81 }),
    ];
    expect(await flows([...connection(100, 900), ...connection(3_000_000, 2_000_000_000)])).toEqual([
      // The client's first two segments of the second connection come before anything shows that it was accepted.
      "10.0.0.1:445 10.0.0.7:51000 2 3 300 true true",
      "10.0.0.1:445 10.0.0.7:51000 2 1 300 true true",
    ]);
  });

  test("two flagged hosts that talk to each other have a flow each", async () => {
    const a = { from: host, to: peer, marks };
    const b = { from: peer, to: host, marks };
    const both = [
      segment({ ...a, flags: "S", sequence: 1000 }),
      segment({ ...b, flags: "SA", sequence: 5000, acknowledgment: 1001 }),
      segment({ ...a, sequence: 1001, acknowledgment: 5001, payload: 100 }),
      segment({ ...b, sequence: 5001, acknowledgment: 1101, payload: 200 }),
      segment({ ...a, sequence: 1101, acknowledgment: 5201 }),
    ];
    expect(await flows(both)).toEqual([
      `${host} ${peer} 3 2 100 true true`,
      `${peer} ${host} 2 2 200 true true`,
    ]);
  });

  test("one flow that two interfaces of a capture saw is one flow", async () => {
    const second = testInterface(linkTypes.raw, 1);
    const frames = conversation().flatMap((frame) => [frame, { ...frame, interface: second }]);
    expect(await flows(frames)).toEqual([`${host} ${peer} 8 4 100 true true`]);
    expect(await database.rows("SELECT count(*) FROM sighting")).toEqual(["8"]);
  });

  test("one flow in two captures has one key, and its peer is reached once", async () => {
    const frames = conversation();
    await database.ingest(frames, "inside.pcap");
    await database.ingest(
      frames.map((frame) => ({ ...frame, time: frame.time + 0.002 })),
      "outside.pcap",
    );
    expect(await database.rows("SELECT count(*), count(DISTINCT flow_key) FROM flow_seen")).toEqual(["2 1"]);
    expect(await database.rows("SELECT count(*) FROM pair")).toEqual(["1"]);
    expect(await database.rows("SELECT sum(peers) FROM peer_minute")).toEqual(["1"]);
  });

  test("an earlier contact in a capture ingested later moves the first contact", async () => {
    await database.ingest(conversation({ at: 600 }), "late.pcap");
    await database.ingest(conversation({ host: "10.0.0.1:39999", at: 0 }), "early.pcap");
    expect(await database.rows("SELECT first_contact FROM pair")).toEqual(["2026-01-01 00:00:00.2"]);
    expect(
      await database.rows("SELECT minute, sum(peers) FROM peer_minute GROUP BY ALL ORDER BY ALL"),
    ).toEqual(["2026-01-01 00:00:00 1", "2026-01-01 00:10:00 0"]);
  });

  test("a flow whose beginning is not in the capture is told apart by its first minute", async () => {
    const middle = (at: number): TestFrame => segment({ ...ours, sequence: 1000, acknowledgment: 5000, at });
    await database.ingest([middle(1), middle(65)], "a.pcap");
    await database.ingest([middle(2), middle(66)], "b.pcap");
    await database.ingest([middle(61)], "c.pcap");
    expect(await database.rows("SELECT count(*), count(DISTINCT flow_key) FROM flow_seen")).toEqual(["3 2"]);
  });
});
