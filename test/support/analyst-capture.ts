/** Packets as an analyst may meet them, and which of them each filter finds, in every Wireshark. */
import { writePcap } from "./capture-writer.ts";
import { ethernetFrame } from "./link-frame.ts";
import { hexOctets, icmpError, joinOctets, markOption, tcpPacket, timestampsOption } from "./segment.ts";

/** 2026-03-17T09:00:00Z, when the first frame was captured; the others follow a second apart. */
const start = 1_773_738_000;
const client = { source: "10.1.0.25", destination: "10.9.0.7" };
const client6 = { source: "fd10::25", destination: "fd10::7" };
const request = Buffer.from("GET / HTTP/1.0\r\n\r\n");
const http = { sourcePort: 40000, destinationPort: 80, flags: "PA", payload: request };

const ran = { detectedAt: start - 92, category: 1, activity: 1 };
const shared = { detectedAt: start - 7512, category: 2, activity: 1 };
const unknown = { detectedAt: start - 30, category: 9, activity: 200 };
const future = { detectedAt: start + 4000, category: 6, activity: 1 };
const old = { detectedAt: 0, category: 6, activity: 1 };
const stale = { detectedAt: start - 40 * 86_400, category: 5, activity: 1 };

const tcp = (options: Uint8Array, sequence = 1): Uint8Array =>
  tcpPacket(client, { ...http, options, sequence });

const packets = [
  tcp(timestampsOption(1, 2)),
  tcp(joinOctets(timestampsOption(3, 4), markOption([ran])), 1 + request.length),
  tcpPacket(client6, { ...http, payload: Buffer.from("no protocol"), options: markOption([ran, shared]) }),
  tcp(markOption([ran, shared, unknown, future])),
  tcp(joinOctets(markOption([unknown]), markOption([ran]))),
  tcp(markOption([ran], 254)),
  icmpError({ source: "10.1.0.1", destination: "10.1.0.25" }, tcp(markOption([ran]))),
  tcp(hexOctets("fd 0c 01 69 b9 18 a4 01 01 de ad be")),
  tcpPacket({ ...client, ipOptions: markOption([old], 94) }, { ...http, options: markOption([stale]) }),
];

/** The packets, a second apart. */
export function analystCapture(): Uint8Array {
  const frames = packets.map((packet, index) => ({
    octets: ethernetFrame(packet),
    time: BigInt(start + index) * 1_000_000_000n + 250_000_000n,
  }));
  return writePcap(frames);
}

/** With both kinds read. */
export const analystFilters: readonly (readonly [expression: string, frames: readonly number[]])[] = [
  ["tattle", [2, 3, 4, 5, 6, 7, 9]],
  ["tattle && !tattle.quoted", [2, 3, 4, 5, 6, 9]],
  ['tattle.activity == "Malware ran"', [2, 3, 4, 5, 6, 7]],
  ["tattle.activity == 0x0201", [3, 4]],
  ['tattle.category == "Information leakage"', [3, 4]],
  ["tattle.category == 9 && tattle.code == 200", [4, 5]],
  ['tattle.severity == "critical"', [2, 3, 4, 5, 6, 7, 9]],
  ["tattle.severity < 3", [4, 5, 9]],
  ['tattle.attack == "T1048"', [3, 4]],
  ["tattle.elapsed < 0", [4]],
  ["tattle.elapsed > 7200", [3, 4, 9]],
  ["tattle.elapsed_min < 94", [2, 4, 5]],
  ["tattle.elapsed_minutes == 125", [3, 4]],
  ['tattle.detected_at >= "2026-03-17 08:59:00"', [4, 5]],
  ["tattle.detected_epoch == 1773737908", [2, 3, 4, 5, 6, 7]],
  ["tattle.host == 10.1.0.0/16", [2, 4, 5, 6, 7, 9]],
  ["tattle.host6 == fd10::25", [3]],
  ["tattle.count > 1 && tattle", [3, 4]],
  ['tattle.carrier == "ipv4"', [9]],
  ["tattle.kind == 254", [6]],
  ['tattle.summary contains "sharing"', [3, 4]],
  ["tattle.duplicate", [5]],
  ["tattle.quoted", [7]],
  ["tattle.malformed", [8]],
  ["tattle.trailing == de:ad:be", [8]],
  // Expert information, which must be there whatever the filter asks for.
  ["tattle.marked", [2, 3, 4, 5, 6, 9]],
  ["tattle.malformed.length", [8]],
  ["tattle.trailing_octets", [8]],
  ["tattle.time.future", [4]],
  ["tattle.time.implausible", [9]],
  ["tattle.time.stale", [9]],
  ["tattle.unknown_code", [4, 5]],
  ["tattle.duplicate_mark", [5]],
  ['_ws.expert.message contains "flagged"', [2, 3, 4, 5, 6, 9]],
  ['_ws.expert.message == "length is 12, but 1 record takes 9 octets"', [8]],
];
