/** What a command may touch of the world around it. Tests pass their own; main.ts passes the process. */
import type { Readable } from "node:stream";

export interface Shell {
  /** Results. */
  out(text: string): void;
  /** Results that are no text; kept when the reader has taken them, so that a slow one lets us wait. */
  write(octets: Uint8Array): Promise<void>;
  /** Messages. */
  err(text: string): void;
  /** Columns of the terminal; undefined if results do not go to one. */
  readonly columns: number | undefined;
  /** Whether results may be coloured: a terminal, and NO_COLOR (no-color.org) is not set. */
  readonly colour: boolean;
  /** Whether somebody watches standard error, so that progress makes sense. */
  readonly watched: boolean;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Wall clock, seconds since 1970. */
  readonly now: () => number;
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}
