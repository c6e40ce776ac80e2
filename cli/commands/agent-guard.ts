/** The process that takes changed rules back unless somebody confirms them; started by the agent, not by people. */
import { revertUnlessConfirmed } from "../../live-agent/enforcement/commit-confirm.ts";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";

export async function run(line: CommandLine): Promise<number> {
  // The terminal's Ctrl-C and the service's end are not for it: only time and a confirmation are.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => undefined);
  }
  const [folder = ""] = line.operands;
  await revertUnlessConfirmed(folder, runCommand);
  return exitCodes.done;
}
