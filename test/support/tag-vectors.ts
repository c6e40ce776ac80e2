/** The vectors of docs/reference/authenticated-mark.md as packets, and the key they were signed with. */
import { readFileSync } from "node:fs";
import { writePcap } from "./capture-writer.ts";
import { ethernetFrame } from "./link-frame.ts";
import { hexOctets, tcpPacket } from "./segment.ts";

interface TagVector {
  readonly key: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly time: number;
  readonly option: string;
}

const page = readFileSync(new URL("../../docs/reference/authenticated-mark.md", import.meta.url), "utf8");
export const tagVectors = JSON.parse(
  /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "[]",
) as readonly TagVector[];

/** For the preference: the vectors' key under every id. */
export const tagKeys = Array.from({ length: 16 }, (_, id) => `${id}:${tagVectors[0]?.key ?? ""}`).join(",");

/** Those that were sent before a time, seconds since 1970. */
export function taggedCapture(before = Infinity): Uint8Array {
  return writePcap(
    tagVectors
      .filter(({ time }) => time < before)
      .map((vector) => ({
        octets: ethernetFrame(tcpPacket(vector, { ...vector, options: hexOctets(vector.option) })),
        time: BigInt(vector.time) * 1_000_000_000n,
      })),
  );
}
