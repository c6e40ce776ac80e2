/** The TCP segments in a capture, as tattle's own reader sees them. */
import { closeSync, openSync } from "node:fs";
import type { CaptureInterface, FrameSink } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { formatAddress } from "../../wire/address.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";

export interface CapturedSegment {
  /** Seconds since 1970. */
  readonly time: number;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** IPv4 identification. */
  readonly identification: number;
  readonly payloadOctets: number;
  readonly isMarked: boolean;
}

export const tcpFlags = { syn: 0x02, ack: 0x10 } as const;

/** @throws Error if the capture is not read to its end */
export async function readSegments(file: string): Promise<CapturedSegment[]> {
  const reader = new SegmentReader();
  const descriptor = openSync(file, "r");
  try {
    const { outcome } = await readCapture({ descriptor }, reader);
    if (outcome.state !== "complete") throw new Error(`${file}: ${outcome.reason}`);
  } finally {
    closeSync(descriptor);
  }
  return reader.segments;
}

class SegmentReader implements FrameSink {
  readonly segments: CapturedSegment[] = [];
  readonly #walk = new PacketWalk(new Uint8Array());
  #view: DataView = new DataView(new ArrayBuffer(0));

  useBuffer(octets: Uint8Array, view: DataView): void {
    this.#walk.useBuffer(octets);
    this.#view = view;
  }

  frame(
    start: number,
    capturedLength: number,
    _: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void {
    const [walk, view] = [this.#walk, this.#view];
    walk.walk(source.linkType, start, start + capturedLength);
    const { network, tcp, tcpEnd, packetEnd } = walk;
    if (walk.ipVersion !== 4 || tcp === absent) return;
    this.segments.push({
      time: source.microseconds(timeHigh, timeLow) / 1e6,
      source: formatAddress(view, network + 12, 4),
      destination: formatAddress(view, network + 16, 4),
      sourcePort: view.getUint16(tcp),
      destinationPort: view.getUint16(tcp + 2),
      sequence: view.getUint32(tcp + 4),
      acknowledgment: view.getUint32(tcp + 8),
      flags: view.getUint8(tcp + 13),
      identification: view.getUint16(network + 4),
      payloadOctets: packetEnd - tcpEnd,
      isMarked: walk.mark !== absent,
    });
  }
}
