/** The network timeline (the paper's Figure 6): what is asked and what is answered. Types only: the browser imports them too. */
import type { Severity } from "../wire/code-book.ts";
import type { Ranking } from "./store.ts";

export const networkScales = ["elapsed", "utc"] as const;
/** Seconds since each flagged host's oldest detection that counts, or seconds since 1970. */
export type NetworkScale = (typeof networkScales)[number];

export interface NetworkQuery {
  /** Seconds since 1970; absent: the newest evidence. */
  readonly asOf?: number;
  /** Elapsed if absent. */
  readonly scale?: NetworkScale;
  /** Stretch of the scale, seconds on it; absent: all there is. */
  readonly from?: number;
  readonly to?: number;
  /** Address of one flagged host; absent: those with the strongest detections. */
  readonly host?: string;
  /** Exposures of fewer octets are left out. */
  readonly leastOctets?: number;
}

/** `drop`: packets that were dropped or rejected. `exposure`: flows of which the peer acknowledged octets. */
export type NetworkMarkKind = "detection" | "drop" | "exposure";

export interface NetworkMark {
  readonly kind: NetworkMarkKind;
  /** Place in the rows: the flagged host, and the row that the mark stands in (the peer; the host itself if detected). */
  readonly host: number;
  readonly row: number;
  /** Seconds on the scale: the first of what the mark stands for. A detection may lie before `from`. */
  readonly at: number;
  /** Packets dropped, flows that passed, detections. */
  readonly count: number;
  /** Of dropped packets; acknowledged by the peer, or let through. 0 of a detection. */
  readonly octets: number;
  /** Of a detection. */
  readonly title?: string;
  readonly severity?: Severity;
}

export interface NetworkRow {
  readonly address: string;
  /** Hostile text. */
  readonly name?: string;
  /** Its oldest detection that counts, seconds since 1970; absent: never flagged. */
  readonly firstDetected?: number;
}

/** What there is, where not all of it is shown. */
export interface NetworkCut {
  readonly flaggedHosts?: number;
  readonly rows?: number;
  readonly marks?: number;
}

export interface NetworkTimeline {
  readonly asOf: number;
  readonly asOfSource: Ranking["asOfSource"];
  readonly scale: NetworkScale;
  /** The stretch shown, seconds on the scale. */
  readonly from: number;
  readonly to: number;
  /** What falls within this many seconds, of the same kind, host and peer, is one mark. */
  readonly binSeconds: number;
  /** By address. */
  readonly rows: readonly NetworkRow[];
  /** Detections first, then exposures, then drops; each by time. */
  readonly marks: readonly NetworkMark[];
  /** Empty if everything is shown. */
  readonly cut: NetworkCut;
}
