/** What the agent says about itself: one JSON object a line for programs, one line of words for a terminal. */
export const logLevels = ["info", "warning", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type WriteLog = (level: LogLevel, message: string, fields?: LogFields) => void;

export interface LogSettings {
  /** For somebody who watches. */
  readonly isForPeople: boolean;
  /** Takes whole lines. */
  readonly write: (line: string) => void;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** A log to a stream. */
export function createLog({ isForPeople, write, now }: LogSettings): WriteLog {
  return (level, message, fields = {}) => {
    const time = new Date(now() * 1000).toISOString();
    const line = isForPeople
      ? `${time.slice(11, 19)} ${level === "info" ? "" : `${level}: `}${message}${describeFields(fields)}`
      : JSON.stringify({ time, level, message, ...fields });
    write(`${escapeControls(line)}\n`);
  };
}

function describeFields(fields: LogFields): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join("; ") : String(value)}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** What a server or a program said is in messages: terminals obey control characters. */
function escapeControls(line: string): string {
  return line.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      return `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}

/** The words of an error and of its cause, in one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const reason = cause instanceof Error ? cause.message : typeof cause === "string" ? cause : "";
  const words =
    reason === "" || error.message.includes(reason) ? error.message : `${error.message}: ${reason}`;
  return words.replace(/\s*\n\s*/g, "; ").slice(0, 1000);
}
