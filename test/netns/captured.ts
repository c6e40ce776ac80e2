/** What tcpdump wrote on an interface or for NFLOG, read while it runs. */
import { existsSync, readFileSync } from "node:fs";
import { linkTypes, networkHeader, nflogAttribute, nflogPrefix } from "../../wire/link-layer.ts";
import type { Place, Topology } from "../support/netns.ts";
import { waitUntil } from "../support/netns.ts";

export interface CapturedPacket {
  /** From the IP header on. */
  readonly octets: Uint8Array;
  /** What an NFLOG rule said. */
  readonly prefix: string;
}

/** Starts tcpdump; resolves when it listens. */
export async function capture(
  topology: Topology,
  place: Place,
  file: string,
  commandArguments: readonly string[],
): Promise<void> {
  const child = topology.start(place, "tcpdump", [
    "-n",
    "-U",
    "-B",
    "16384",
    "-w",
    file,
    ...commandArguments,
  ]);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil(`tcpdump listens: ${said}`, () => said.includes("listening on") && existsSync(file));
}

/** The packets in the file so far; a record that is not whole yet is left out. */
export function readCaptured(file: string): CapturedPacket[] {
  const octets = readFileSync(file);
  if (octets.length < 24) return [];
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const linkType = view.getUint32(20, true);
  const packets: CapturedPacket[] = [];
  for (let at = 24; at + 16 <= octets.length;) {
    const end = at + 16 + view.getUint32(at + 8, true);
    if (end > octets.length) break;
    const network = networkHeader(octets, linkType, at + 16, end);
    const prefixAt = linkType === linkTypes.nflog ? nflogAttribute(octets, nflogPrefix, at + 16, end) : -1;
    const prefix =
      prefixAt < 0 ? "" : octets.subarray(prefixAt, octets.indexOf(0, prefixAt)).toString("latin1");
    if (network >= 0) packets.push({ octets: octets.subarray(network, end), prefix });
    at = end;
  }
  return packets;
}
