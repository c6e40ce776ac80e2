/** Why a command ends early: one line for the person at the terminal, and the exit code. */

/** What the exit codes mean; the reference page is made from this. */
export const exitCodes = {
  done: 0,
  ourFault: 1,
  usage: 2,
  partial: 3,
  interrupted: 130,
} as const;

export const exitCodeMeanings: ReadonlyMap<number, string> = new Map([
  [exitCodes.done, "done"],
  [
    exitCodes.ourFault,
    "our fault: an error that nobody expected (--debug shows where), or no room on the disk",
  ],
  [exitCodes.usage, "usage: a wrong option or file, or no input could be used"],
  [exitCodes.partial, "some input was damaged or refused, and the rest is done"],
  [
    exitCodes.interrupted,
    "interrupted by Ctrl-C; captures that were done stay, the one at hand left nothing",
  ],
]);

/** Thrown to end a command with one line on standard error. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.usage, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}
