/**
 * A selection as a display filter of Wireshark, and as a tshark command. Tests have tshark select by it and compare the
 * frames with the slice. Addresses and numbers only go in, never text that somebody else wrote.
 */
import {
  authenticatedLength,
  defaultAuthenticatedExid,
  maximumAuthenticatedRecords,
  shapeBits,
} from "../../wire/authenticated-format.ts";
import { encodeRecord } from "../../wire/mark.ts";
import { ipv4MarkTypes, maximumRecords, recordOctets, tcpMarkKinds } from "../../wire/mark-format.ts";
import { inMicroseconds } from "./frame-selector.ts";
import { flowOf } from "./selection.ts";
import type { PacketSelection } from "./selection.ts";

export interface PacketFilter {
  /** For a Wireshark with tattle's dissector. */
  readonly filter: string;
  /** For any Wireshark since 3.6. Longer where marks are asked for, and reads authenticated marks as well. */
  readonly plainFilter: string;
}

export function filterOf(selection: PacketSelection): PacketFilter {
  const others = [...addressTerms(selection), ...timeTerms(selection)];
  const join = (terms: readonly string[]): string => terms.join(" && ");
  if (selection.marked !== true && selection.record === undefined) {
    const filter = join(others);
    return { filter, plainFilter: filter };
  }
  return {
    filter: join([...pluginTerms(selection), ...others]),
    plainFilter: join([...plainTerms(selection), ...others]),
  };
}

function addressTerms(selection: PacketSelection): string[] {
  const { host, peer } = selection;
  const isMarked = selection.marked === true || selection.record !== undefined;
  if (peer === undefined) return isMarked ? [] : [`${ip(host)}.addr == ${host}`];
  const flow = flowOf(selection);
  if (flow === undefined) return [`${ip(host)}.addr == ${host}`, `${ip(peer)}.addr == ${peer}`];
  const transport = flow.protocol === 6 ? "tcp" : "udp";
  const oneWay = (from: string, fromPort: number, to: string, toPort: number): string =>
    `(${ip(from)}.src == ${from} && ${ip(to)}.dst == ${to} && ` +
    `${transport}.srcport == ${fromPort} && ${transport}.dstport == ${toPort})`;
  const sent = oneWay(host, flow.hostPort, peer, flow.peerPort);
  return [`(${sent} || ${oneWay(peer, flow.peerPort, host, flow.hostPort)})`];
}

function ip(address: string): "ip" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ip";
}

/** Until before the next microsecond: a capture may hold nanoseconds, and both ends are taken. */
function timeTerms({ from, to }: PacketSelection): string[] {
  const first = inMicroseconds(from);
  const last = inMicroseconds(to);
  return [
    ...(first === undefined ? [] : [`frame.time_epoch >= ${decimal(first)}`]),
    ...(last === undefined ? [] : [`frame.time_epoch < ${decimal(last + 1)}`]),
  ];
}

function decimal(microseconds: number): string {
  const fraction = String(microseconds % 1_000_000).padStart(6, "0");
  return `${Math.floor(microseconds / 1_000_000)}.${fraction}`;
}

function pluginTerms({ host, record }: PacketSelection): string[] {
  const field = host.includes(":") ? "tattle.host6" : "tattle.host";
  return [
    `${field} == ${host}`,
    ...(record === undefined ? [] : [`tattle.record == ${octetsOf(record).map(hex).join(":")}`]),
  ];
}

/** Wireshark has no field for a mark, but one for all options of a header: a regular expression walks them. */
function plainTerms({ host, record }: PacketSelection): string[] {
  const wanted = record && octetsOf(record);
  const tcp = `tcp.options matches r"${optionWalk(tcpMarkKinds, wanted, true)}"`;
  if (ip(host) === "ipv6") return [`ipv6.src == ${host}`, tcp];
  // Wireshark complains of octets that are not there.
  const ipv4 = `ip.hdr_len > 20 && ip[20:] matches r"${optionWalk(ipv4MarkTypes, wanted, false)}"`;
  return [`ip.src == ${host}`, `(${tcp} || (${ipv4}))`];
}

/**
 * From the first octet of an option list over whole options to the mark: octets that only look like one, inside of
 * another option, are passed over, and a mark behind the first one does not count. The list ends with kind 0.
 */
function optionWalk(
  kinds: readonly number[],
  record: readonly number[] | undefined,
  mayBeTagged: boolean,
): string {
  const mark = `[${kinds.map(escaped).join("")}](?:${markShapes(mayBeTagged, false)})`;
  const lengths = Array.from({ length: 39 }, (_, index) => `${escaped(index + 2)}${anyOctets(index)}`);
  const other = `[^${escaped(0)}${escaped(1)}](?:${lengths.join("|")})`;
  if (record === undefined) return `(?s-i)^(?:${escaped(1)}|${other})*${mark}`;
  const wanted = `[${kinds.map(escaped).join("")}](?:${markShapes(mayBeTagged, true)})`;
  return `(?s-i)^(?:${escaped(1)}|(?!${mark})${other})*${wanted}${record.map(escaped).join("")}`;
}

function anyOctets(count: number): string {
  return count < 2 ? ".".repeat(count) : `.{${count}}`;
}

/** Length and what follows it, of every mark that keeps the strict rule; up to any of its records if asked for. */
function markShapes(mayBeTagged: boolean, upToRecord: boolean): string {
  const shapes: string[] = [];
  const skipped = (count: number): string =>
    !upToRecord || count === 1 ? "" : `(?:.{${recordOctets}}){0,${count - 1}}`;
  for (let count = 1; count <= maximumRecords; count++)
    shapes.push(`${escaped(3 + recordOctets * count)}${escaped(count)}${skipped(count)}`);
  const exid = `${escaped(defaultAuthenticatedExid >> 8)}${escaped(defaultAuthenticatedExid & 0xff)}`;
  for (let count = 1; mayBeTagged && count <= maximumAuthenticatedRecords; count++) {
    const shape = shapeBits.version | (count << 2);
    const shapeOctets = `[${escaped(shape)}${escaped(shape | shapeBits.more)}]`;
    shapes.push(`${escaped(authenticatedLength(count))}${exid}${shapeOctets}.${skipped(count)}`);
  }
  return shapes.join("|");
}

function octetsOf(record: NonNullable<PacketSelection["record"]>): number[] {
  const octets = new Uint8Array(recordOctets);
  encodeRecord(record, new DataView(octets.buffer), 0);
  return [...octets];
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, "0");
}

/** For the regular expression: in a raw string (`r"…"`, since 3.6) Wireshark leaves backslashes alone. */
function escaped(octet: number): string {
  return `\\x${hex(octet)}`;
}

/** What a shell and a person take for a file name whatever stands in it; a name with control characters is neither. */
function quoted(name: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(name)) return "CAPTURE";
  return /^[A-Za-z0-9_./+-]+$/.test(name) && !name.startsWith("-")
    ? name
    : `'${name.replaceAll("'", "'\\''")}'`;
}

/**
 * The command that selects the same packets, for a POSIX shell. Fragments are not put together, because tshark would
 * show what is inside of the first one at the last one.
 */
export function tsharkCommand(captureName: string, filter: string, output: string): string {
  const name = quoted(captureName);
  const kinds = filter.includes("tattle.") ? ["-o tattle.kinds:253-254"] : [];
  return [
    "tshark",
    `-r ${name.startsWith("'-") ? `./${name}` : name}`,
    "-o ip.defragment:FALSE -o ipv6.defragment:FALSE",
    ...kinds,
    `-Y '${filter}'`,
    `-w ${output}`,
  ].join(" ");
}
