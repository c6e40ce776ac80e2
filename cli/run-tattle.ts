/** From the words behind `tattle` to a command that runs. */
import { CliError, exitCodes } from "./cli-error.ts";
import { commands, hiddenCommands } from "./command-table.ts";
import { parseCommandLine } from "./command.ts";
import { formatHelp, formatOverview } from "./help.ts";
import { packageVersion } from "./package-root.ts";
import type { Shell } from "./shell.ts";
import { suggest } from "./suggest.ts";

/**
 * Runs one command and returns the exit code.
 * @throws CliError, or whatever the command throws.
 */
export async function runTattle(args: readonly string[], shell: Shell): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) {
    shell.err(formatOverview(commands, packageVersion()));
    return exitCodes.usage;
  }
  if (first === "--version" || first === "-v") {
    shell.out(`${packageVersion()}\n`);
    return exitCodes.done;
  }
  if (first === "--help" || first === "-h" || first === "help") return showHelp(rest[0], shell);
  const command = findCommand(first);
  const line = parseCommandLine(command, rest);
  if (line.has("help")) {
    shell.out(formatHelp(command));
    return exitCodes.done;
  }
  const { run } = await command.load();
  return run(line, shell);
}

function showHelp(name: string | undefined, shell: Shell): number {
  shell.out(
    name === undefined || name.startsWith("-")
      ? formatOverview(commands, packageVersion())
      : formatHelp(findCommand(name)),
  );
  return exitCodes.done;
}

function findCommand(name: string): (typeof commands)[number] {
  const command = [...commands, ...hiddenCommands].find((entry) => entry.name === name);
  if (command) return command;
  if (name.startsWith("-"))
    throw new CliError(`unknown option ${name} in front of a command; tattle --help lists the commands`);
  const nearest = suggest(
    name,
    commands.map((entry) => entry.name),
  );
  const advice = nearest === undefined ? "tattle --help lists them" : `did you mean ${nearest}?`;
  throw new CliError(`unknown command "${name}"; ${advice}`);
}
