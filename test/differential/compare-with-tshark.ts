/** Every packet of a capture as tshark reads it and as we do: addresses, ports, flags, sequence numbers, options. */
import { basename } from "node:path";
import { withoutReassembly } from "../support/tshark.ts";
import type { FieldRow, IsolatedTshark } from "../support/tshark.ts";
import { isExplained, otherCounts, otherFormats } from "./known-differences.ts";
import { readPackets } from "./read-packets.ts";
import type { PacketReading } from "./read-packets.ts";

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
  "tcp.urgent_pointer",
  "_ws.malformed",
  "frame.protocols",
];

export interface Comparison {
  readonly packets: number;
  /** Differences, each with the frame's number. */
  readonly unexplained: readonly string[];
}

export async function compareWithTshark(tshark: IsolatedTshark, path: string): Promise<Comparison> {
  const { summary, packets } = await readPackets(path);
  // A capture that is none has no rows either; tshark's own complaint is not what is tested.
  if (summary.outcome.state === "refused") return { packets: 0, unexplained: [] };
  const rows = await tshark.readFields(path, fields, withoutReassembly);
  const name = basename(path);
  const compared = otherFormats.has(name) ? [] : packets;
  const unexplained = compared.flatMap((packet, index) => {
    const row = rows[index];
    const difference = row ? findDifference(packet, row) : "no such frame";
    return difference === undefined
      ? []
      : [`${name}, frame ${index + 1}: ${difference} (${row ? last(row, "frame.protocols") : ""})`];
  });
  const isOther = rows.length !== packets.length;
  if (isOther && !otherCounts.has(name))
    unexplained.push(`${name}: ${packets.length} frames, tshark reads ${rows.length}`);
  if (!isOther && otherCounts.has(name)) unexplained.push(`${name}: explained, but equal`);
  return { packets: packets.length, unexplained };
}

function last(row: FieldRow, field: string): string {
  return row.get(field)?.at(-1) ?? "";
}

/** What differs and is not explained. */
function findDifference(packet: PacketReading, row: FieldRow): string | undefined {
  // tshark gave up in the middle of this packet; how far it came says nothing about it.
  if (row.get("_ws.malformed")?.length !== 0) return undefined;
  if (isCutIpHeader(row)) return undefined;
  const sources = [last(row, "ip.src"), inOurWords(last(row, "ipv6.src"))];
  if (packet.source === undefined) {
    return sources.join("") === "" || isBogusIpHeader(row) || isExplained(row, "theirs")
      ? undefined
      : `no IP header, tshark has ${sources.join(" ")}`;
  }
  if (!sources.includes(packet.source) && isExplained(row, "ours")) return undefined;
  if (!sources.includes(packet.source)) return `source ${packet.source}, tshark has ${sources.join(" ")}`;
  const destinations = [last(row, "ip.dst"), inOurWords(last(row, "ipv6.dst"))];
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

/** tshark writes IPv4-compatible addresses (RFC 4291 section 2.5.5.1) with dots, we in hexadecimal. */
function inOurWords(address: string): string {
  const found = /^::(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (!found) return address;
  const [a = 0, b = 0, c = 0, d = 0] = found.slice(1).map(Number);
  return `::${a * 256 + b === 0 ? "" : `${(a * 256 + b).toString(16)}:`}${(c * 256 + d).toString(16)}`;
}

/** Of an IP header that the capture cut behind the source address, tshark shows the source; for us it is none. */
function isCutIpHeader(row: FieldRow): boolean {
  return count(row, "ip.src") > count(row, "ip.dst") || count(row, "ipv6.src") > count(row, "ipv6.dst");
}

function count(row: FieldRow, field: string): number {
  return row.get(field)?.length ?? 0;
}

function findTcpDifference({ tcp }: PacketReading, row: FieldRow): string | undefined {
  const port = last(row, "tcp.srcport");
  if (!tcp) {
    // Of a header that is not whole (quoted in 8 octets, cut, data offset below 5) tshark still shows the ports.
    const headerLength = last(row, "tcp.hdr_len");
    const isCut = count(row, "tcp.srcport") > count(row, "tcp.urgent_pointer");
    return port === "" || isCut || headerLength === "" || Number(headerLength) < 20
      ? undefined
      : `no TCP header, tshark has port ${port}`;
  }
  const theirs = ["tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq_raw"].map((field) => last(row, field));
  // Of a segment quoted in an ICMP error, tshark shows what the quoting packet's length leaves, often the ports only.
  if (theirs[2] === "" && isExplained(row, "ours")) return undefined;
  const sequence = theirs[3] === "" ? Number.NaN : tcp.sequence;
  const ours = [tcp.sourcePort, tcp.destinationPort, tcp.flags, sequence];
  const same = ours.every((value, index) => Number.isNaN(value) || value === Number(theirs[index]));
  if (!same) return `TCP ${ours.join()}, tshark has ${theirs.join()}`;
  // Of cut options tshark shows what is there.
  if (tcp.options === undefined || tcp.options === last(row, "tcp.options").replaceAll(":", ""))
    return undefined;
  const shown = last(row, "tcp.options").replaceAll(/:|<MISSING>/g, "");
  if (tcp.options.startsWith(shown) && isExplained(row, "ours")) return undefined;
  return `options ${tcp.options}, tshark has ${last(row, "tcp.options")}`;
}
