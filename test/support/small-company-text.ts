/** What stands beside the two captures of the demo; the numbers are counted from the packets as they were made. */
import { formatAddress } from "../../wire/address.ts";
import { flagged } from "./small-company.ts";
import type { SmallCompany } from "./small-company.ts";
import type { TimedPacket } from "./conversation.ts";

/** Time of that day, or the date where it is another one. */
function clock(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return text.startsWith("2026-03-17") ? text.slice(11, 19) : text.slice(0, 10);
}

function sourceOf(packet: Uint8Array): string {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return packet[0] === 0x60 ? formatAddress(view, 8, 6) : formatAddress(view, 12, 4);
}

/** Marked packets by host: every TCP packet that a host sends while it is flagged. */
function markedPackets(packets: readonly TimedPacket[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { time, packet } of packets) {
    const source = sourceOf(packet);
    const isTcp = (packet[0] === 0x60 ? packet[6] : packet[9]) === 6;
    const seconds = time / 1e6;
    const isFlagged = flagged.some(
      (stretch) =>
        stretch.address === source && seconds >= stretch.from && seconds < (stretch.until ?? Infinity),
    );
    if (isTcp && isFlagged) counts.set(source, (counts.get(source) ?? 0) + 1);
  }
  return counts;
}

function countLines(packets: readonly TimedPacket[]): string[] {
  const counts = markedPackets(packets);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    `packets ${packets.length}`,
    `marked packets ${total}`,
    `hosts ${counts.size}`,
    ...[...counts].map(([host, count]) => `${host}: ${count} marked packets`),
  ];
}

export function describeSmallCompany(company: SmallCompany): string {
  const stretches = flagged.map(({ address, from, until, record }) => {
    const end = until === undefined ? "to the end" : `to ${clock(until)}`;
    const codes = `category ${record.category}, activity ${record.activity}`;
    return `${address}: ${codes}, detected ${clock(record.detectedAt)}, marked from ${clock(from)} ${end}`;
  });
  return [
    "A working day in a small company, 2026-03-17 from 08:00 to 18:00 UTC, at the mirror port of the LAN switch.",
    "Frames are cut to 118 octets. Servers inside: 10.20.0.2, .6, .7 and fd20::7.",
    "",
    ...countLines(company.lan),
    "",
    ...stretches,
    "",
    "10.20.0.23 design-2: a program put private files into a sharing folder; 14 outside peers fetch them until 18:00.",
    "10.20.0.31 accounts-1: talks to a control server; contained by the border router from 16:20 on (border capture).",
    "10.20.0.17 reception: file sharing in the morning, cleared at 11:30.",
    "10.20.0.44 printer-room: three times SYNs that nobody answers; anybody could have sent them in its name.",
    "fd20::38 workshop-3: detected in 2031, which cannot be; listed, not ranked.",
    "",
    "Ranking at the end of the day: 10.20.0.23, then 10.20.0.31 (contained), then 10.20.0.17, then 10.20.0.44.",
    "",
  ].join("\n");
}

export function describeBorder(company: SmallCompany): string {
  return [
    "What the border router of the small company dropped that day: NFLOG (link type 239), prefix tattle:drop:contain-c2.",
    "All packets are marked SYNs of 10.20.0.31 to its control servers, the same as in small-company.pcapng.",
    "",
    ...countLines(company.border),
    "",
  ].join("\n");
}
