/** An audit log in memory, for tests of the dashboard. */
import type { AuditEntry, AuditEvent, AuditLog } from "../../analytics/audit/audit.ts";

export class FakeAudit implements AuditLog {
  readonly log: AuditEntry[] = [];

  async note(event: AuditEvent, now: number): Promise<void> {
    this.log.unshift({ ...event, at: now });
    return Promise.resolve();
  }

  async entries(limit: number): Promise<readonly AuditEntry[]> {
    return Promise.resolve(this.log.slice(0, limit));
  }
}
