/** What a file is, by its first octets: its name says nothing. */
import type { FrameSink } from "./frame-sink.ts";
import { PcapWalker, pcapMagics } from "./pcap-walker.ts";
import { PcapngWalker, sectionHeaderBlock } from "./pcapng-walker.ts";
import type { RecordWalker } from "./record-walker.ts";
import { SnoopWalker } from "./snoop-walker.ts";

/** Octets that are enough to tell. */
export const magicOctets = 8;

/** The walker for a capture that begins with these octets, or undefined. */
export function walkerFor(beginning: Uint8Array, sink: FrameSink): RecordWalker | undefined {
  if (beginning.length < 4) return undefined;
  const view = new DataView(beginning.buffer, beginning.byteOffset, beginning.byteLength);
  const big = view.getUint32(0);
  const little = view.getUint32(0, true);
  if (big === sectionHeaderBlock) return new PcapngWalker(sink);
  if (Object.values(pcapMagics).some((magic) => magic === big || magic === little))
    return new PcapWalker(sink);
  if (hexadecimal(beginning, 8) === "736e6f6f70000000") return new SnoopWalker(sink);
  return undefined;
}

/** RFC 1952 section 2.3.1, deflate being the only method. */
export function isGzip(beginning: Uint8Array): boolean {
  return beginning[0] === 0x1f && beginning[1] === 0x8b && beginning[2] === 8;
}

/** Files that people take for captures, by how they begin. */
const others: readonly (readonly [beginning: string, explanation: string])[] = [
  ["28b52ffd", "compressed with zstd, which is not read here: zstd -dc FILE | tattle ingest -"],
  ["fd377a585a00", "compressed with xz, which is not read here: xz -dc FILE | tattle ingest -"],
  ["425a68", "compressed with bzip2, which is not read here: bzip2 -dc FILE | tattle ingest -"],
  ["04224d18", "compressed with lz4, which is not read here: lz4 -dc FILE | tattle ingest -"],
  ["504b0304", "a zip archive; unpack it first"],
  ["474d4255", "a Microsoft Network Monitor capture; editcap -F pcapng converts it"],
  ["52545353", "a Microsoft Network Monitor capture; editcap -F pcapng converts it"],
  ["58435000", "a NetXRay capture; editcap -F pcapng converts it"],
  ["545253", "a Sniffer capture; editcap -F pcapng converts it"],
];

/** Why a file that begins so is no capture. */
export function describeForeign(beginning: Uint8Array): string {
  if (beginning.length === 0) return "empty: 0 octets";
  if (isGzip(beginning)) return "compressed with gzip twice";
  const octets = hexadecimal(beginning, magicOctets);
  const known = others.find(([magic]) => octets.startsWith(magic));
  if (known) return known[1];
  if (beginning.length < 4) return `only ${beginning.length} octets, too few for a capture`;
  const text = new TextDecoder().decode(beginning.subarray(0, magicOctets));
  return /^[\t\n\r -~]+$/.test(text)
    ? `text, not a capture: it begins with ${JSON.stringify(text)}`
    : `not a capture: it begins with octets ${octets}, no known format does`;
}

function hexadecimal(octets: Uint8Array, count: number): string {
  return Array.from(octets.subarray(0, count), (octet) => octet.toString(16).padStart(2, "0")).join("");
}
