/** Decisions through the process that holds the database. The owner's clock says when. */
import { routes } from "../owner/wire-format.ts";
import type { TriageDecision, TriageEntry, TriageLog, TriageReport } from "./triage.ts";

export type Ask = (path: string, body?: unknown) => Promise<unknown>;

export class RemoteTriage implements TriageLog {
  readonly #ask: Ask;

  /** `ask`: GET without a body, POST with one. */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  decide(decision: TriageDecision): Promise<TriageReport> {
    return this.#ask(routes.triage, decision) as Promise<TriageReport>;
  }

  undo(change: number, who: string): Promise<TriageReport> {
    return this.#ask(routes.undoTriage, { change, who }) as Promise<TriageReport>;
  }

  entries(limit: number, address?: string): Promise<readonly TriageEntry[]> {
    const asked = new URLSearchParams({
      limit: String(limit),
      ...(address === undefined ? {} : { address }),
    });
    return this.#ask(`${routes.triage}?${asked.toString()}`) as Promise<readonly TriageEntry[]>;
  }
}
