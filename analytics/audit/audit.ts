/** Who did what: what people took in or out through the dashboard, and whom they let in. The log only grows. */

export const auditActions = [
  "upload",
  "export",
  "packets",
  "token added",
  "token revoked",
  "agent token added",
  "agent token revoked",
  "view saved",
  "view removed",
] as const;
export type AuditAction = (typeof auditActions)[number];

export interface AuditEvent {
  readonly who: string;
  readonly role: string;
  readonly action: AuditAction;
  /** Of what. Hostile text. */
  readonly subject: string;
}

/** One line of the log. Decisions about hosts, which have a log of their own, are among them. */
export interface AuditEntry {
  /** Seconds since 1970. */
  readonly at: number;
  readonly who: string;
  /** Absent for decisions about hosts. */
  readonly role?: string;
  readonly action: string;
  readonly subject: string;
}

/** Characters of a subject; what is longer is cut. */
export const longestSubject = 300;

export interface AuditLog {
  /** `now`: seconds since 1970. */
  note(event: AuditEvent, now: number): Promise<void>;
  /** Newest first, at most `limit`. */
  entries(limit: number): Promise<readonly AuditEntry[]>;
}
