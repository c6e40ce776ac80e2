/** `tattle audit`: who did what. */
import { exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { formatTable } from "../text-table.ts";
import { formatTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const limit = readWholeNumber(line, "limit", { minimum: 1, maximum: 100_000 }) ?? 50;
  const entries = await withEvidence(line, shell, (store) => store.audit.entries(limit));
  if (line.has("json")) shell.out(`${printableJson({ entries })}\n`);
  else if (entries.length === 0) shell.out("Nobody has done anything yet that is noted here.\n");
  else {
    shell.out(
      formatTable(
        [
          { title: "When" },
          { title: "Who" },
          { title: "Role" },
          { title: "Did" },
          { title: "What", gives: true },
        ],
        entries.map(({ at, who, role, action, subject }) => [
          formatTime(at),
          who,
          role ?? "",
          action,
          subject,
        ]),
        { width: shell.columns },
      ),
    );
  }
  return exitCodes.done;
}
