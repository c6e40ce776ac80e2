/** Authenticated marks of each status in one capture: verified, not verifying, outside the window, clean. */
import { writePcap } from "./capture-writer.ts";
import { ethernetFrame } from "./link-frame.ts";
import { tcpPacket } from "./segment.ts";
import { taggedOption } from "./tagged-option.ts";

const time = 1_773_738_000;
const key = Uint8Array.from({ length: 16 }, (_, index) => index);
const flow = { source: "10.1.0.25", destination: "10.9.0.7", sourcePort: 40_000, destinationPort: 80 };
const records = [{ detectedAt: time - 92, category: 1, activity: 1 }];
const option = taggedOption({ ...flow, time, key, records });

const packets = [
  { packet: tcpPacket(flow, { ...flow, options: option }), later: 0 },
  { packet: tcpPacket({ ...flow, source: "10.1.0.26" }, { ...flow, options: option }), later: 0 },
  { packet: tcpPacket(flow, { ...flow, options: option }), later: 300 },
  {
    packet: tcpPacket(flow, { ...flow, options: taggedOption({ ...flow, time, key, records: [] }) }),
    later: 0,
  },
];

export const taggedSamples = {
  /** For the preference. */
  keys: `0:${Buffer.from(key).toString("hex")}`,
  capture: writePcap(
    packets.map(({ packet, later }) => ({
      octets: ethernetFrame(packet),
      time: BigInt(time + later) * 1_000_000_000n,
    })),
  ),
};
