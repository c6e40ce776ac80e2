/**
 * Which packets are asked for: those of one host, narrowed to a peer, a flow, a detection, a span of time. A frame is
 * taken if the display filter of the selection (display-filter.ts) would take it: addresses may stand in any IP header
 * of the frame, outside or inside of tunnels, as Wireshark compares them.
 */
import type { DetectionRecord } from "../../wire/mark.ts";

export interface PacketSelection {
  /** As wire/address.ts writes it. */
  readonly host: string;
  /** Only packets that carry a mark of the host. */
  readonly marked?: boolean | undefined;
  /** Only packets whose mark has this record. */
  readonly record?: DetectionRecord | undefined;
  readonly peer?: string | undefined;
  /** The flow's ports; with `peer` and `protocol` only, which is then 6 or 17. */
  readonly protocol?: number | undefined;
  readonly hostPort?: number | undefined;
  readonly peerPort?: number | undefined;
  /** Seconds since 1970, to the microsecond; both ends are taken. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** One capture of the database; absent: all that show the host. */
  readonly captureId?: number | undefined;
}

/** A flow of the selection, if it names one. */
export interface SelectedFlow {
  readonly peer: string;
  readonly protocol: 6 | 17;
  readonly hostPort: number;
  readonly peerPort: number;
}

export function flowOf(selection: PacketSelection): SelectedFlow | undefined {
  const { peer, protocol, hostPort, peerPort } = selection;
  if (peer === undefined || hostPort === undefined || peerPort === undefined) return undefined;
  return protocol === 6 || protocol === 17 ? { peer, protocol, hostPort, peerPort } : undefined;
}

/** The file that a capture was read from (capture-file.ts). */
export interface CaptureFile {
  /** Absolute. */
  readonly path: string;
  readonly octets: number;
  /** Nanoseconds since 1970, decimal: a double has too few digits. */
  readonly modifiedNs: string;
  /** 64 hexadecimal digits. */
  readonly sample: string;
}

/** Where a slice ends although there would be more. */
export interface SliceLimits {
  readonly packets: number;
  /** Of the pcapng. */
  readonly octets: number;
}

export const defaultSliceLimits: SliceLimits = { packets: 1_000_000, octets: 2 ** 30 };

/** A capture that shows the host, and whether its file can be read again. */
export interface SliceSource {
  readonly captureId: number;
  /** As the user named it. Hostile text. */
  readonly name: string;
  readonly state: "there" | "missing" | "changed" | "unknown";
  /** Why not, if it is not there. */
  readonly reason?: string;
}

export interface SliceReport {
  readonly sources: readonly SliceSource[];
  readonly packets: number;
  readonly octets: number;
  /** Whether it ends at a limit. */
  readonly isCut: boolean;
}

export interface SliceOptions {
  readonly limits?: SliceLimits;
  readonly signal?: AbortSignal;
}

/** Takes a part of a slice; the next one comes when the promise is kept. */
export type SliceOutput = (octets: Uint8Array) => Promise<void>;

/** There is no file to take the packets from; nothing has been written. */
export class PacketsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PacketsError";
  }
}
