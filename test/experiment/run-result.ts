/** What a run of the experiment found, as it stands in its result.json. Times are seconds since the leak unless said otherwise. */
import type { ExperimentPlan } from "./experiment-plan.ts";

export const variants = [
  "drop",
  "control",
  "alter",
  "strip",
  "switched-off",
  "secondary",
  "handshakes",
] as const;
/**
 * drop: the paper's experiment. control: the same without the agent. alter and strip: other actions. switched-off: the
 * mark is switched off halfway. secondary: who took the leaked files passes them on. handshakes: drop, but only packets of
 * established connections, so that handshakes pass.
 */
export type Variant = (typeof variants)[number];

export interface LeakedDownload {
  readonly node: number;
  readonly from: number;
  readonly at: number;
}

export interface RunResult {
  readonly variant: Variant;
  readonly seed: number;
  readonly plan: ExperimentPlan;
  /** When the first leaked file was copied, seconds since 1970. */
  readonly leakedAt: number;
  readonly marking: {
    readonly found: number;
    /** When `tattle mark add` was done. */
    readonly commandDone: number;
    /** First marked packet in the capture at the node; null if none came. */
    readonly firstPacket: number | null;
  };
  readonly communications: {
    readonly cut: number;
    readonly openedByNode: number;
    readonly openedByPeer: number;
    /** Attempted before the mark. */
    readonly older: number;
  };
  readonly inside: readonly LeakedDownload[];
  readonly outside: readonly LeakedDownload[];
  /** Packets on which the router acted, by three ways to count them; null where there is no agent. */
  readonly acted: {
    readonly verdict: string;
    readonly iptables: number;
    readonly events: number;
    /** Packets that no event told of and a gap event counted. */
    readonly gaps: number;
  } | null;
  /** From captures on both sides of the router. */
  readonly border: {
    readonly marked: number;
    readonly stopped: number;
    readonly markedBeyond: number;
  };
  /** Packets that captures missed. */
  readonly missed: number;
  /** What nodes beyond the router asked the leaking node for, once it was marked. */
  readonly askedFromBeyond: {
    readonly requests: number;
    /** Different nodes that searched for leaked files. */
    readonly searchers: number;
    readonly connected: number;
    readonly ended: number;
    readonly octets: number;
    readonly notZero: number;
  };
  /** All requests of all nodes, and those of them that a peer accepted. */
  readonly requests: number;
  readonly accepted: number;
  /** Seconds until all nodes listened. */
  readonly setUp: number;
  /** Octets of memory of all nodes, shared pages divided among those that share them (PSS). */
  readonly memory: number;
  /** Of the mark that was switched off halfway. */
  readonly switchedOff: {
    readonly at: number;
    /** Packets of the node that were stopped afterwards. */
    readonly stoppedAfter: number;
    /** When its first packet left the router afterwards; null if none did. */
    readonly firstBeyond: number | null;
    readonly rulesChanged: boolean;
  } | null;
  /** When the administrator was told; null if not at all. */
  readonly notified: number | null;
  /** When the evidence shows that a node inside took more than ordinary files; null if it does not. */
  readonly exposed: number | null;
}
