/** What wire/ and what Wireshark read in a packet, in the words of the conformance vectors. */
import { formatAddress } from "../../wire/address.ts";
import { decodeMark, isPlausible } from "../../wire/mark.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import type { PacketToRead } from "./conformance.ts";
import type { PdmlItem } from "./pdml.ts";
import { allItems } from "./pdml.ts";

/** The reading of the TypeScript decoder: the walk through the packet, and the codec at the option it found. */
export function readWithDecoder(packet: PacketToRead): string[] {
  const { octets, captured, base, kinds, exid, seconds } = packet;
  // Behind the captured octets stand others, as in a reused buffer: reading past the end would show.
  const buffer = new Uint8Array(octets.length + 64).fill(0xa5);
  buffer.set(octets.subarray(0, captured));
  const walk = new PacketWalk(buffer, exid === undefined ? { kinds } : { kinds, exid });
  walk.walk(packet.linkType, 0, captured);
  const lines: string[] = [];
  if (walk.mark !== absent) {
    const view = new DataView(buffer.buffer, 0, walk.mark + walk.markLength);
    const mark = decodeMark(view, walk.mark, exid);
    const version = (buffer[walk.markNetwork] ?? 0) >> 4 === 6 ? 6 : 4;
    const source = formatAddress(
      new DataView(buffer.buffer),
      walk.markNetwork + (version === 6 ? 8 : 12),
      version,
    );
    const header = {
      kind: mark?.kind ?? 0,
      length: walk.markLength,
      count: walk.markCount,
      exid: mark?.exid,
    };
    const around = {
      carrier: walk.markCarrier,
      isQuoted: walk.markQuoted,
      host: packet.isFrame ? source : undefined,
    };
    lines.push(markLine(walk.mark - base, header, around));
    for (const [index, record] of (mark?.records ?? []).entries()) {
      const at = walk.mark + walk.markLength - 6 * (walk.markCount - index) - base;
      const isLater = record.detectedAt > seconds;
      const notice = isPlausible(record.detectedAt, seconds) ? "" : isLater ? "future" : "implausible";
      lines.push(recordLine(at, record.detectedAt, record.category, record.activity, notice));
    }
  }
  if (walk.duplicates > 0) lines.push(countLine(walk.duplicates, "duplicate"));
  if (walk.malformedAt !== absent) {
    const { offset, problem } = malformedBy(buffer, walk.malformedAt, exid);
    lines.push(`malformed at octet ${offset - base}: ${problem}`);
    if (walk.malformed > 1) lines.push(countLine(walk.malformed - 1, "further malformed"));
  }
  if (walk.cut) lines.push("cut");
  return lines;
}

function malformedBy(octets: Uint8Array, offset: number, exid: number | undefined): MalformedError {
  try {
    const length = octets[offset + 1] ?? 0;
    decodeMark(new DataView(octets.buffer, 0, offset + length), offset, exid);
  } catch (error) {
    if (error instanceof MalformedError) return error;
    throw error;
  }
  throw new Error(`the walk says that the option at ${offset} is malformed, the codec does not`);
}

/** The reading of the Lua dissector, out of one packet of `tshark -T pdml`. */
export function readFromPdml(dissected: PdmlItem, packet: Pick<PacketToRead, "base" | "isFrame">): string[] {
  const items = [...allItems(dissected)];
  const lines: string[] = [];
  const marks = items.filter((item) => item.name === "tattle");
  const duplicates = marks.filter((mark) => mark.child("tattle.duplicate"));
  const candidates = marks.filter((candidate) => !duplicates.includes(candidate));
  // The dissector shows what an ICMP error quotes beside the error's own mark; the error's own is the packet's.
  const mark = candidates.findLast((candidate) => !candidate.child("tattle.quoted")) ?? candidates.at(-1);
  if (mark) {
    const number = (name: string): number => Number(mark.child(name)?.show ?? Number.NaN);
    const exid = mark.child("tattle.exid") ? number("tattle.exid") : undefined;
    const header = {
      kind: number("tattle.kind"),
      length: number("tattle.length"),
      count: number("tattle.count"),
      exid,
    };
    const host = (mark.child("tattle.host") ?? mark.child("tattle.host6"))?.show;
    const around = {
      carrier: mark.child("tattle.carrier")?.show ?? "",
      isQuoted: mark.child("tattle.quoted") !== undefined,
      host: packet.isFrame ? host : undefined,
    };
    lines.push(markLine(mark.position - packet.base, header, around));
    for (const record of mark.children.filter((item) => item.name === "tattle.record")) {
      const value = (name: string): number => Number(record.child(name)?.show);
      const within = [...allItems(record)].map((item) => item.name);
      const notice = ["future", "implausible"].find((word) => within.includes(`tattle.time.${word}`)) ?? "";
      const [detectedAt, category, code] = ["detected_epoch", "category", "code"].map((name) =>
        value(`tattle.${name}`),
      );
      lines.push(recordLine(record.position - packet.base, detectedAt, category, code, notice));
    }
  }
  if (duplicates.length > 0) lines.push(countLine(duplicates.length, "duplicate"));
  const malformed = items.filter((item) => item.name === "tattle.malformed");
  if (malformed[0]) {
    const wrong = malformed[0].children.find((item) => item.child("_ws.expert"));
    const problem = wrong?.child("_ws.expert")?.child("_ws.expert.message")?.show;
    lines.push(`malformed at octet ${(wrong?.position ?? Number.NaN) - packet.base}: ${problem}`);
    if (malformed.length > 1) lines.push(countLine(malformed.length - 1, "further malformed"));
  }
  // Wireshark itself says so of a header that is cut before an option could tell that it is a mark.
  if (items.some((item) => item.name === "tattle.cut" || item.name === "_ws.short")) lines.push("cut");
  return lines;
}

interface MarkHeader {
  readonly kind: number;
  readonly length: number;
  readonly count: number;
  readonly exid: number | undefined;
}

function markLine(
  at: number,
  { kind, length, count, exid }: MarkHeader,
  around: { readonly carrier: string; readonly isQuoted: boolean; readonly host: string | undefined },
): string {
  const parts = [`kind ${kind}`, `length ${length}`, `count ${count}`];
  if (exid !== undefined) parts.push(`ExID 0x${exid.toString(16).padStart(4, "0")}`);
  if (around.carrier !== "tcp") parts.push(`carrier ${around.carrier}`);
  if (around.host !== undefined) parts.push(`host ${around.host}`);
  if (around.isQuoted) parts.push("quoted");
  return `mark at ${at}: ${parts.join(", ")}`;
}

function recordLine(
  at: number,
  detectedAt: number | undefined,
  category: number | undefined,
  activity: number | undefined,
  notice: string,
): string {
  const suffix = notice === "" ? "" : `, ${notice}`;
  return `record at ${at}: detected ${detectedAt}, category ${category}, activity ${activity}${suffix}`;
}

function countLine(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
