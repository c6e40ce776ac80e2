/** The policy that a command works with: the one of --policy, or the default that only observes. */
import { loadPolicy } from "../policy/load-policy.ts";
import type { LoadedPolicy } from "../policy/load-policy.ts";
import { PolicyError } from "../policy/policy-error.ts";
import { CodeBookError } from "../wire/parse-code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import type { CommandLine } from "./command.ts";

/** @throws CliError that names the file, the place in it, what came and what is allowed. */
export function readPolicy(line: CommandLine): LoadedPolicy {
  try {
    return loadPolicy(line.value("policy"), line.value("code-book"));
  } catch (error) {
    if (error instanceof PolicyError || error instanceof CodeBookError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}
