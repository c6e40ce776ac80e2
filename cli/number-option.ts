/** Whole numbers on the command line. */
import { CliError } from "./cli-error.ts";
import type { CommandLine } from "./command.ts";

/**
 * The value of an option as a whole number, if it was given.
 * @throws CliError if it is something else or out of range.
 */
export function readWholeNumber(
  line: CommandLine,
  option: string,
  { minimum, maximum = 1_000_000_000 }: { minimum: number; maximum?: number },
): number | undefined {
  const text = line.value(option);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new CliError(`--${option}: expected a whole number from ${minimum} to ${maximum}, got "${text}"`);
}
