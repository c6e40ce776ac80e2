/**
 * Community ID, version 1 (the Community ID specification by Corelight): the same text for both directions of a flow, in
 * Zeek, Suricata, Wireshark, Security Onion and here. SHA-1 over seed, addresses and ports in an order of their own.
 */
import { createHash } from "node:crypto";
import { parseAddress } from "../../wire/address.ts";
import { protocols } from "../../wire/packet-walk.ts";

export interface CommunityFlow {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const sctp = 132;
/** Protocols whose ports take part; ICMP's types would, but no flow here has them. */
const portProtocols: ReadonlySet<number> = new Set([protocols.tcp, protocols.udp, sctp]);

/** @throws MalformedError if an address is none. */
export function communityId(flow: CommunityFlow, seed = 0): string {
  const source = Buffer.from(parseAddress(flow.source));
  const destination = Buffer.from(parseAddress(flow.destination));
  const order = source.compare(destination);
  const isInOrder = order < 0 || (order === 0 && flow.sourcePort <= flow.destinationPort);
  const [first, second] = isInOrder ? [source, destination] : [destination, source];
  const ports = isInOrder ? [flow.sourcePort, flow.destinationPort] : [flow.destinationPort, flow.sourcePort];
  const head = Buffer.alloc(2);
  head.writeUInt16BE(seed);
  const protocol = Buffer.from([flow.protocol, 0]);
  const tail = Buffer.alloc(portProtocols.has(flow.protocol) ? 4 : 0);
  if (tail.length > 0) {
    tail.writeUInt16BE(ports[0] ?? 0, 0);
    tail.writeUInt16BE(ports[1] ?? 0, 2);
  }
  return `1:${createHash("sha1")
    .update(Buffer.concat([head, first, second, protocol, tail]))
    .digest("base64")}`;
}
