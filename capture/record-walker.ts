/**
 * What the reader asks of a format: hand over every whole record between two places of a buffer. A walker keeps no
 * octets of its own, so any chunking of a capture gives the same frames.
 */
import type { CaptureInterface } from "./frame-sink.ts";

/** Why a record cannot be one. */
export interface Damage {
  readonly reason: string;
  /** Nothing behind this can be read, as after an unknown version; at the start it refuses the capture. */
  readonly refused?: boolean;
  /** Octets of the record, if its bounds are beyond doubt and only its content is wrong. */
  readonly octets?: number;
}

export interface RecordWalker {
  readonly format: "pcap" | "pcapng" | "snoop";
  readonly frames: number;
  readonly interfaces: readonly CaptureInterface[];
  readonly names: ReadonlyMap<string, string>;
  /** Set when `walk` stopped at something that is no record. */
  readonly damage: Damage | undefined;
  /** Octets that the unfinished record takes, as far as its beginning tells; more than were there. */
  readonly needed: number;
  /** To be called before the first walk, and again when the buffer grew. */
  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void;
  /** Hands over the records of `[start, end)`; returns where the first one begins that is unfinished or damaged. */
  walk(start: number, end: number): number;
  /** Octets of the largest record that a sane program would have written here, header included. */
  readonly largestRecord: number;
  /** Records begin at multiples of this many octets from one another. */
  readonly alignment: number;
  /**
   * Where the record ends that seems to begin at `at`; 0 if none can. `end`, or more, if too little of it is there to
   * see more. For resynchronisation.
   */
  plausibleEnd(at: number, end: number): number;
  /** Whether octets that would be skipped may hold what later records depend on. */
  hidesState(start: number, end: number): boolean;
  /** Goes on after damage. */
  resume(): void;
}

/** No record of a sane capture is larger: jumbo frames and reassembled segments end far below. */
export const maximumRecordOctets = 16 * 1024 * 1024;

/** What programs that capture use for "everything" (libpcap's MAXIMUM_SNAPLEN). */
export const usualSnapLength = 262_144;
