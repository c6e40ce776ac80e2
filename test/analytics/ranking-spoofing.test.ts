/** No accusation by spoofing: a million forged packets, through the whole of ingestion and ranking. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import type { Database } from "../../analytics/database.ts";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { RankedHost, Store } from "../../analytics/store.ts";
import type { FrameSink } from "../../capture/frame-sink.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { linkTypes } from "../../wire/link-layer.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { spoofedVictim } from "../support/samples.ts";
import { testInterface } from "./ingest-support.ts";

const victim = "10.9.9.9";
const start = 1_767_225_600;
const packets = 1_000_000;

let database: Database;
let store: Store;

/** Hands the packets to a sink one by one, as a reader does: a million of them at once would fill the memory. */
function floodInto(sink: FrameSink): number {
  const source = testInterface(linkTypes.raw);
  const buffer = new Uint8Array(256);
  sink.useBuffer(buffer, new DataView(buffer.buffer));
  let frames = 0;
  for (const { packet, time } of spoofedVictim(packets, victim, start)) {
    buffer.set(packet);
    const seconds = Math.floor(time / 1_000_000);
    sink.frame(0, packet.length, packet.length, seconds, time - seconds * 1_000_000, source);
    frames++;
  }
  return frames;
}

beforeAll(async () => {
  database = await openDatabase(":memory:");
  const codeBook = parseCodeBook(codeBookJson, "code-book.json");
  store = await openLocalStore({ database, codeBook, clock: () => start + 86_400 });
  await ingestFrames(
    database,
    "flood.pcap",
    (sink) => {
      const frames = floodInto(sink);
      return Promise.resolve({
        outcome: { state: "complete" },
        format: "pcap",
        octets: 0,
        frames,
        gaps: [],
        interfaces: [testInterface(linkTypes.raw)],
        names: new Map(),
      });
    },
    { ingestedAt: (start + 86_400) * 1_000_000 },
  );
}, 240_000);

afterAll(() => store.close());

async function ranked(): Promise<RankedHost> {
  const { hosts } = await store.ranking();
  const [host] = hosts;
  if (!host || hosts.length > 1) throw new Error(`expected the victim alone, got ${hosts.length} hosts`);
  return host;
}

describe("a million forged SYNs with a thousand different records", () => {
  it("leave their victim below 40, with neither flows nor peers", async () => {
    const host = await ranked();
    expect(host.markedPackets).toBe(packets);
    expect(host.detections).toHaveLength(1000);
    expect(new Set(host.detections.map((detection) => detection.trust))).toEqual(new Set(["lone"]));
    expect(host).toMatchObject({ address: victim, flowsPassed: 0, flowsStopped: 0, peers: 0 });
    expect(host.score).toBeLessThan(40);
  });

  it("leave it there if it is one of the hosts that matter most", async () => {
    await store.setAssets([{ address: victim, weight: 2 }]);
    expect((await ranked()).score).toBeLessThan(40);
  });
});
