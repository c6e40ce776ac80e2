/** Files of keys: whoever reads one can sign, so one that others may read is refused, and no error shows its content. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export class PrivateFileError extends Error {
  readonly problem: string;

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = "PrivateFileError";
    this.problem = problem;
  }
}

/**
 * JSON of a file that only its owner may read.
 * @throws PrivateFileError if others may, or it is no JSON
 */
export function readPrivateJson(path: string): unknown {
  const file = openSync(path, "r");
  try {
    const { mode } = fstatSync(file);
    if ((mode & 0o077) !== 0)
      throw new PrivateFileError(
        path,
        `others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 ${path}`,
      );
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch (error) {
    // The words of JSON.parse would show what it read; so would they as a cause.
    // oxlint-disable-next-line preserve-caught-error
    if (error instanceof SyntaxError) throw new PrivateFileError(path, "not JSON");
    throw error;
  } finally {
    closeSync(file);
  }
}
