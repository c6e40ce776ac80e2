/** What came and went while a probe ran: TCP segments, and ICMP errors that quote one. Octets of others: all is bounded. */
import { formatAddress } from "../../wire/address.ts";
import { networkHeader } from "../../wire/link-layer.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { protocols } from "../../wire/packet-walk.ts";
import { listOptions } from "../../wire/tcp-options.ts";

export interface SeenSegment {
  readonly type: "segment";
  readonly source: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** Value of the timestamps option; absent if there is none. */
  readonly timestamp?: number;
}

export interface SeenRefusal {
  readonly type: "refusal";
  /** Who sent the ICMP error. */
  readonly source: string;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** Ports of the segment that it quotes. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const icmp = { 4: 1, 6: 58 } as const;
/** Echo and what else is no error: the quoting ones of ICMP are 3, 4, 5, 11, 12; of ICMPv6 those below 128. */
const icmpErrors: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);

/** What the frame `octets[start, end)` is to a probe; undefined if nothing. */
export function readSeen(
  octets: Uint8Array,
  linkType: number,
  start: number,
  end: number,
): SeenSegment | SeenRefusal | undefined {
  const network = networkHeader(octets, linkType, start, end);
  if (network < 0) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, end);
  const header = readIp(view, network, end);
  if (!header) return undefined;
  const { version, protocol, transport } = header;
  const source = formatAddress(view, network + (version === 4 ? 12 : 8), version);
  if (protocol === protocols.tcp) return readTcp(octets, view, source, transport, end);
  if (protocol !== icmp[version] || transport + 8 > end) return undefined;
  const [icmpType, icmpCode] = [view.getUint8(transport), view.getUint8(transport + 1)];
  if (version === 4 ? !icmpErrors.has(icmpType) : icmpType >= 128) return undefined;
  const quoted = readIp(view, transport + 8, end);
  if (quoted?.protocol !== protocols.tcp || quoted.transport + 4 > end) return undefined;
  const ports = {
    sourcePort: view.getUint16(quoted.transport),
    destinationPort: view.getUint16(quoted.transport + 2),
  };
  return { type: "refusal", source, icmpType, icmpCode, ...ports };
}

interface IpHeader {
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly transport: number;
}

function readIp(view: DataView, at: number, end: number): IpHeader | undefined {
  if (at + 20 > end) return undefined;
  const first = view.getUint8(at);
  if (first >> 4 === 4)
    return { version: 4, protocol: view.getUint8(at + 9), transport: at + (first & 15) * 4 };
  if (first >> 4 !== 6 || at + 40 > end) return undefined;
  return { version: 6, protocol: view.getUint8(at + 6), transport: at + 40 };
}

function readTcp(
  octets: Uint8Array,
  view: DataView,
  source: string,
  at: number,
  end: number,
): SeenSegment | undefined {
  if (at + 20 > end) return undefined;
  const optionsEnd = Math.min(end, at + (view.getUint8(at + 12) >> 4) * 4);
  const stamp = findTimestamps(octets, at + 20, optionsEnd);
  return {
    type: "segment",
    source,
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    sequence: view.getUint32(at + 4),
    acknowledgment: view.getUint32(at + 8),
    flags: view.getUint8(at + 13),
    ...(stamp === undefined ? {} : { timestamp: view.getUint32(stamp + 2) }),
  };
}

/** Where the timestamps option is; undefined if there is none, or the list is damaged. */
function findTimestamps(octets: Uint8Array, start: number, end: number): number | undefined {
  try {
    return listOptions(octets, start, end).find(({ kind, length }) => kind === 8 && length === 10)?.offset;
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}
