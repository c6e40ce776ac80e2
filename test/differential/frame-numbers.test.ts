/** An analyst looks a sighting up in Wireshark by its frame number, so both must count alike. */
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { PcapngBlocks } from "../support/capture-writer.ts";
import { dataPacket, oneRecord, pairOf } from "../support/samples.ts";
import { joinOctets, markOption } from "../support/segment.ts";
import { bothKinds, IsolatedTshark } from "../support/tshark.ts";

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(() => tshark.close());

const blocks = new PcapngBlocks();
const packets = {
  marked: dataPacket(pairOf(1), markOption([oneRecord])),
  plain: dataPacket(pairOf(1), new Uint8Array()),
};
const packet = (octets: Uint8Array): Uint8Array => blocks.enhancedPacket({ octets }, 1_773_738_000_000_000n);
const body = (octets: number): Uint8Array => new Uint8Array(octets).fill(7);
/** Enough for readers that look at many packets at once. */
const stretch = joinOctets(...Array.from({ length: 40 }, () => packet(packets.plain)));

const between: readonly (readonly [string, Uint8Array])[] = [
  ["nothing else", new Uint8Array()],
  ["interface statistics", blocks.interfaceStatistics(0)],
  ["host names", blocks.nameResolution([{ address: Uint8Array.of(10, 0, 0, 1), names: ["a.example"] }])],
  ["decryption secrets", blocks.decryptionSecrets("CLIENT_RANDOM 00 00\n")],
  ["a custom block", blocks.block(0xbad, body(8))],
  ["a custom block that may not be copied", blocks.block(0x40000bad, body(8))],
  ["an entry of systemd's journal", blocks.block(9, body(40))],
  ["a system call", blocks.block(0x204, body(40))],
  ["a system call of sysdig's second version", blocks.block(0x216, body(40))],
  ["a large system call of the second version", blocks.block(0x221, body(40))],
  ["a block of a type nobody knows", blocks.block(0x1234, body(40))],
  ["a packet in an obsolete block", blocks.obsoletePacket({ octets: packets.plain }, 5n)],
  ["a packet in a simple block", blocks.simplePacket(packets.plain)],
  ["another section", joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(linkTypes.raw))],
];

test.each(between)(
  "%s between packets does not move the numbers of those behind it",
  async (_what, block) => {
    const capture = joinOctets(
      blocks.sectionHeader(),
      blocks.interfaceDescription(linkTypes.raw),
      packet(packets.marked),
      block,
      packet(packets.marked),
      stretch,
      block,
      packet(packets.marked),
    );
    const path = await tshark.save("numbers.pcapng", capture);
    const rows = await tshark.readFields(path, ["frame.number"], [...bothKinds, "-Y", "tattle"]);
    const theirs = rows.map((row) => Number(row.get("frame.number")?.[0]));
    expect(theirs).toHaveLength(3);
    expect(await sightedFrames(capture)).toEqual(theirs);
  },
);

async function sightedFrames(capture: Uint8Array): Promise<number[]> {
  const database = await openDatabase(":memory:", { seed: "0".repeat(32) });
  try {
    await ingestFrames(
      database,
      "numbers.pcapng",
      (sink) => readCapture({ stream: Readable.from([Buffer.from(capture)]) }, sink),
      { ingestedAt: 1_773_740_000_000_000 },
    );
    const reader = await database.read((connection) =>
      connection.runAndReadAll("SELECT frame FROM sighting ORDER BY frame"),
    );
    return reader.getRows().map(([frame]) => Number(frame));
  } finally {
    await database.close();
  }
}
