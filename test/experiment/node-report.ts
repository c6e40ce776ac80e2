/** What the programs of a node are told and what they report; times are milliseconds since 1970. */
import type { ExperimentPlan } from "./experiment-plan.ts";
import type { FileRequest } from "./request-order.ts";

export interface SharerSettings {
  readonly plan: ExperimentPlan;
  readonly seed: number;
  readonly node: number;
  /** Holds the folder `upload`, which is published. */
  readonly folder: string;
  /** Whether what leaked and was downloaded is published in turn. */
  readonly passOn: boolean;
}

/** One request, when it is over. */
export interface NodeReport {
  readonly node: number;
  readonly at: number;
  readonly until: number;
  readonly kind: FileRequest["kind"];
  readonly peer: number;
  readonly connected: boolean;
  /** Whether the peer ended the connection in order. */
  readonly ended: boolean;
  readonly octets: number;
  readonly zeros: number;
  /** Leaked files that came whole. */
  readonly leaked: number;
  /** Error code; empty if there was none. */
  readonly problem: string;
}

/** Lines of the worm stand-in and of the detector. */
export interface LeakReport {
  readonly event: "copied" | "watching" | "found" | "marked" | "refused";
  readonly at: number;
  readonly said?: string;
}
