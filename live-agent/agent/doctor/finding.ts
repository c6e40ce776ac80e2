/** What the doctor found: one line each, and the command that mends it. */
export type Health = "well" | "hint" | "ill";

export interface Finding {
  readonly subject: string;
  /** Ill: the agent does not do what it is configured to. Hint: it does, and something is worth knowing. */
  readonly health: Health;
  readonly found: string;
  /** A command, or what to change. */
  readonly mend?: string;
}

export function well(subject: string, found: string): Finding {
  return { subject, health: "well", found };
}

export function hint(subject: string, found: string, mend?: string): Finding {
  return { subject, health: "hint", found, ...(mend === undefined ? {} : { mend }) };
}

export function ill(subject: string, found: string, mend: string): Finding {
  return { subject, health: "ill", found, mend };
}
