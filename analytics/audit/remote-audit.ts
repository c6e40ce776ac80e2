/** The audit log through the process that holds the database. The owner's clock says when. */
import { routes } from "../owner/wire-format.ts";
import type { Ask } from "../triage/remote-triage.ts";
import type { AuditEntry, AuditEvent, AuditLog } from "./audit.ts";

export class RemoteAudit implements AuditLog {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async note(event: AuditEvent): Promise<void> {
    await this.#ask(routes.audit, event);
  }

  entries(limit: number): Promise<readonly AuditEntry[]> {
    return this.#ask(`${routes.audit}?limit=${limit}`) as Promise<readonly AuditEntry[]>;
  }
}
