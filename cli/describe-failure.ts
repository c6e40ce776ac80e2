/** What to say of an error that ended a command, and with which exit code. */
import { CliError, exitCodes } from "./cli-error.ts";
import { printable } from "./printable.ts";

export interface Failure {
  /** One printable line. */
  readonly line: string;
  readonly exitCode: number;
}

/** One line and an exit code for anything that was thrown. */
export function describeFailure(error: unknown, { interrupted }: { interrupted: boolean }): Failure {
  if (interrupted) return { line: "interrupted", exitCode: exitCodes.interrupted };
  if (error instanceof CliError) return { line: printable(error.message), exitCode: error.exitCode };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    line: printable(`unexpected ${message.replace(/\s*\n\s*/g, "; ")} (--debug shows where)`),
    exitCode: exitCodes.ourFault,
  };
}
