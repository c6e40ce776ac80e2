/** `tattle assets FILE...`: names of hosts, and which of them matter more or less. */
import { readFileSync } from "node:fs";
import { AssetFileError } from "../../analytics/parse-assets.ts";
import { mergeHostNames, parseHostNames } from "../../analytics/parse-host-names.ts";
import type { Asset } from "../../analytics/store.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withNewEvidence } from "../evidence.ts";
import { describeFileError } from "../file-error.ts";
import type { Shell } from "../shell.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const assets = mergeHostNames(line.operands.map(readAssets));
  await withNewEvidence(line, shell, async (store) => store.setAssets(assets));
  shell.out(`${assets.length} ${assets.length === 1 ? "host" : "hosts"} set.\n`);
  return exitCodes.done;
}

function readAssets(path: string): Asset[] {
  try {
    return parseHostNames(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (error instanceof AssetFileError) throw new CliError(error.message);
    throw new CliError(`${path}: ${describeFileError(error)}`);
  }
}
