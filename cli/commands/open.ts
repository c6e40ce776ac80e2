/** `tattle open`: captures in the browser, kept in memory only. */
import type { Store } from "../../analytics/store.ts";
import { formatCaptures } from "../capture-table.ts";
import { findCaptures } from "../capture-inputs.ts";
import { exitCodes } from "../cli-error.ts";
import { readCodeBook } from "../code-book-file.ts";
import type { CommandLine } from "../command.ts";
import { listen, untilInterrupted } from "../dashboard-session.ts";
import { withEvidenceInMemory } from "../evidence.ts";
import { describeTrouble, ingestCaptures, ingestExitCode } from "../ingest-captures.ts";
import { readWholeNumber } from "../number-option.ts";
import { sampleCaptures } from "../package-root.ts";
import { readReaderKeys } from "../reader-keys-file.ts";
import type { Shell } from "../shell.ts";
import { startBrowser } from "../start-browser.ts";
import { createStyle } from "../style.ts";

const defaultPort = 8765;

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const port = readWholeNumber(line, "port", { minimum: 0, maximum: 65_535 });
  const codeBook = readCodeBook(line.value("code-book"));
  const keys = readReaderKeys(line.value("mark-keys"));
  const isSample = line.operands.length === 0;
  if (isSample)
    shell.err("no file named: this is the sample that comes with tattle, a day in a small company\n");
  const captures = isSample ? sampleCaptures() : findCaptures(line.operands);
  const show = async (store: Store): Promise<number> => {
    const reports = await ingestCaptures(store, captures, shell);
    const exitCode = ingestExitCode(reports);
    if (exitCode === exitCodes.usage) {
      for (const trouble of describeTrouble(reports)) shell.err(`tattle: ${trouble}\n`);
      return exitCode;
    }
    const layout = { style: createStyle(shell.colour), columns: shell.columns };
    shell.out(`${formatCaptures(reports, layout)}\n`);
    const place = port === undefined ? { port: defaultPort, otherPort: 0 } : { port };
    const dashboard = await listen(store, codeBook, place, shell);
    try {
      shell.out(`${dashboard.address}\n`);
      if (!line.has("no-browser")) startBrowser(dashboard.address, shell);
      shell.err("open the address in a browser; Ctrl-C ends, and nothing is kept\n");
      await untilInterrupted(shell.signal, store);
    } finally {
      await dashboard.close();
    }
    return exitCode;
  };
  return withEvidenceInMemory(codeBook, shell, show, keys);
}
