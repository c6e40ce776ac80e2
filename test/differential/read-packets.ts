/** The innermost IP and TCP header of every frame of a capture, as our reader and walk see them. */
import { closeSync, openSync } from "node:fs";
import type { CaptureSummary } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { formatAddress } from "../../wire/address.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";

export interface TcpReading {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** 12 bits (RFC 9293 section 3.1, RFC 3168). */
  readonly flags: number;
  readonly sequence: number;
  /** Hexadecimal; undefined if the header is cut. */
  readonly options: string | undefined;
}

export interface PacketReading {
  readonly source?: string;
  readonly destination?: string;
  readonly tcp?: TcpReading;
}

export interface CaptureReading {
  readonly summary: CaptureSummary;
  readonly packets: readonly PacketReading[];
}

export async function readPackets(path: string): Promise<CaptureReading> {
  const packets: PacketReading[] = [];
  let octets = new Uint8Array() as Uint8Array;
  let view = new DataView(new ArrayBuffer(0)) as DataView;
  const walk = new PacketWalk(octets);
  const descriptor = openSync(path, "r");
  try {
    const summary = await readCapture(
      { descriptor },
      {
        useBuffer(buffer, over) {
          octets = buffer;
          view = over;
          walk.useBuffer(buffer);
        },
        frame(start, length, _original, _high, _low, source) {
          walk.walk(source.linkType, start, start + length);
          packets.push({ ...addressesOf(walk, view), ...tcpOf(walk, octets, view) });
        },
        otherFrame() {
          packets.push({});
        },
      },
    );
    return { summary, packets };
  } finally {
    closeSync(descriptor);
  }
}

function addressesOf(walk: PacketWalk, view: DataView): PacketReading {
  const { network, ipVersion } = walk;
  if (network === absent || ipVersion === 0) return {};
  const [source, destination] = ipVersion === 4 ? [12, 16] : [8, 24];
  return {
    source: formatAddress(view, network + source, ipVersion),
    destination: formatAddress(view, network + destination, ipVersion),
  };
}

function tcpOf(walk: PacketWalk, octets: Uint8Array, view: DataView): Pick<PacketReading, "tcp"> {
  const { tcp, tcpEnd, capturedEnd } = walk;
  if (tcp === absent) return {};
  const isWhole = tcpEnd <= capturedEnd;
  return {
    tcp: {
      sourcePort: view.getUint16(tcp),
      destinationPort: view.getUint16(tcp + 2),
      flags: view.getUint16(tcp + 12) & 0xfff,
      sequence: view.getUint32(tcp + 4),
      options: isWhole ? Buffer.from(octets.subarray(tcp + 20, tcpEnd)).toString("hex") : undefined,
    },
  };
}
