/** Why a database could not be opened or written, in one line for people and one word for commands. */

export type DatabaseProblem =
  | "folder missing"
  | "not a file"
  | "not a database"
  | "not tattle's"
  | "newer schema"
  | "held by another process"
  | "open in this process"
  | "closed"
  | "no room"
  | "stopped"
  | "cannot be opened";

export class DatabaseError extends Error {
  readonly problem: DatabaseProblem;
  /** The process that holds the file, where DuckDB names it. */
  readonly pid: number | undefined;

  constructor(problem: DatabaseProblem, message: string, options?: { cause?: unknown; pid?: number }) {
    super(message, { cause: options?.cause });
    this.name = "DatabaseError";
    this.problem = problem;
    this.pid = options?.pid;
  }
}

/** What DuckDB's refusal to open `path` means. */
export function explainOpenFailure(path: string, cause: unknown): DatabaseError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const holder = /Conflicting lock is held in (.+?)(?: \(PID (\d+)\))/.exec(text);
  if (holder) {
    const pid = Number(holder[2]);
    return new DatabaseError("held by another process", `${path}: held by process ${pid} (${holder[1]})`, {
      cause,
      pid,
    });
  }
  if (text.includes("Could not set lock")) {
    return new DatabaseError("held by another process", `${path}: held by another process`, { cause });
  }
  if (text.includes("not a valid DuckDB database file")) {
    return new DatabaseError("not a database", `${path}: not a DuckDB database`, { cause });
  }
  return new DatabaseError("cannot be opened", `${path}: ${text.split("\n", 1)[0]}`, { cause });
}

/**
 * What a failure of DuckDB itself means: after one, it answers nothing until the file is opened anew. Undefined for any other error.
 */
export function explainStop(path: string, cause: unknown): DatabaseError | undefined {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (!/^(FATAL|INTERNAL) Error|database has been invalidated/.test(text)) return undefined;
  const message = `${path}: DuckDB stopped itself (${text.split("\n", 1)[0] ?? ""}); start again: what was committed is kept`;
  return new DatabaseError("stopped", message, { cause });
}

/** What to throw for a failed write to `path`: a disk without room has a line of its own, everything else stays. */
export function explainWriteFailure(path: string, cause: unknown): unknown {
  const text = cause instanceof Error ? cause.message : String(cause);
  // Its own file for what has no room in memory may be as large as the disk has room left.
  const isSpillFull = text.includes("max_temp_directory_size");
  const known = /No space left on device|File too large|Disk quota exceeded/.exec(text)?.[0];
  const reason = isSpillFull ? "No space left on device" : known;
  if (reason === undefined) return cause;
  const message = `${path}: ${reason}; what was ingested before is kept`;
  return new DatabaseError("no room", message, { cause });
}
