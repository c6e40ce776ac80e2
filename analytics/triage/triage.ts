/**
 * What people decided about flagged hosts. It orders the queue of those who watch, and never changes a score (design of
 * the ranking): whoever acknowledges a host has not made it harmless. Times are seconds since 1970 (UTC).
 */
export const triageStates = ["new", "acknowledged", "contained", "false-positive", "closed"] as const;
export type TriageState = (typeof triageStates)[number];

/** Characters. */
export const longestNote = 2000;
export const longestWho = 100;

/** Hosts of one change; beyond, two changes say the same. */
export const mostHosts = 100_000;

/** How a host stands. A host that nobody decided about is new. */
export interface HostTriage {
  readonly state: TriageState;
  readonly decidedAt: number;
  /** Hostile text, as is the note. */
  readonly who: string;
  readonly note?: string;
  /** The change that brought it here; what undo takes. */
  readonly change: number;
  /** Something was detected after the decision, which was this: the host is new again. */
  readonly decidedState?: TriageState;
}

/** One line of the log. */
export interface TriageEntry {
  readonly change: number;
  readonly address: string;
  readonly name?: string;
  readonly state: TriageState;
  readonly decidedAt: number;
  readonly who: string;
  readonly note?: string;
  /** The change that this one took back. */
  readonly undoes?: number;
}

/** Which hosts: those named, or all that a filter of the ranking lets through, as many as the analyst was told. */
export type TriageSelection =
  | { readonly addresses: readonly string[] }
  | { readonly filter: string; readonly asOf?: number | undefined; readonly expected: number };

export interface TriageDecision {
  readonly hosts: TriageSelection;
  readonly state: TriageState;
  readonly who: string;
  readonly note?: string | undefined;
}

export interface TriageReport {
  readonly change: number;
  /** Hosts that stand otherwise now. */
  readonly hosts: number;
  /** Of an undo: hosts about which somebody decided since, and which stay so. */
  readonly decidedSince: number;
}

export interface TriageLog {
  /** All hosts of the selection or none. @throws TriageError */
  decide(decision: TriageDecision, now: number): Promise<TriageReport>;
  /** Puts back how the hosts of a change stood before it. @throws TriageError */
  undo(change: number, who: string, now: number): Promise<TriageReport>;
  /** Newest first, at most `limit`; of one host, if an address is given. */
  entries(limit: number, address?: string): Promise<readonly TriageEntry[]>;
}

/** What was asked cannot be done to the hosts as they are. */
export class TriageError extends Error {
  readonly kind: "unknown host" | "unknown change" | "other count" | "nothing to undo";
  /** Hosts that the filter lets through now. */
  readonly count?: number;

  constructor(kind: TriageError["kind"], message: string, count?: number) {
    super(message);
    this.name = "TriageError";
    this.kind = kind;
    if (count !== undefined) this.count = count;
  }
}
