/** What a capture reader hands to its consumer: one call a frame, into a buffer that is reused. Nothing is allocated. */

/** How times stand in a capture, for those who write them again as they were. */
export interface CaptureClock {
  /** As pcapng's if_tsresol: a negative power of ten, or of two with the highest bit set. */
  readonly resolution: number;
  /** As pcapng's if_tsoffset: added to every time, seconds. */
  readonly offsetSeconds: number;
  /** Whether the high half of a time is seconds and the low one the fraction, rather than both one 64-bit count. */
  readonly isSplit: boolean;
}

/** An interface of a capture; a classic pcap has one. */
export interface CaptureInterface {
  /** Number within the whole capture, counted over all sections, from 0. */
  readonly index: number;
  readonly linkType: number;
  /** Octets; 0 if there is no limit. */
  readonly snapLength: number;
  readonly name?: string;
  readonly clock: CaptureClock;
  /**
   * Microseconds since 1970 of a frame's time as it stands in the capture. Exact to the microsecond until 2255; finer
   * resolutions are cut off. In a pcap, high is seconds and low the fraction; in a pcapng they are one 64-bit count.
   */
  microseconds(timeHigh: number, timeLow: number): number;
}

/** How the records lie in the buffer of a sink that passes over some by itself: little-endian, headers of usual size. */
export interface RecordLayout {
  readonly format: "pcap" | "pcapng";
  /** What packet blocks call the interface in their section; 0 in a pcap. */
  readonly interfaceNumber: number;
  /** Octets of the largest frame (pcap) or block (pcapng) that is possible here. */
  readonly largest: number;
}

/** What the last call of `pass` took in. */
export interface PassedFrames {
  readonly frames: number;
  /** Time of the last one of them, as it stands in the capture. */
  readonly newestHigh: number;
  readonly newestLow: number;
}

export interface FrameSink {
  /**
   * The buffer that `frame` calls refer to; called before the first frame and again if it had to grow. Where it lies in
   * WebAssembly memory, all below frameFloor (capture-buffer.ts) is the sink's.
   */
  useBuffer(octets: Uint8Array, view: DataView, memory?: WebAssembly.Memory): void;
  /**
   * Takes in records from `start` on by itself, as many as it can at once, and returns where the first one begins that
   * it did not take; `frame` gets that one.
   */
  pass?(start: number, end: number, source: CaptureInterface, layout: RecordLayout): number;
  readonly passed?: PassedFrames;
  /** One frame, in the order of the capture. The octets are valid until the call returns. */
  frame(
    start: number,
    capturedLength: number,
    originalLength: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void;
  /** A record without a packet that Wireshark numbers as a frame, so that the numbers behind it stay the same. */
  otherFrame?(): void;
}

/** How reading a capture ended. */
export type CaptureOutcome =
  | { readonly state: "complete" }
  /** Everything before `offset` was handed over. Offsets are octets of the uncompressed content. */
  | { readonly state: "partial"; readonly offset: number; readonly reason: string }
  | { readonly state: "refused"; readonly offset: number; readonly reason: string };

export interface CaptureSummary {
  readonly outcome: CaptureOutcome;
  readonly format: "pcap" | "pcapng" | "snoop" | "unknown";
  /** Octets of the uncompressed content that were read. */
  readonly octets: number;
  readonly frames: number;
  /** Damage that was skipped because what follows is proven. */
  readonly gaps: readonly { readonly offset: number; readonly octets: number }[];
  readonly interfaces: readonly CaptureInterface[];
  /** Host names from name-resolution blocks: address to name. Hostile text. */
  readonly names: ReadonlyMap<string, string>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Called every few megabytes with the octets read so far (of the compressed file, if it is compressed). */
  readonly onProgress?: (octetsRead: number, frames: number) => void;
  /** Waited for every few megabytes: a consumer that is slower than the file lets the reading wait. */
  readonly pace?: () => Promise<void>;
}
