/** How other programs call what tattle calls something else: protocols, severities, techniques. */
import { protocols } from "../../wire/packet-walk.ts";
import { severities } from "../../wire/code-book.ts";
import type { Severity } from "../../wire/code-book.ts";
import { communityId } from "./community-id.ts";
import { maybeNumber, maybeText, textOf } from "./row.ts";
import type { ExportRow } from "./row.ts";

const names: ReadonlyMap<number, string> = new Map([
  [protocols.icmp, "icmp"],
  [protocols.ipip, "ipip"],
  [protocols.tcp, "tcp"],
  [protocols.udp, "udp"],
  [protocols.ipv6, "ipv6"],
  [protocols.gre, "gre"],
  [protocols.icmpv6, "ipv6-icmp"],
  [132, "sctp"],
]);

/** IANA's keyword in lower case; the number where it is none of the usual ones. */
export function protocolName(protocol: number): string {
  return names.get(protocol) ?? String(protocol);
}

export function severityOf(row: ExportRow): Severity {
  const text = maybeText(row, "severity");
  return severities.find((known) => known === text) ?? "medium";
}

export function versionOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

/** Both ends of a flow, the marking host first; undefined if the row has no peer. */
export interface Ends {
  readonly host: string;
  readonly hostPort: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly protocol: number;
  readonly communityId: string;
}

export function endsOf(row: ExportRow): Ends | undefined {
  const peer = maybeText(row, "peer");
  const protocol = maybeNumber(row, "protocol");
  if (peer === undefined || protocol === undefined) return undefined;
  const host = textOf(row, "host");
  const hostPort = maybeNumber(row, "host_port") ?? 0;
  const peerPort = maybeNumber(row, "peer_port") ?? 0;
  const flow = { source: host, destination: peer, protocol, sourcePort: hostPort, destinationPort: peerPort };
  return { host, hostPort, peer, peerPort, protocol, communityId: communityId(flow) };
}

/** Number of an activity, the same in every export: category * 256 + activity. */
export function activityCode(row: ExportRow): number {
  return (maybeNumber(row, "category") ?? 0) * 256 + (maybeNumber(row, "activity") ?? 0);
}

/** What drops and rejects have in common. */
export function isStopped(verdict: string): boolean {
  return verdict === "drop" || verdict === "reject";
}
