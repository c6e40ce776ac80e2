/** The audit log in the database. */
import type { Database } from "../database.ts";
import { microseconds, readQuery } from "../queries/query.ts";
import { longestSubject } from "./audit.ts";
import type { AuditEntry, AuditEvent, AuditLog } from "./audit.ts";

const note = readQuery(new URL("./sql/note.sql", import.meta.url));
const entries = readQuery(new URL("./sql/entries.sql", import.meta.url));

export class DatabaseAudit implements AuditLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async note({ who, role, action, subject }: AuditEvent, now: number): Promise<void> {
    const said = subject.slice(0, longestSubject);
    await this.#database.write(({ connection }) =>
      note(connection, { who, role, action, subject: said, now: microseconds(now) }),
    );
  }

  entries(limit: number): Promise<readonly AuditEntry[]> {
    return this.#database.read(async (connection) =>
      (await entries(connection, { limit })).map((row) => {
        const role = row.maybeText("role");
        return {
          at: row.number("noted_at"),
          who: row.text("who"),
          ...(role === undefined ? {} : { role }),
          action: row.text("action"),
          subject: row.text("subject"),
        };
      }),
    );
  }
}
