/** Where a command writes what is no text for a terminal: standard output, or a file that appears when it is whole. */
import { open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CliError, exitCodes } from "./cli-error.ts";
import type { CommandLine } from "./command.ts";
import { describeFileError } from "./file-error.ts";
import type { Shell } from "./shell.ts";

export type Write = (octets: Uint8Array) => Promise<void>;

/**
 * Hands `use` what writes to --output, or to standard output. Of a file nothing stays if `use` fails.
 * @throws CliError if the output cannot be written, or would fill a terminal with octets.
 */
export async function withOutput<Result>(
  line: CommandLine,
  shell: Shell,
  isText: boolean,
  use: (write: Write) => Promise<Result>,
): Promise<Result> {
  const path = line.value("output");
  if (path === undefined || path === "-") {
    if (!isText && shell.columns !== undefined)
      throw new CliError("standard output is a terminal; name a file with -o FILE, or pipe into a program");
    return use((octets) => shell.write(octets));
  }
  const part = `${path}.${process.pid}.part`;
  const file = await openNew(path, part);
  try {
    const result = await use(async (octets) => {
      await writing(path, () => file.writeFile(octets));
    });
    await file.close();
    await writing(path, () => rename(part, path));
    return result;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

/** Not over what is there, nor through a link that somebody put there. */
async function openNew(path: string, part: string): Promise<FileHandle> {
  return writing(path, () => open(part, "wx"));
}

async function writing<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new CliError(`${path}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}
