/**
 * The DuckDB file and who may write to it. DuckDB locks a file against other processes, but not against a second
 * instance in the same process: two of them open it, both commit, and the last checkpoint silently wins. So a file is
 * opened here and nowhere else, once a process, and one transaction writes at a time.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseError, explainOpenFailure, explainStop, explainWriteFailure } from "./database-error.ts";
import { claimFile } from "./database-file.ts";
import type { FileClaim } from "./database-file.ts";
import { migrate } from "./migrate.ts";

export interface DatabaseOptions {
  /** Threads of DuckDB; by default one a core. */
  readonly threads?: number;
  /** As DuckDB writes sizes: `512MB`. What does not fit is spilled beside the file. */
  readonly memoryLimit?: string;
  /** Whether this process is there to ingest: then the database takes little memory, and one core. */
  readonly forIngest?: boolean;
  /** 32 hexadecimal digits that seed the flow keys of a new database; random unless a test needs them fixed. */
  readonly seed?: string;
}

export interface Transaction {
  readonly connection: DuckDBConnection;
  /** Everything is rolled back when the work returns. */
  readonly discard: () => void;
  /** Until the transaction ends, others need no memory: the database may take more. */
  readonly takeRoom: () => Promise<void>;
}

export interface Database {
  /** Absolute path without links, or `:memory:`. */
  readonly path: string;
  /** Transactions that have ended, however; counted before `write` returns. What was read holds until it grows. */
  readonly writes: number;
  /** Runs queries on a connection of their own; several run side by side. */
  read<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result>;
  /** One at a time, in a transaction: committed when the work returns, rolled back when it throws. */
  write<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Comes if DuckDB stops itself: nothing is answered from then on. */
  readonly failure: Promise<DatabaseError>;
  /** Waits for what runs, writes everything into the file and lets it go. */
  close(): Promise<void>;
}

const inMemory = ":memory:";

/**
 * For whoever only ingests, so that all of the process stays within 256 MB. What has been freed goes back to the system
 * at once: by default, DuckDB keeps hundreds of megabytes.
 */
const little = {
  threads: "1",
  allocator_flush_threshold: "1MB",
  allocator_bulk_deallocation_flush_threshold: "1MB",
};
/** From the end of the first transaction on: a migration that came before may take what it wants. */
const besideTables = "24MB";
const withRoom = "64MB";

/**
 * Opens or creates a database, brings its schema up to date, and holds it until `close`.
 * @throws DatabaseError
 */
export async function openDatabase(path: string, options: DatabaseOptions = {}): Promise<Database> {
  const claim = path === inMemory ? undefined : claimFile(path);
  try {
    const instance = await createInstance(claim?.path ?? inMemory, options);
    try {
      await migrate(instance, claim?.path ?? inMemory, options.seed ?? randomBytes(16).toString("hex"));
    } catch (error) {
      instance.closeSync();
      throw error;
    }
    claim?.confirm();
    const isLimited = options.forIngest === true && options.memoryLimit === undefined;
    return new OpenDatabase(instance, claim, isLimited);
  } catch (error) {
    claim?.release();
    throw error;
  }
}

async function createInstance(path: string, options: DatabaseOptions): Promise<DuckDBInstance> {
  const settings: Record<string, string> = {
    // Nothing that a query names may reach for the network.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // Sizes that a capture needs are bounded elsewhere; this one keeps DuckDB's cache from filling the machine.
    ...(path === inMemory ? { temp_directory: join(tmpdir(), `tattle-${process.pid}`) } : {}),
    ...(options.forIngest === true && path !== inMemory ? little : {}),
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.memoryLimit === undefined ? {} : { memory_limit: options.memoryLimit }),
  };
  if (path !== inMemory) settings["memory_limit"] ??= "512MB";
  try {
    return await DuckDBInstance.create(path, settings);
  } catch (error) {
    throw explainOpenFailure(path, error);
  }
}

class OpenDatabase implements Database {
  readonly path: string;
  readonly failure: Promise<DatabaseError>;
  #fail: (failure: DatabaseError) => void = () => undefined;
  #hasFailed = false;
  readonly #instance: DuckDBInstance;
  readonly #claim: FileClaim | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #isLimited: boolean;
  #writes = 0;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(instance: DuckDBInstance, claim: FileClaim | undefined, isLimited: boolean) {
    this.#isLimited = isLimited && claim !== undefined;
    this.#instance = instance;
    this.#claim = claim;
    this.path = claim?.path ?? inMemory;
    this.failure = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  get writes(): number {
    return this.#writes;
  }

  read<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    return this.#track(() => this.#withConnection(work));
  }

  write<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#track(() => {
      const turn = this.#lastWrite
        .then(() => this.#withConnection((connection) => this.#inTransaction(connection, work)))
        .catch((error: unknown) => {
          throw explainWriteFailure(this.path, error);
        });
      // The next writer waits for this one, however it ends.
      this.#lastWrite = turn.catch(() => undefined);
      return turn;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    try {
      // What was committed is in the write-ahead log, which the next one to open the file reads.
      const isSound = this.#claim !== undefined && !this.#hasFailed;
      if (isSound) await this.#withConnection((connection) => connection.run("CHECKPOINT"));
    } catch (error) {
      throw explainWriteFailure(this.path, error);
    } finally {
      this.#instance.closeSync();
      this.#claim?.release();
    }
  }

  async #track<Result>(start: () => Promise<Result>): Promise<Result> {
    if (this.#closing) throw new DatabaseError("closed", `${this.path}: the database is closed`);
    const running = start();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      const failure = explainStop(this.path, error);
      if (!failure) throw error;
      this.#hasFailed = true;
      this.#fail(failure);
      throw failure;
    } finally {
      this.#running.delete(running);
    }
  }

  async #withConnection<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  async #inTransaction<Result>(
    connection: DuckDBConnection,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const end = { command: "COMMIT" };
    const discard = (): void => {
      end.command = "ROLLBACK";
    };
    const takeRoom = (): Promise<void> => this.#limit(connection, withRoom);
    await connection.run("BEGIN");
    try {
      const result = await work({ connection, discard, takeRoom });
      await connection.run(end.command);
      return result;
    } catch (error) {
      // A failed COMMIT has rolled back by itself, and then there is no transaction to end.
      await connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      this.#writes++;
      // Refused only if more than that is in use just now: then the next time.
      await this.#limit(connection, besideTables).catch(() => undefined);
    }
  }

  async #limit(connection: DuckDBConnection, octets: string): Promise<void> {
    if (this.#isLimited) await connection.run(`SET memory_limit = '${octets}'`);
  }
}
