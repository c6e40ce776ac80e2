/** The evidence a command works on: the database of --database, reached through its owner if another process has it. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError } from "../analytics/database-error.ts";
import { openDatabase } from "../analytics/database.ts";
import { openLocalStore } from "../analytics/local-store.ts";
import type { Store } from "../analytics/store.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { readCodeBook } from "./code-book-file.ts";
import type { CommandLine } from "./command.ts";
import { defaultDatabase } from "./data-folder.ts";
import { describeFileError } from "./file-error.ts";
import type { Shell } from "./shell.ts";

/**
 * Opens the evidence for a question, and closes it whatever happens.
 * @throws CliError if there is no database yet, or it cannot be opened.
 */
export async function withEvidence<Result>(
  line: CommandLine,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const path = line.value("database") ?? defaultDatabase(shell);
  // A mistyped name must not leave an empty database behind that answers "no hosts".
  if (!existsSync(path)) throw new CliError(`${path}: no database here yet; tattle ingest makes one`);
  return withStore(path, readCodeBook(line.value("code-book")), shell, use);
}

/**
 * The same for a command that adds evidence: a database that is missing is made.
 * @throws CliError
 */
export async function withNewEvidence<Result>(
  line: CommandLine,
  shell: Shell,
  use: (store: Store, database: string) => Promise<Result>,
): Promise<Result> {
  const path = line.value("database");
  const database = path ?? defaultDatabase(shell);
  if (path === undefined) makeFolder(dirname(database));
  return withStore(database, readCodeBook(line.value("code-book")), shell, async (store) =>
    use(store, database),
  );
}

/** Evidence that nobody keeps. */
export async function withEvidenceInMemory<Result>(
  codeBook: CodeBook,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  return withStore(":memory:", codeBook, shell, use);
}

async function withStore<Result>(
  path: string,
  codeBook: CodeBook,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(path, codeBook, shell);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function openStore(path: string, codeBook: CodeBook, shell: Shell): Promise<Store> {
  try {
    return await openLocalStore({ database: await openDatabase(path), codeBook, clock: shell.now });
  } catch (error) {
    if (error instanceof DatabaseError) throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

/** The user's own data folder is ours to make; any other folder is not. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CliError(`${folder}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}
