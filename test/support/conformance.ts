/**
 * Conformance vectors: Markdown with fenced blocks of octets, each followed by the reading that every decoder must give.
 *
 *     ```octets tcp-options [kinds=253] [exid=4d4b] [captured=12]
 *     fd 09 01              octets, two blanks or more, what they are
 *     65 00 00 00 02 01
 *     -> mark at 0: kind 253, length 9, count 1
 *     -> record at 3: detected 1694498816, category 2, activity 1
 *     ```
 *
 * `tcp-options` and `ipv4-options` are put into a packet, and octets are counted from the first option; `frame link=...`
 * is a whole frame, counted from its first octet. `-> nothing` is the reading of what holds no mark.
 */
import { readFileSync, readdirSync } from "node:fs";
import { linkTypes } from "../../wire/link-layer.ts";
import { ethernetFrame } from "./link-frame.ts";
import { hexOctets, tcpPacket } from "./segment.ts";

/** A packet, and how it is to be read. */
export interface PacketToRead {
  readonly octets: Uint8Array;
  readonly linkType: number;
  /** How many of the octets the capture kept. */
  readonly captured: number;
  /** When it was captured, seconds since 1970. */
  readonly seconds: number;
  /** Octet that readings count from. */
  readonly base: number;
  /** Whether it is a whole frame: then the reading names the host. */
  readonly isFrame: boolean;
  /** Option kinds of TCP that are read as marks. */
  readonly kinds: readonly number[];
  readonly exid: number | undefined;
}

export interface ConformanceCase extends PacketToRead {
  /** File and heading, as tests are named. */
  readonly name: string;
  readonly reading: readonly string[];
}

/** When every packet of the vectors was captured: 2023-09-12T06:10:16Z, 200 s after 65000000. */
const packetSeconds = 0x650000c8;

/** All vectors of a folder, file by file. */
export function readConformanceCases(folder: URL): ConformanceCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .flatMap((file) => parseConformance(file, readFileSync(new URL(file, folder), "utf8")));
}

export function parseConformance(file: string, text: string): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  let heading = "";
  let block: { words: string[]; lines: string[]; at: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (block && line === "```") {
      cases.push(toCase(`${file}: ${heading}`, `${file}:${block.at}`, block.words, block.lines));
      block = undefined;
    } else if (block) block.lines.push(line);
    else if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    else if (line.startsWith("```octets "))
      block = { words: line.slice(10).split(" "), lines: [], at: index + 1 };
  }
  if (block) throw new Error(`${file}:${block.at}: block without an end`);
  return cases;
}

function toCase(
  name: string,
  place: string,
  words: readonly string[],
  lines: readonly string[],
): ConformanceCase {
  const [carrier = "", ...rest] = words;
  const settings = new Map(
    rest.map((word): [string, string] => [word.split("=")[0] ?? "", word.split("=")[1] ?? ""]),
  );
  const octets = hexOctets(
    lines
      .filter((line) => !line.startsWith("->"))
      .map(octetsOf(place))
      .join(" "),
  );
  const reading = lines.filter((line) => line.startsWith("-> ")).map((line) => line.slice(3));
  if (reading.length === 0) throw new Error(`${place}: no reading`);
  const packet = inPacket(place, carrier, octets, settings.get("link"));
  const captured = settings.get("captured");
  const exid = settings.get("exid");
  return {
    name,
    ...packet,
    captured: captured === undefined ? packet.octets.length : packet.base + Number(captured),
    seconds: packetSeconds,
    kinds: settings.get("kinds") === "253" ? [253] : [253, 254],
    exid: exid === undefined ? undefined : parseInt(exid, 16),
    reading: reading[0] === "nothing" ? [] : reading,
  };
}

function octetsOf(place: string): (line: string) => string {
  return (line) => {
    const octets = /^(?:[0-9a-f]{2} )*[0-9a-f]{2}(?=$|  )/.exec(line)?.[0];
    if (octets === undefined) throw new Error(`${place}: expected octets, got "${line}"`);
    return octets;
  };
}

const addresses = { source: "192.0.2.25", destination: "198.51.100.7" };
const ports = { sourcePort: 40000, destinationPort: 8081, sequence: 1, acknowledgment: 1, flags: "PA" };
const payload = Buffer.from("hello");

function inPacket(
  place: string,
  carrier: string,
  octets: Uint8Array,
  link: string | undefined,
): Pick<ConformanceCase, "octets" | "linkType" | "base" | "isFrame"> {
  const wrapped = { linkType: linkTypes.ethernet, isFrame: false };
  if (carrier === "tcp-options") {
    const packet = tcpPacket(addresses, { ...ports, options: octets, payload });
    return { ...wrapped, octets: ethernetFrame(packet), base: 14 + 20 + 20 };
  }
  if (carrier === "ipv4-options") {
    const packet = tcpPacket({ ...addresses, ipOptions: octets }, { ...ports, payload });
    return { ...wrapped, octets: ethernetFrame(packet), base: 14 + 20 };
  }
  const linkType = Object.entries(linkTypes).find(([name]) => name === link)?.[1];
  if (carrier !== "frame" || linkType === undefined)
    throw new Error(`${place}: expected tcp-options, ipv4-options or frame link=NAME, got "${carrier}"`);
  return { octets, linkType, base: 0, isFrame: true };
}
