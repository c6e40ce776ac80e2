/** Departures from a capture with nanoseconds: source port of each TCP packet, and milliseconds since 1970. */
import { readFileSync } from "node:fs";

export function readFrameTimes(file: string): [port: number, at: number][] {
  const octets = readFileSync(file);
  const times: [number, number][] = [];
  for (let at = 24; at + 16 <= octets.length;) {
    const end = at + 16 + octets.readUInt32LE(at + 8);
    if (end > octets.length) break;
    const seconds = octets.readUInt32LE(at);
    const nanoseconds = octets.readUInt32LE(at + 4);
    // Ethernet 14, IPv4 20.
    times.push([octets.readUInt16BE(at + 16 + 34), seconds * 1000 + nanoseconds / 1e6]);
    at = end;
  }
  return times;
}
