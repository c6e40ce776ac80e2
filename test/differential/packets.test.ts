/**
 * Every packet of every capture against tshark: addresses, ports, flags, sequence numbers, options. A difference is
 * either explained by what the two programs are for, or a fault.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { IsolatedTshark, withoutReassembly } from "../support/tshark.ts";
import type { FieldRow } from "../support/tshark.ts";
import { readPackets } from "./read-packets.ts";
import type { PacketReading } from "./read-packets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const shared = process.env["TATTLE_SHARED"] ?? join(root, "../shared");
const captures = join(shared, "captures");

const fields = [
  "ip.src",
  "ip.dst",
  "ipv6.src",
  "ipv6.dst",
  "ip.hdr_len",
  "ip.len",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.flags",
  "tcp.seq_raw",
  "tcp.options",
  "tcp.hdr_len",
  "_ws.malformed",
  "frame.protocols",
];

/** Captures of which the two programs read a different number of frames, and why. */
const otherCounts: ReadonlyMap<string, string> = new Map([
  ["trunc.pcap", "46 records of zeros: tshark shows frames without octets, for us they are damage"],
  ["fuzz.pcap", "a record of 1.4 GB: tshark shows its beginning, for us it is damage"],
  ["absurd-length.pcap", "a record of 4 GB: tshark looks for one behind it and shows frames that never were"],
  ["test006.ntar", "a block whose length is no multiple of 4: tshark rounds it up, for us it is damage"],
  ["output_be__basic__test017.pcapng", "custom blocks, which tshark counts as frames"],
  ["output_le__basic__test017.pcapng", "custom blocks, which tshark counts as frames"],
  ["sections.pcapng", "a custom block, which tshark counts as a frame"],
]);

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(() => tshark.close());

async function compare(path: string): Promise<{ packets: number; unexplained: string[] }> {
  const { summary, packets } = await readPackets(path);
  // A capture that is none has no rows either; tshark's own complaint is not what is tested.
  if (summary.outcome.state === "refused") return { packets: 0, unexplained: [] };
  const rows = await tshark.readFields(path, fields, withoutReassembly);
  const name = basename(path);
  if (otherCounts.has(name))
    return {
      packets: 0,
      unexplained: rows.length === packets.length ? [`${name}: explained, but equal`] : [],
    };
  const unexplained = packets.flatMap((packet, index) => {
    const row = rows[index];
    const difference = row ? findDifference(packet, row) : "no such frame";
    return difference === undefined
      ? []
      : [`${name}, frame ${index + 1}: ${difference} (${row ? last(row, "frame.protocols") : ""})`];
  });
  if (rows.length !== packets.length)
    unexplained.push(`${name}: ${packets.length} frames, tshark reads ${rows.length}`);
  return { packets: packets.length, unexplained };
}

function last(row: FieldRow, field: string): string {
  return row.get(field)?.at(-1) ?? "";
}

/** What differs and is not explained. */
function findDifference(packet: PacketReading, row: FieldRow): string | undefined {
  // tshark gave up in the middle of this packet; how far it came says nothing about it.
  if (row.get("_ws.malformed")?.length !== 0) return undefined;
  const sources = [last(row, "ip.src"), last(row, "ipv6.src")];
  if (packet.source === undefined) {
    return sources.join("") === "" || isBogusIpHeader(row)
      ? undefined
      : `no IP header, tshark has ${sources.join(" ")}`;
  }
  if (!sources.includes(packet.source)) return `source ${packet.source}, tshark has ${sources.join(" ")}`;
  const destinations = [last(row, "ip.dst"), last(row, "ipv6.dst")];
  // Of an IP header whose options are cut, tshark shows the source only.
  if (destinations.join("") !== "" && !destinations.includes(packet.destination ?? ""))
    return `destination ${packet.destination ?? ""}, tshark has ${destinations.join(" ")}`;
  return findTcpDifference(packet, row);
}

/** An IP header shorter than 20 octets, or longer than its packet, is none for us; tshark shows its addresses. */
function isBogusIpHeader(row: FieldRow): boolean {
  const headerLength = Number(last(row, "ip.hdr_len"));
  return headerLength < 20 || Number(last(row, "ip.len")) < headerLength;
}

function findTcpDifference({ tcp }: PacketReading, row: FieldRow): string | undefined {
  const port = last(row, "tcp.srcport");
  if (!tcp) {
    // Of a header that is not whole (quoted in 8 octets, cut, data offset below 5) tshark still shows the ports.
    const headerLength = last(row, "tcp.hdr_len");
    return port === "" || headerLength === "" || Number(headerLength) < 20
      ? undefined
      : `no TCP header, tshark has port ${port}`;
  }
  const theirs = ["tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq_raw"].map((field) => last(row, field));
  // tshark shows no sequence number inside ICMP errors.
  const sequence = theirs[3] === "" ? Number.NaN : tcp.sequence;
  const ours = [tcp.sourcePort, tcp.destinationPort, tcp.flags, sequence];
  const same = ours.every((value, index) => Number.isNaN(value) || value === Number(theirs[index]));
  if (!same) return `TCP ${ours.join()}, tshark has ${theirs.join()}`;
  // Of cut options tshark shows what is there.
  if (tcp.options === undefined || tcp.options === last(row, "tcp.options").replaceAll(":", ""))
    return undefined;
  return `options ${tcp.options}, tshark has ${last(row, "tcp.options")}`;
}

function listCaptures(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(pcap|pcapng|ntar|snoop|gz|1)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

describe("packet by packet as tshark reads them", () => {
  it.each(listCaptures(join(root, "test/fixtures")).map((path) => [basename(path), path]))(
    "%s",
    async (_name, path) => {
      expect((await compare(path)).unexplained).toEqual([]);
    },
  );

  it(
    existsSync(captures)
      ? "captures that others made"
      : `captures that others made (not run: no folder ${captures})`,
    { timeout: 600_000 },
    async () => {
      if (!existsSync(captures)) return console.warn(`not compared: no folder ${captures}`);
      let packets = 0;
      const unexplained: string[] = [];
      for (const path of listCaptures(captures)) {
        const result = await compare(path);
        packets += result.packets;
        unexplained.push(...result.unexplained);
      }
      expect(unexplained).toEqual([]);
      expect(packets).toBeGreaterThan(30_000);
    },
  );
});
