/** Decisions in memory, for tests of the dashboard. */
import type { TriageDecision, TriageEntry, TriageLog, TriageReport } from "../../analytics/triage/triage.ts";

export class FakeTriage implements TriageLog {
  readonly decisions: TriageDecision[] = [];
  readonly undone: number[] = [];
  log: TriageEntry[] = [];

  async decide(decision: TriageDecision, now: number): Promise<TriageReport> {
    this.decisions.push(decision);
    const { hosts, state, who, note } = decision;
    const addresses = "addresses" in hosts ? hosts.addresses : [];
    const change = this.log.length + 1;
    const entry = { change, state, who, decidedAt: now, ...(note === undefined ? {} : { note }) };
    this.log = [...addresses.map((address) => ({ ...entry, address })), ...this.log];
    return Promise.resolve({ change, hosts: addresses.length, decidedSince: 0 });
  }

  async undo(change: number): Promise<TriageReport> {
    this.undone.push(change);
    this.log = this.log.filter((entry) => entry.change !== change);
    return Promise.resolve({ change: change + 1, hosts: 1, decidedSince: 0 });
  }

  async entries(limit: number, address?: string): Promise<readonly TriageEntry[]> {
    const entries = this.log.filter((entry) => address === undefined || entry.address === address);
    return Promise.resolve(entries.slice(0, limit));
  }
}
