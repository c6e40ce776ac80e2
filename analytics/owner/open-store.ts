/**
 * The store of a database file, whoever holds it: one process owns the file (docs/decisions/0003), and every command
 * finds it by the socket beside it, or becomes the owner itself for as long as it runs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CodeBook } from "../../wire/code-book.ts";
import { DatabaseError } from "../database-error.ts";
import { openDatabase } from "../database.ts";
import type { ReaderKey } from "../ingest/tag-check.ts";
import { openLocalStore } from "../local-store.ts";
import type { LocalStoreOptions } from "../local-store.ts";
import { RemoteStore } from "../remote-store.ts";
import type { Store } from "../store.ts";
import { fileId, findOwner } from "./find-owner.ts";
import { listenForClients, loadAnswers } from "./owner-server.ts";
import type { OwnerServer } from "./owner-server.ts";
import { socketPath } from "./socket-path.ts";

export interface OpenStoreOptions {
  readonly codeBook: CodeBook;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Keys that this process verifies tags with; another that owns the file has its own. */
  readonly keys?: readonly ReaderKey[];
  /** How long another command may hold the file without answering (it is just starting or ending). */
  readonly patienceMs?: number;
  /** Called once if this has taken a fifth of the patience: who waits should know for what. */
  readonly onWaiting?: (reason: DatabaseError) => void;
  /**
   * Whether others may come with their captures and questions meanwhile; true by default. A command that only asks
   * would have to stay for whoever came.
   */
  readonly listens?: boolean;
  /** Whether this process is there to ingest; see DatabaseOptions. */
  readonly forIngest?: boolean;
  /** Octets on disk of all captures that are being received; 64 GiB if absent. */
  readonly spoolOctets?: number;
  /** Ends what others are doing here, their captures too; otherwise closing waits for them. */
  readonly signal?: AbortSignal;
}

const defaultPatienceMs = 5_000;
const retryMs = 50;

/** For a database that lives only as long as the process. */
export const inMemory = ":memory:";

/**
 * Opens the store of the database `path`, which is created if it is not there.
 * @throws DatabaseError if it is no database of ours, or a process that does not answer holds it
 */
export async function openStore(path: string, options: OpenStoreOptions): Promise<Store> {
  if (path === inMemory) return openInMemory(options);
  const socket = socketPath(path);
  const { patienceMs = defaultPatienceMs } = options;
  return untilReleased({ patienceMs, onWaiting: options.onWaiting }, async () => {
    const owner = await findOwner(path, socket, patienceMs);
    if (typeof owner === "object") return new RemoteStore(socket, owner);
    try {
      return await becomeOwner(path, socket, options);
    } catch (error) {
      if (owner !== "silent" || !isHeld(error)) throw error;
      throw new DatabaseError(error.problem, `${error.message}, which does not answer`, {
        cause: error,
        ...(error.pid === undefined ? {} : { pid: error.pid }),
      });
    }
  });
}

/** Like openStore, but fails if another process keeps the file: for a server, which must be the owner. */
export async function openOwnedStore(path: string, options: OpenStoreOptions): Promise<Store> {
  if (path === inMemory) return openInMemory(options);
  await loadAnswers();
  const { patienceMs = defaultPatienceMs } = options;
  const waiting = { patienceMs, onWaiting: options.onWaiting };
  return untilReleased(waiting, () => becomeOwner(path, socketPath(path), options));
}

async function openInMemory(options: OpenStoreOptions): Promise<Store> {
  return openLocalStore({ ...storeOptions(options), database: await openDatabase(inMemory) });
}

function storeOptions(options: OpenStoreOptions): Omit<LocalStoreOptions, "database"> {
  const { codeBook, clock, keys, spoolOctets } = options;
  return {
    codeBook,
    clock,
    ...(keys ? { keys } : {}),
    ...(spoolOctets === undefined ? {} : { spoolOctets }),
  };
}

/** Tries again while another process holds the file: a command that only asks something is gone in a moment. */
async function untilReleased<Result>(
  { patienceMs, onWaiting }: { patienceMs: number; onWaiting: OpenStoreOptions["onWaiting"] },
  attempt: () => Promise<Result>,
): Promise<Result> {
  const begun = performance.now();
  let hasTold = false;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const waited = performance.now() - begun;
      if (!isHeld(error) || waited >= patienceMs) throw error;
      if (!hasTold && waited >= patienceMs / 5) {
        hasTold = true;
        onWaiting?.(error);
      }
    }
    await sleep(retryMs);
  }
}

function isHeld(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.problem === "held by another process";
}

async function becomeOwner(path: string, socket: string, options: OpenStoreOptions): Promise<Store> {
  const database = await openDatabase(path, { forIngest: options.forIngest === true });
  try {
    const store = await openLocalStore({ ...storeOptions(options), database });
    if (options.listens === false) return store;
    const server = await listenForClients(store, socket, {
      file: fileId(database.path),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return new OwnedStore(store, server);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The owner's own store; closing it waits for the clients that are being served. */
class OwnedStore implements Store {
  readonly ingest: Store["ingest"];
  readonly ranking: Store["ranking"];
  readonly host: Store["host"];
  readonly hostList: Store["hostList"];
  readonly events: Store["events"];
  readonly network: Store["network"];
  readonly captures: Store["captures"];
  readonly setAssets: Store["setAssets"];
  readonly agents: Store["agents"];
  readonly export: Store["export"];
  readonly packetSources: Store["packetSources"];
  readonly packets: Store["packets"];
  readonly triage: Store["triage"];
  readonly audit: Store["audit"];
  readonly savedViews: Store["savedViews"];
  readonly news: Store["news"];
  readonly agentLog?: NonNullable<Store["agentLog"]>;
  readonly failure?: NonNullable<Store["failure"]>;
  readonly #store: Store;
  readonly #server: OwnerServer;

  constructor(store: Store, server: OwnerServer) {
    this.#store = store;
    this.#server = server;
    this.ingest = store.ingest.bind(store);
    this.ranking = store.ranking.bind(store);
    this.host = store.host.bind(store);
    this.hostList = store.hostList.bind(store);
    this.events = store.events.bind(store);
    this.network = store.network.bind(store);
    this.captures = store.captures.bind(store);
    this.setAssets = store.setAssets.bind(store);
    this.agents = store.agents.bind(store);
    this.export = store.export.bind(store);
    this.packetSources = store.packetSources.bind(store);
    this.packets = store.packets.bind(store);
    this.triage = store.triage;
    this.audit = store.audit;
    this.savedViews = store.savedViews;
    this.news = store.news.bind(store);
    if (store.agentLog) this.agentLog = store.agentLog;
    if (store.failure) this.failure = store.failure;
  }

  /** The socket goes first and the file last, so that who gets the file never finds our socket. */
  async close(): Promise<void> {
    await this.#server.close();
    await this.#store.close();
  }
}
