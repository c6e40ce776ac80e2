/** `tattle serve`: the dashboard, and the owner of the database. */
import { readFileSync } from "node:fs";
import { AgentTokenFile } from "../../dashboard/security/agent-tokens.ts";
import { agentTokenPath } from "../agent-token-file.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { listen, untilInterrupted } from "../dashboard-session.ts";
import { withOwnedEvidence } from "../evidence.ts";
import { describeFileError } from "../file-error.ts";
import { readWholeNumber } from "../number-option.ts";
import type { Shell } from "../shell.ts";

const defaultPort = 8765;

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const port = readWholeNumber(line, "port", { minimum: 0, maximum: 65_535 }) ?? defaultPort;
  const host = line.value("host");
  const token = readToken(line.value("token-file"));
  await withOwnedEvidence(line, shell, async (store, codeBook, database) => {
    const agentTokens = new AgentTokenFile(agentTokenPath(database));
    const place = { port, token, agentTokens, ...(host === undefined ? {} : { host }) };
    const dashboard = await listen(store, codeBook, place, shell);
    try {
      shell.out(`${dashboard.address}\n`);
      shell.err(`serving ${database}; Ctrl-C ends\n`);
      await untilInterrupted(shell.signal);
    } finally {
      await dashboard.close();
    }
  });
  return exitCodes.done;
}

function readToken(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new CliError(`${file}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}
