/** What enforcement is told beside the policy. */

/** Where packets are looked at: those that pass through (a router), those for this host, or both. */
export type Hook = "FORWARD" | "INPUT";

export interface EventLog {
  /** NFLOG group that events are read from. */
  readonly group: number;
  /**
   * Group of packets of connections whose sides have acknowledged each other, so that their events say so. It takes
   * conntrack, which then follows every connection; absent: all packets go to `group`.
   */
  readonly establishedGroup?: number;
  /** Events a second and source beyond which packets are only counted; absent: every packet is an event. */
  readonly perSource?: { readonly rate: number; readonly burst: number };
}

export interface EnforcementSettings {
  readonly hooks: readonly Hook[];
  /** Lowest of the ten bits of the packet mark that the chains use. */
  readonly markShift: number;
  readonly log: EventLog;
  /** Seconds after the last renewal from which conditions that age count as met where that enforces (elapsed-plan.ts). */
  readonly leaseSeconds: number;
}
