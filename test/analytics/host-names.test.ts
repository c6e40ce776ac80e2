/** What hosts are called: by the operator, else by name-resolution blocks of the captures. */
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { Store } from "../../analytics/store.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { PcapngBlocks } from "../support/capture-writer.ts";
import { markOption, tcpPacket, joinOctets } from "../support/segment.ts";
import { defaultCodeBook } from "../support/tshark.ts";

let store: Store;

beforeEach(async () => {
  const database = await openDatabase(":memory:");
  store = await openLocalStore({ database, codeBook: defaultCodeBook(), clock: () => 1_773_740_000 });
});

afterEach(() => store.close());

/** One marked SYN of 10.0.0.7 to 192.0.2.9, and names for both. */
async function ingestNamed(hostName: string, time = 1_773_738_000n): Promise<void> {
  const blocks = new PcapngBlocks("little");
  const packet = tcpPacket(
    { source: "10.0.0.7", destination: "192.0.2.9" },
    {
      sourcePort: 40_000,
      destinationPort: 443,
      flags: "S",
      options: markOption([{ detectedAt: 1_773_737_000, category: 2, activity: 1 }]),
    },
  );
  const nanoseconds = time * 1_000_000_000n;
  const capture = joinOctets(
    blocks.sectionHeader(),
    blocks.interfaceDescription(linkTypes.raw, { resolution: 9 }),
    blocks.nameResolution([
      { address: Uint8Array.of(10, 0, 0, 7), names: [hostName] },
      { address: Uint8Array.of(192, 0, 2, 9), names: ["files.example"] },
    ]),
    blocks.enhancedPacket({ octets: packet }, nanoseconds),
  );
  const report = await store.ingest({ name: "named.pcapng", source: { stream: Readable.from([capture]) } });
  expect(report).toMatchObject({ state: "complete", markedPackets: 1 });
}

it("a capture's names stand beside the host and its peers", async () => {
  await ingestNamed("ws-7");
  expect((await store.ranking()).hosts).toMatchObject([{ address: "10.0.0.7", name: "ws-7" }]);
  expect((await store.host("10.0.0.7"))?.flows).toMatchObject([
    { peer: "192.0.2.9", peerName: "files.example" },
  ]);
});

it("the operator's name goes before the captures'", async () => {
  await ingestNamed("ws-7");
  await store.setAssets([{ address: "10.0.0.7", name: "reception", weight: 1 }]);
  expect((await store.ranking()).hosts).toMatchObject([{ name: "reception" }]);
});

it("a weight without a name leaves the captures' name", async () => {
  await ingestNamed("ws-7");
  await store.setAssets([{ address: "10.0.0.7", weight: 2 }]);
  expect((await store.ranking()).hosts).toMatchObject([{ name: "ws-7", weight: 2 }]);
});

it("of two names the first in the alphabet holds, whichever capture came first", async () => {
  await ingestNamed("zeta");
  await ingestNamed("alpha", 1_773_738_060n);
  expect((await store.ranking()).hosts).toMatchObject([{ name: "alpha" }]);
});
