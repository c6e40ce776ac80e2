/** `tattle ingest`: captures into the database. */
import { formatCaptures } from "../capture-table.ts";
import { findCaptures } from "../capture-inputs.ts";
import { exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withNewEvidence } from "../evidence.ts";
import { describeTrouble, ingestCaptures, ingestExitCode } from "../ingest-captures.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const captures = findCaptures(line.operands);
  const reports = await withNewEvidence(
    line,
    shell,
    async (store) => ingestCaptures(store, captures, shell),
    (all) => all.some(({ state }) => state !== "refused"),
  );
  const exitCode = ingestExitCode(reports);
  if (line.has("json")) shell.out(`${printableJson({ captures: reports })}\n`);
  else if (exitCode === exitCodes.usage)
    shell.err(
      describeTrouble(reports)
        .map((trouble) => `tattle: ${trouble}\n`)
        .join(""),
    );
  else shell.out(formatCaptures(reports, { style: createStyle(shell.colour), columns: shell.columns }));
  return exitCode;
}
