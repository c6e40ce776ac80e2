import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCapture } from "../../../capture/read-capture.ts";
import { NflogEvents } from "../../../live-agent/events/nflog-events.ts";
import type { LoggedEvent } from "../../../live-agent/events/nflog-events.ts";
import { enforcementEventSchema } from "../../../policy/event.ts";
import { linkTypes } from "../../../wire/link-layer.ts";
import type { DetectionRecord } from "../../../wire/mark.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { nflogFrame } from "../../support/link-frame.ts";
import { hexOctets, tcpPacket, udpPacket } from "../../support/segment.ts";

const record: DetectionRecord = { detectedAt: 0x65000000, category: 2, activity: 3 };
/** kind 253, length 9, count 1, detected at 0x65000000, category 2, activity 3. */
const mark = hexOctets("fd 09 01 65000000 02 03");

const ipv4 = { source: "10.2.0.25", destination: "192.0.2.1" };
const ipv6 = { source: "2001:db8::25", destination: "2001:db8:1::1" };
const tcp = { sourcePort: 40_000, destinationPort: 443, flags: "PA" };

async function eventsOf(frames: readonly Uint8Array[], establishedGroup = 7, tagShift?: number) {
  const events: LoggedEvent[] = [];
  const settings = { agent: "border-1", establishedGroup, ...(tagShift === undefined ? {} : { tagShift }) };
  const sink = new NflogEvents(settings, (event) => void events.push(event));
  const octets = writePcap(
    frames.map((frame) => ({ octets: frame, time: 1_777_896_000_250_000_000n })),
    { linkType: linkTypes.nflog },
  );
  const { outcome } = await readCapture({ stream: Readable.from([octets]) }, sink);
  for (const event of events) enforcementEventSchema.parse({ ...event, id: "x" });
  return { events, ignored: sink.ignored, outcome };
}

test("a marked packet that was dropped", async () => {
  const packet = tcpPacket(ipv4, { ...tcp, options: mark, payload: new Uint8Array(100) });
  const { events } = await eventsOf([nflogFrame(packet, "tattle:drop:leaks")]);
  expect(events).toEqual([
    {
      type: "enforcement",
      agent: "border-1",
      time: 1_777_896_000.25,
      host: "10.2.0.25",
      peer: "192.0.2.1",
      protocol: 6,
      hostPort: 40_000,
      peerPort: 443,
      verdict: "drop",
      trust: "lone",
      rule: "leaks",
      option: "fd0901650000000203",
      detections: [record],
      // 20 IPv4, 20 TCP, 9 of the mark padded to 12, 100 of payload.
      length: 152,
    },
  ]);
});

test("the NFLOG group tells whether both sides of the connection had spoken", async () => {
  // The frames are of group 1.
  const frames = [nflogFrame(tcpPacket(ipv4, { ...tcp, options: mark }), "tattle:drop:leaks")];
  expect((await eventsOf(frames, 1)).events).toMatchObject([{ trust: "established" }]);
  expect((await eventsOf(frames, 2)).events).toMatchObject([{ trust: "lone" }]);
});

test("the packet mark tells what was found of the tag, where the agent checks tags", async () => {
  const packet = tcpPacket(ipv4, { ...tcp, options: mark });
  // 0 nobody looked, 1 verified, 2 invalid, 3 no key; other bits are others'.
  const frames = [undefined, 0x3f_0fffff, 0x00_100000, 0xff_e00000, 0x00_300000].map((packetMark) =>
    nflogFrame(packet, "tattle:drop:leaks", packetMark === undefined ? undefined : packetMark >>> 0),
  );
  const trusts = async (...settings: [number, number?]): Promise<string[]> =>
    (await eventsOf(frames, ...settings)).events.map(({ trust }) => trust);
  expect(await trusts(1, 20)).toEqual(["established", "established", "verified", "invalid", "established"]);
  expect(await trusts(2, 20)).toEqual(["lone", "lone", "verified", "invalid", "lone"]);
  expect(await trusts(2)).toEqual(["lone", "lone", "lone", "lone", "lone"]);
});

test("over IPv6, with two records", async () => {
  const two = hexOctets("fe 0f 02 65000000 02 03 65000001 01 01");
  const packet = tcpPacket(ipv6, { ...tcp, options: two });
  const { events } = await eventsOf([nflogFrame(packet, "tattle:alter:leaks")]);
  expect(events).toMatchObject([
    {
      host: "2001:db8::25",
      peer: "2001:db8:1::1",
      verdict: "alter",
      detections: [record, { detectedAt: 0x65000001, category: 1, activity: 1 }],
      length: 76,
    },
  ]);
});

test("a packet whose payload the log cut off keeps its length", async () => {
  const packet = tcpPacket(ipv4, { ...tcp, options: mark, payload: new Uint8Array(1000) });
  const { events } = await eventsOf([nflogFrame(packet.subarray(0, 120), "tattle:drop:leaks")]);
  expect(events).toMatchObject([{ length: 1052, detections: [record] }]);
});

test("a packet without a mark is an event without detections, so that counters and events agree", async () => {
  const { events } = await eventsOf([
    nflogFrame(tcpPacket(ipv6, tcp), "tattle:drop:unreadable"),
    nflogFrame(
      udpPacket(ipv4, { sourcePort: 53, destinationPort: 5353, payload: new Uint8Array(4) }),
      "tattle:accept",
    ),
  ]);
  expect(events).toMatchObject([
    { verdict: "drop", rule: "unreadable", detections: [], hostPort: 40_000 },
    { verdict: "accept", detections: [], protocol: 17, hostPort: 53, peerPort: 5353 },
  ]);
  expect(events[0]).not.toHaveProperty("option");
  expect(events[1]).not.toHaveProperty("rule");
});

describe("is no event, and counted,", () => {
  test.each([
    ["a prefix of somebody else", "ufw-block: "],
    ["an unknown verdict", "tattle:explode:leaks"],
    ["no prefix", ""],
  ])("%s", async (_, prefix) => {
    const { events, ignored } = await eventsOf([nflogFrame(tcpPacket(ipv4, tcp), prefix)]);
    expect([events.length, ignored]).toEqual([0, 1]);
  });

  test("a frame without an IP header", async () => {
    const { events, ignored } = await eventsOf([nflogFrame(hexOctets("00 01 02 03"), "tattle:drop:leaks")]);
    expect([events.length, ignored]).toEqual([0, 1]);
  });
});

test("whatever the kernel hands over, it is an event of the shared shape or none", async () => {
  const whole = nflogFrame(tcpPacket(ipv4, { ...tcp, options: mark }), "tattle:drop:leaks");
  const damaged = fc
    .tuple(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.integer({ min: 0, max: whole.length }),
    )
    .map(([changes, length]) => {
      const octets = Uint8Array.from(whole);
      for (const [at, value] of changes) octets[at] = value;
      return octets.subarray(0, length);
    });
  await fc.assert(
    fc.asyncProperty(fc.array(damaged, { minLength: 1, maxLength: 20 }), async (frames) => {
      const { events, ignored, outcome } = await eventsOf(frames);
      expect(outcome.state).toBe("complete");
      expect(events.length + ignored).toBe(frames.length);
    }),
    { numRuns: 300 },
  );
});
