/** `tattle captures`: what the ranking is made of. */
import { formatCaptures } from "../capture-table.ts";
import { exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const captures = await withEvidence(line, shell, async (store) => store.captures());
  if (line.has("json")) shell.out(`${printableJson({ captures })}\n`);
  else if (captures.length === 0) shell.out("No capture has been ingested yet.\n");
  else shell.out(formatCaptures(captures, { style: createStyle(shell.colour), columns: shell.columns }));
  return exitCodes.done;
}
