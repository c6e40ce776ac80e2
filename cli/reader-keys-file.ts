/** The readers' keys that a command line names. */
import { PrivateFileError } from "../live-agent/marker/private-json.ts";
import { readReaderKeys as readKeys } from "../live-agent/marker/reader-keys.ts";
import type { TagKey } from "../policy/check-tag.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { describeFileError } from "./file-error.ts";

/**
 * The keys of a file such as `tattle key new` writes; no file, no keys.
 * @throws CliError that never shows a key
 */
export function readReaderKeys(path: string | undefined): readonly TagKey[] {
  if (path === undefined) return [];
  try {
    return readKeys(path);
  } catch (error) {
    const problem = error instanceof PrivateFileError ? error.problem : describeFileError(error);
    throw new CliError(`${path}: ${problem}`, exitCodes.usage, { cause: error });
  }
}
