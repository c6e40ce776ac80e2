/** Header templates for generate-capture.ts: what differs between packets of one flow is patched in afterwards. */
import { maximumOptionOctets, recordOctets } from "../../wire/mark-format.ts";
import { addMark } from "../../wire/tcp-options.ts";
import { ethernetFrame } from "./link-frame.ts";
import { synOptions, tcpPacket, timestampsOption, udpPacket } from "./segment.ts";

export type Step = "syn" | "synAck" | "data" | "ack";

export interface PacketShape {
  readonly isVersion6: boolean;
  readonly isUdp: boolean;
  /** Records in each packet of data of a flagged host's flow; 0 if the shape is for others. A SYN carries one. */
  readonly records: number;
  /** Offsets in the frame. */
  readonly network: number;
  readonly transport: number;
  /** Octets from the mark's kind to the end of the TCP header. */
  readonly markFromEnd: { readonly syn: number; readonly data: number };
  readonly headers: Readonly<Record<Step, Uint8Array>>;
}

export function buildShapes(mix: "mixed" | "all-marked" | "all-marked-small"): PacketShape[] {
  if (mix === "all-marked-small") return [shape(false, false, false, 1, false)];
  const shapes: PacketShape[] = [];
  // Weights: 15 % IPv6, 10 % VLAN, 12 % UDP.
  for (let index = 0; index < 100; index++) {
    const [isVersion6, hasVlan, isUdp] = [index % 7 === 3, index % 10 === 4, index % 8 === 5];
    if (mix === "mixed") shapes.push(shape(isVersion6, hasVlan, isUdp, 0, true));
    const records = [1, 1, 1, 2, 3, 6][index % 6] ?? 1;
    shapes.push(shape(isVersion6, hasVlan, false, records, records < 4));
  }
  return shapes;
}

function shape(
  isVersion6: boolean,
  hasVlan: boolean,
  isUdp: boolean,
  records: number,
  hasTimestamps: boolean,
): PacketShape {
  const ip = isVersion6
    ? { source: "2001:db8::", destination: "2001:db8::" }
    : { source: "10.0.0.0", destination: "10.0.0.0" };
  const frame = (packet: Uint8Array): Uint8Array => ethernetFrame(packet, hasVlan ? [{ id: 100 }] : []);
  const base = hasTimestamps ? timestampsOption(1, 1) : new Uint8Array();
  const tcp = (flags: string, options: Uint8Array): Uint8Array =>
    frame(tcpPacket(ip, { sourcePort: 1, destinationPort: 1, flags, options }));
  const withMark = (options: Uint8Array, count: number): Uint8Array =>
    count === 0 ? options : addMark(options, { kind: 253, records: exampleRecords(count) });
  const syn = withMark(synOptions(), Math.min(1, records));
  const data = withMark(base, records);
  const headers = {
    syn: tcp("S", syn),
    synAck: tcp("SA", synOptions()),
    data: isUdp
      ? frame(udpPacket(ip, { sourcePort: 1, destinationPort: 1, payload: new Uint8Array() }))
      : tcp("A", data),
    ack: tcp("A", timestampsOption(1, 1)),
  };
  const network = hasVlan ? 18 : 14;
  return {
    isVersion6,
    isUdp,
    records,
    network,
    transport: network + (isVersion6 ? 40 : 20),
    markFromEnd: { syn: fromMark(syn), data: fromMark(data) },
    headers,
  };
}

function fromMark(options: Uint8Array): number {
  for (let at = 0; at < Math.min(options.length, maximumOptionOctets);) {
    if (options[at] === 253) return options.length - at;
    at += options[at] === 1 ? 1 : (options[at + 1] ?? recordOctets);
  }
  return 0;
}

/** Activities that the default code book knows. */
function exampleRecords(count: number): { detectedAt: number; category: number; activity: number }[] {
  const codes = [
    [1, 1],
    [2, 1],
    [5, 1],
    [4, 2],
    [6, 1],
    [3, 1],
  ];
  return codes.slice(0, count).map(([category = 1, activity = 1]) => ({ detectedAt: 0, category, activity }));
}
