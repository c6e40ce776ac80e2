/** The code book a command works with: the one of --code-book, or the default that comes with tattle. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CodeBook } from "../wire/code-book.ts";
import { CodeBookError, parseCodeBook } from "../wire/parse-code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { describeFileError } from "./file-error.ts";

/**
 * Reads and checks a code book; the default one if no file is named.
 * @throws CliError that names the file, the place in it and what came.
 */
export function readCodeBook(file: string | undefined): CodeBook {
  const path = file ?? fileURLToPath(new URL("../wire/code-book.json", import.meta.url));
  try {
    return parseCodeBook(JSON.parse(readFileSync(path, "utf8")), path);
  } catch (error) {
    if (error instanceof CodeBookError) throw new CliError(error.message, exitCodes.usage, { cause: error });
    if (error instanceof SyntaxError)
      throw new CliError(`${path}: not JSON: ${error.message}`, exitCodes.usage, { cause: error });
    throw new CliError(`${path}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}
