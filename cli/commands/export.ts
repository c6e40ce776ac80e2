/** `tattle export`: what the dashboard shows, as a file for other programs. */
import { checkExport, ExportError } from "../../analytics/export/check-export.ts";
import { exportFormats, exportViews } from "../../analytics/export/export-query.ts";
import type { ExportQuery } from "../../analytics/export/export-query.ts";
import { sortKeys } from "../../analytics/store.ts";
import { readAddress } from "../address-argument.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { formatCount } from "../octets-text.ts";
import { withOutput } from "../output-file.ts";
import type { Shell } from "../shell.ts";
import { parseTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const query = readQuery(line);
  try {
    checkExport(query);
  } catch (error) {
    if (error instanceof ExportError) throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
  const { rows } = await withEvidence(line, shell, async (store) =>
    withOutput(line, shell, query.format !== "parquet", async (write) =>
      store.export(query, write, shell.signal),
    ),
  );
  if (line.value("output") !== undefined) shell.err(`tattle: ${formatCount(rows)} rows\n`);
  return exitCodes.done;
}

/** The table of commands has checked the choices. */
function readQuery(line: CommandLine): ExportQuery {
  const time = (name: string): number | undefined => {
    const text = line.value(name);
    return text === undefined ? undefined : parseTime(text, `--${name}`);
  };
  const host = line.value("host");
  return {
    view: exportViews.find((view) => view === line.value("view")) ?? "hosts",
    format: exportFormats.find((format) => format === line.value("format")) ?? "csv",
    asOf: time("as-of"),
    sort: sortKeys.find((key) => key === line.value("sort")),
    filter: line.value("match"),
    host: host === undefined ? undefined : readAddress(host, "--host"),
    from: time("from"),
    to: time("to"),
    leastOctets: readWholeNumber(line, "least-octets", { minimum: 0 }),
  };
}
