/** What every Wireshark is asked, and what the machine's own tshark answered. */
import { readFileSync } from "node:fs";
import { allItems, parsePdml } from "./pdml.ts";
import { readOctets } from "./read-octets.ts";
import type { ReadFrame } from "./read-octets.ts";
import { tagKeys, taggedCapture } from "./tag-vectors.ts";
import { writeFrames } from "./write-frames.ts";

/** One line of a packet's details that the dissector wrote. */
export interface DetailLine {
  /** Name of the field, as filters have it. */
  readonly field: string;
  readonly label: string;
  /** Where its octets are in the frame. */
  readonly start: number;
  readonly length: number;
}

/** Preferences of the dissector, with everything on. */
export const matrixPreferences: Readonly<Record<string, string>> = { kinds: "253-254", keys: tagKeys };

export const matrixArguments = Object.entries(matrixPreferences).flatMap(([name, value]) => [
  "-o",
  `tattle.${name}:${value}`,
]);

const fixtures = new URL("../fixtures/", import.meta.url);

/** Of the fixtures those that are about marks, not about files: the marks that agents and decoders are tested with. */
const captures = [
  "carriers.pcap",
  "duplicates.pcap",
  "foreign-options.pcap",
  "fragments.pcap",
  "link-layers.pcapng",
  "malformed.pcap",
  "modified.pcap",
  "quoted.pcap",
  "snap-cut.pcap",
  "tunnels.pcap",
];

/** All of them in one, with the tags of the reference: a Wireshark takes longer to start than to read them. */
export async function matrixCapture(): Promise<Uint8Array> {
  const files = captures.map((name) => readFileSync(new URL(name, fixtures)));
  const read = await Promise.all([...files, taggedCapture(beforeYear2038)].map(readFramesOf));
  return writeFrames(read.flat());
}

/** A Wireshark of 32 bits, as WebAssembly is, counts seconds no further. */
const beforeYear2038 = 2 ** 31;

async function readFramesOf(octets: Uint8Array): Promise<readonly ReadFrame[]> {
  return (await readOctets(octets)).frames;
}

/** The lines of each frame in which the dissector shows anything, from `tshark -T pdml`. */
export function detailsFromPdml(pdml: string): Record<string, DetailLine[]> {
  const packets = parsePdml(pdml).map((packet): [string, DetailLine[]] => {
    const number = packet.child("geninfo")?.child("num")?.show ?? "";
    const own = [...allItems(packet)].filter((item) => /^tattle\b/.test(item.name) && !item.isHidden);
    const lines = own.map(({ name, title, show, position, size }) => ({
      field: name,
      label: title === "" ? show : title,
      start: position,
      length: size,
    }));
    return [number, lines];
  });
  return Object.fromEntries(packets.filter(([, lines]) => lines.length > 0));
}
