/** What becomes of each mark: its trust, its carrier, its time, and what enforcement points say of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { linkTypes } from "../../wire/link-layer.ts";
import { protocols } from "../../wire/packet-walk.ts";
import {
  fragments,
  icmpError,
  ipPacket,
  markOption,
  tcpPacket,
  tcpSegment,
  udpPacket,
} from "../support/segment.ts";
import {
  conversation,
  detection,
  midnight,
  nflogFrame,
  segment,
  TestDatabase,
  testInterface,
} from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await TestDatabase.open();
});
afterEach(() => database.close());

const addresses = { source: "10.0.0.1", destination: "192.0.2.9" };
const ports = { sourcePort: 40000, destinationPort: 443 };
const frame = (octets: Uint8Array, time = midnight): TestFrame => ({ octets, time });

function detections(): Promise<string[]> {
  return database.rows(`SELECT address, trust.name, sum(packets), min(first_seen)
    FROM detection_minute JOIN trust USING (trust) JOIN detection USING (detection_id) JOIN host USING (host_id)
    GROUP BY ALL ORDER BY ALL`);
}

describe("trust", () => {
  test("a record more than 300 seconds ahead of its packet, or ten years behind, is implausible; its neighbours are not", async () => {
    const records = [
      { detectedAt: midnight + 300, category: 1, activity: 1 },
      { detectedAt: midnight + 301, category: 1, activity: 2 },
      { detectedAt: midnight - 315_576_000, category: 1, activity: 3 },
      { detectedAt: midnight - 315_576_001, category: 1, activity: 4 },
    ];
    await database.ingest([segment({ from: "10.0.0.1:1", to: "10.0.0.2:2", marks: records })]);
    const rows = await database.rows(
      "SELECT activity, trust FROM detection JOIN detection_minute USING (detection_id) ORDER BY ALL",
    );
    expect(rows).toEqual(["1 0", "2 3", "3 0", "4 3"]);
  });

  test("minutes are summed apart, and packets out of order only make more rows", async () => {
    const at = (seconds: number): TestFrame =>
      segment({ from: "10.0.0.1:1", to: "10.0.0.2:2", marks: [detection], at: seconds });
    await database.ingest([at(1), at(5), at(61), at(59), at(60.5), at(30)]);
    const rows = await database.rows(`SELECT minute, sum(packets), min(first_seen), max(last_seen)
      FROM detection_minute GROUP BY minute ORDER BY minute`);
    expect(rows).toEqual([
      "2026-01-01 00:00:00 4 2026-01-01 00:00:01 2026-01-01 00:00:59",
      "2026-01-01 00:01:00 2 2026-01-01 00:01:00.5 2026-01-01 00:01:01",
    ]);
    expect(
      await database.rows("SELECT minute, sum(marked_packets) FROM host_minute GROUP BY ALL ORDER BY ALL"),
    ).toEqual(["2026-01-01 00:00:00 4", "2026-01-01 00:01:00 2"]);
  });

  test("six records of one mark are six detections, and the same records on another host are others", async () => {
    const records = [1, 2, 3, 4, 5, 6].map((activity) => ({ ...detection, activity }));
    await database.ingest([
      segment({ from: "10.0.0.1:1", to: "10.0.0.2:2", marks: records }),
      segment({ from: "10.0.0.3:1", to: "10.0.0.2:2", marks: records }),
      segment({ from: "10.0.0.1:9", to: "10.0.0.2:2", marks: records }),
    ]);
    expect(await database.rows("SELECT count(*) FROM detection")).toEqual(["12"]);
    expect(await database.rows("SELECT count(*) FROM mark")).toEqual(["2"]);
    expect(await detections()).toEqual([
      "10.0.0.1 lone 12 2026-01-01 00:00:00",
      "10.0.0.3 lone 6 2026-01-01 00:00:00",
    ]);
  });
});

describe("times that no clock should show", () => {
  const marked = tcpPacket(addresses, { ...ports, options: markOption([detection]) });
  const interfaceOf = (microseconds: number) => ({
    ...testInterface(linkTypes.raw),
    microseconds: () => microseconds,
  });

  test.each([
    ["1970", 0, "1970-01-01 00:00:00"],
    ["2100", 4_102_444_800_000_000, "2100-01-01 00:00:00"],
    ["2255, the last exact year", 9_000_000_000_000_000, "2255-03-14 16:00:00"],
    ["beyond year 9999", 2 ** 64, "9999-12-31 23:59:59"],
    ["before 1970", -5_000_000, "1970-01-01 00:00:00"],
    ["not a number", NaN, "1970-01-01 00:00:00"],
  ])("%s", async (_name, microseconds, expected) => {
    const report = await database.ingest([{ octets: marked, time: 0, interface: interfaceOf(microseconds) }]);
    expect(report.state).toBe("complete");
    expect(await database.rows("SELECT time FROM sighting")).toEqual([expected]);
    expect(await database.rows("SELECT first_packet, last_packet FROM capture")).toEqual([
      `${expected} ${expected}`,
    ]);
    expect(await detections()).toEqual([`10.0.0.1 implausible 1 ${expected}`]);
  });

  test("a detection in 1970 or 2106 is kept as it stands", async () => {
    const records = [0, 0xffffffff].map((detectedAt) => ({ ...detection, detectedAt }));
    await database.ingest([segment({ from: "10.0.0.1:1", to: "10.0.0.2:2", marks: records })]);
    expect(await database.rows("SELECT detected_at FROM detection ORDER BY ALL")).toEqual([
      "1970-01-01 00:00:00",
      "2106-02-07 06:28:15",
    ]);
  });
});

describe("marks quoted in ICMP errors", () => {
  test("are sightings and nothing else", async () => {
    const quoted = tcpPacket(addresses, { ...ports, options: markOption([detection]) });
    const report = await database.ingest([
      frame(icmpError({ source: "203.0.113.1", destination: "10.0.0.1" }, quoted)),
    ]);
    expect(report.markedPackets).toBe(1);
    expect(await database.rows("SELECT quoted_marks FROM capture")).toEqual(["1"]);
    expect(await database.rows("SELECT frame, flow_id, detail FROM sighting")).toEqual(["1 0 2"]);
    for (const table of ["detection", "detection_minute", "flow_seen", "host_minute", "pair"]) {
      expect(await database.rows(`FROM ${table}`)).toEqual([]);
    }
    expect(await database.rows("SELECT quoted, host FROM marked_packets")).toEqual(["true 10.0.0.1"]);
  });

  test("do not take the detections away from the same mark sent in earnest", async () => {
    const packet = tcpPacket(addresses, { ...ports, options: markOption([detection]) });
    const error = icmpError({ source: "203.0.113.1", destination: "10.0.0.1" }, packet);
    await database.ingest([frame(error), frame(packet)]);
    expect(await detections()).toEqual(["10.0.0.1 lone 1 2026-01-01 00:00:00"]);
  });
});

describe("marks in the IPv4 header", () => {
  const carrier = { ...addresses, ipOptions: markOption([detection], 158) };

  test("on UDP have ports, on other protocols none", async () => {
    await database.ingest([
      frame(udpPacket(carrier, { sourcePort: 5000, destinationPort: 53, payload: new Uint8Array(9) })),
      frame(ipPacket(carrier, protocols.icmp, new Uint8Array([8, 0, 0, 0, 0, 1, 0, 1]))),
    ]);
    const rows = await database.rows("SELECT protocol, host_port, peer_port FROM flow_seen ORDER BY flow_id");
    expect(rows).toEqual(["17 5000 53", "1 0 0"]);
    expect(await database.rows("SELECT DISTINCT detail FROM sighting")).toEqual(["1"]);
  });

  test("on TCP have the same evidence as others", async () => {
    const frames = conversation();
    const inHeader = frames.map((each, index) =>
      index === 1 || index === 4 ? each : frame(moveToIpHeader(each.octets), each.time),
    );
    await database.ingest(inHeader);
    expect(await database.rows("SELECT established, acknowledged_octets FROM flow_seen")).toEqual([
      "true 100",
    ]);
  });

  /** The packets of a conversation have 20 octets of IPv4 header and 12 of TCP options. */
  function moveToIpHeader(octets: Uint8Array): Uint8Array {
    const tcp = octets.slice(20);
    const segmentWithoutOptions = new Uint8Array([...tcp.slice(0, 20), ...tcp.slice(32)]);
    segmentWithoutOptions[12] = 0x50;
    return ipPacket(carrier, protocols.tcp, segmentWithoutOptions);
  }

  test("on every fragment of a packet are sightings", async () => {
    const transport = tcpSegment(addresses, { ...ports, payload: new Uint8Array(100) });
    await database.ingest(fragments(carrier, protocols.tcp, transport, 48).map((octets) => frame(octets)));
    expect(await database.rows("SELECT count(*) FROM sighting")).toEqual(["3"]);
  });
});

describe("counted in the capture", () => {
  test("malformed and duplicate marks, cut options, TCP packets", async () => {
    const malformed = new Uint8Array([253, 9, 2, 0, 0, 0, 0, 1, 1]);
    const twice = new Uint8Array([...markOption([detection]), ...markOption([detection])]);
    const whole = tcpPacket(addresses, { ...ports, options: markOption([detection]) });
    await database.ingest([
      frame(tcpPacket(addresses, { ...ports, options: malformed })),
      frame(tcpPacket(addresses, { ...ports, options: twice })),
      { ...frame(whole.slice(0, 44)), originalLength: whole.length },
      frame(udpPacket(addresses, { sourcePort: 1, destinationPort: 2, payload: new Uint8Array() })),
    ]);
    const rows = await database.rows(
      "SELECT packets, tcp_packets, marked_packets, malformed_marks, duplicate_marks, cut_packets FROM capture",
    );
    expect(rows).toEqual(["4 3 1 1 1 1"]);
  });
});

describe("NFLOG packets of enforcement points", () => {
  const nflog = testInterface(linkTypes.nflog);
  const marked = tcpPacket(addresses, { ...ports, flags: "S", options: markOption([detection]) });
  const event = (prefix: string, packet: Uint8Array): TestFrame => ({
    octets: nflogFrame(prefix, packet),
    time: midnight,
    interface: nflog,
  });

  test("with our prefix are events, and their marks are seen on lone packets", async () => {
    await database.ingest([
      event("tattle:drop:leaks", marked),
      event("tattle:accept", marked),
      event("tattle:reject:with: colons", marked),
    ]);
    const rows = await database.rows(`SELECT frame, verdict, rule, address, host_port, peer_port, length
      FROM enforcement_event JOIN host USING (host_id) ORDER BY frame`);
    expect(rows).toEqual([
      "1 drop leaks 10.0.0.1 40000 443 52",
      "2 accept null 10.0.0.1 40000 443 52",
      "3 reject with: colons 10.0.0.1 40000 443 52",
    ]);
    expect(await detections()).toEqual(["10.0.0.1 lone 3 2026-01-01 00:00:00"]);
  });

  test("have the tuple key of the flow that other captures saw", async () => {
    await database.ingest([event("tattle:drop", marked)], "router.pcap");
    await database.ingest(conversation(), "inside.pcap");
    const rows = await database.rows(
      "SELECT count(*) FROM enforcement_event JOIN flow_seen USING (tuple_key) WHERE acknowledged_octets = 100",
    );
    expect(rows).toEqual(["1"]);
  });

  test("with another prefix, or an unknown verdict, are ordinary sightings", async () => {
    await database.ingest([event("IPTABLES:", marked), event("tattle:dropp", marked), event("", marked)]);
    expect(await database.rows("FROM enforcement_event")).toEqual([]);
    expect(await database.rows("SELECT count(*) FROM sighting")).toEqual(["3"]);
  });

  test("without a mark (stripped before) are events of their source", async () => {
    await database.ingest([event("tattle:strip", tcpPacket(addresses, ports))]);
    expect(
      await database.rows("SELECT verdict, address FROM enforcement_event JOIN host USING (host_id)"),
    ).toEqual(["strip 10.0.0.1"]);
    expect(await database.rows("FROM sighting")).toEqual([]);
  });

  test("with 5,000 different rule names keep their verdicts", async () => {
    await database.ingest(Array.from({ length: 5000 }, (_, index) => event(`tattle:drop:${index}`, marked)));
    const rows = await database.rows(
      "SELECT count(*), count(rule), count(DISTINCT verdict) FROM enforcement_event",
    );
    expect(rows).toEqual(["5000 4096 1"]);
  });
});

describe("IPv6", () => {
  test("hosts, flows and evidence are as for IPv4", async () => {
    const ip = { source: "2001:db8::1", destination: "2001:db8:ffff::2" };
    const back = { source: ip.destination, destination: ip.source };
    const options = markOption([detection]);
    const away = (fields: object) => frame(tcpPacket(ip, { ...ports, ...fields, options }));
    const reply = (fields: object) =>
      frame(tcpPacket(back, { sourcePort: 443, destinationPort: 40000, ...fields }));
    await database.ingest([
      away({ flags: "S", sequence: 1 }),
      reply({ flags: "SA", sequence: 70, acknowledgment: 2 }),
      away({ sequence: 2, acknowledgment: 71, payload: new Uint8Array(10) }),
      reply({ sequence: 71, acknowledgment: 12 }),
    ]);
    const rows =
      await database.rows(`SELECT host.address, peer.address, established, acknowledged_octets, marked_octets
      FROM flow_seen JOIN host USING (host_id) JOIN host AS peer ON peer.host_id = peer_id`);
    expect(rows).toEqual(["2001:db8::1 2001:db8:ffff::2 true 10 154"]);
  });
});
