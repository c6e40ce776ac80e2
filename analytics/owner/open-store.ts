/**
 * The store of a database file, whoever holds it: one process owns the file (docs/decisions/0003), and every command
 * finds it by the socket beside it, or becomes the owner itself for as long as it runs.
 */
import { lstatSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CodeBook } from "../../wire/code-book.ts";
import { DatabaseError } from "../database-error.ts";
import { openDatabase } from "../database.ts";
import { openLocalStore } from "../local-store.ts";
import { RemoteStore } from "../remote-store.ts";
import type { Store } from "../store.ts";
import { listenForClients } from "./owner-server.ts";
import { socketPath } from "./socket-path.ts";

export interface OpenStoreOptions {
  readonly codeBook: CodeBook;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** How long another command may hold the file without answering (it is just starting or ending). */
  readonly patienceMs?: number;
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
  if (path === inMemory) return openLocalStore({ ...options, database: await openDatabase(path) });
  const socket = socketPath(path);
  const deadline = performance.now() + (options.patienceMs ?? defaultPatienceMs);
  for (;;) {
    if (await isAnswered(socket)) return new RemoteStore(socket);
    try {
      return await becomeOwner(path, socket, options);
    } catch (error) {
      const isHeld = error instanceof DatabaseError && error.problem === "held by another process";
      if (!isHeld || performance.now() > deadline) throw error;
    }
    await sleep(retryMs);
  }
}

/** Like openStore, but fails at once if another process owns the file: for a server, which must be the owner. */
export async function openOwnedStore(path: string, options: OpenStoreOptions): Promise<Store> {
  if (path === inMemory) return openStore(path, options);
  return becomeOwner(path, socketPath(path), options);
}

async function becomeOwner(path: string, socket: string, options: OpenStoreOptions): Promise<Store> {
  const database = await openDatabase(path);
  try {
    const store = await openLocalStore({ ...options, database });
    // Who holds the lock may remove the socket: nobody else can be listening there for this file.
    const server = await listenForClients(store, socket);
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
  readonly captures: Store["captures"];
  readonly setAssets: Store["setAssets"];
  readonly #store: Store;
  readonly #server: { close(): Promise<void> };

  constructor(store: Store, server: { close(): Promise<void> }) {
    this.#store = store;
    this.#server = server;
    this.ingest = store.ingest.bind(store);
    this.ranking = store.ranking.bind(store);
    this.host = store.host.bind(store);
    this.captures = store.captures.bind(store);
    this.setAssets = store.setAssets.bind(store);
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#store.close();
  }
}

/** Whether a process listens on the socket, and one that may be trusted with captures. */
function isAnswered(socket: string): Promise<boolean> {
  const status = lstatSync(socket, { throwIfNoEntry: false });
  if (!status) return Promise.resolve(false);
  if (status.uid !== process.getuid?.() && status.uid !== 0 && process.getuid?.() !== 0) {
    throw new DatabaseError("cannot be opened", `${socket}: belongs to another user (${status.uid})`);
  }
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
