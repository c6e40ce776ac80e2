/** The evidence a command works on: the database of --database, reached through its owner if another process has it. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError } from "../analytics/database-error.ts";
import { inMemory, openOwnedStore, openStore } from "../analytics/owner/open-store.ts";
import type { OpenStoreOptions } from "../analytics/owner/open-store.ts";
import type { ReaderKey } from "../analytics/ingest/tag-check.ts";
import { OwnerError } from "../analytics/remote-store.ts";
import type { Store } from "../analytics/store.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { readCodeBook } from "./code-book-file.ts";
import type { CommandLine } from "./command.ts";
import { defaultDatabase } from "./data-folder.ts";
import { describeFileError } from "./file-error.ts";
import { readWholeNumber } from "./number-option.ts";
import { printable } from "./printable.ts";
import { readReaderKeys } from "./reader-keys-file.ts";
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
  return withStore(openToAsk, path, readCodeBook(line.value("code-book")), shell, use);
}

/**
 * The same for a command that adds evidence: a database that is missing is made, and stays if it `holds` anything then.
 * @throws CliError
 */
export async function withNewEvidence<Result>(
  line: CommandLine,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
  holds: (result: Result) => boolean = () => true,
): Promise<Result> {
  const codeBook = readCodeBook(line.value("code-book"));
  const path = placeOf(line, shell);
  const isNew = !existsSync(path);
  const result = await withStore(openToIngest, path, codeBook, shell, use, ownerOptions(line));
  if (isNew && !holds(result)) rmSync(path, { force: true });
  return result;
}

/**
 * The same for a server, which holds the database for others as long as it runs.
 * @throws CliError if another process has it.
 */
export async function withOwnedEvidence<Result>(
  line: CommandLine,
  shell: Shell,
  use: (store: Store, codeBook: CodeBook, database: string) => Promise<Result>,
): Promise<Result> {
  const database = placeOf(line, shell);
  const codeBook = readCodeBook(line.value("code-book"));
  const owner = ownerOptions(line);
  return withStore(
    openOwnedStore,
    database,
    codeBook,
    shell,
    async (store) => use(store, codeBook, database),
    owner,
  );
}

/** Evidence that nobody keeps. */
export async function withEvidenceInMemory<Result>(
  codeBook: CodeBook,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
  keys: readonly ReaderKey[] = [],
): Promise<Result> {
  return withStore(openStore, inMemory, codeBook, shell, use, { keys });
}

type OwnerOptions = Pick<OpenStoreOptions, "keys" | "spoolOctets">;

/** What matters where this process comes to hold the database. */
function ownerOptions(line: CommandLine): OwnerOptions {
  const gibibytes = readWholeNumber(line, "spool-limit", { minimum: 1, maximum: 1_000_000 });
  return {
    keys: readReaderKeys(line.value("mark-keys")),
    ...(gibibytes === undefined ? {} : { spoolOctets: gibibytes * 1024 ** 3 }),
  };
}

/** A question is over in a moment: nobody is to come with a capture meanwhile, and make the command stay. */
function openToAsk(path: string, options: OpenStoreOptions): Promise<Store> {
  return openStore(path, { ...options, listens: false });
}

function openToIngest(path: string, options: OpenStoreOptions): Promise<Store> {
  return openStore(path, { ...options, forIngest: true });
}

type OpenStore = (path: string, options: OpenStoreOptions) => Promise<Store>;

async function withStore<Result>(
  open: OpenStore,
  path: string,
  codeBook: CodeBook,
  shell: Shell,
  use: (store: Store) => Promise<Result>,
  owner: OwnerOptions = {},
): Promise<Result> {
  try {
    const store = await open(path, {
      ...owner,
      codeBook,
      clock: shell.now,
      signal: shell.signal,
      onWaiting: ({ message }) => {
        if (shell.watched) shell.err(`tattle: ${printable(message)}; waiting a moment\n`);
      },
    });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof DatabaseError) {
      const isOurs = error.problem === "no room" || error.problem === "stopped";
      const exitCode = isOurs ? exitCodes.ourFault : exitCodes.usage;
      throw new CliError(error.message, exitCode, { cause: error });
    }
    if (error instanceof OwnerError) throw new CliError(error.message, exitCodes.ourFault, { cause: error });
    throw error;
  }
}

/** Where the database is to lie. The user's own data folder is ours to make; any other folder is not. */
function placeOf(line: CommandLine, shell: Shell): string {
  const path = line.value("database");
  if (path !== undefined) return path;
  const standard = defaultDatabase(shell);
  const folder = dirname(standard);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CliError(`${folder}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
  return standard;
}
