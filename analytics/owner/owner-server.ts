/** The owner's side of the socket: what other processes of this user ask of the database that this one holds. */
import { lstatSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { DatabaseError } from "../database-error.ts";
import type { Store } from "../store.ts";
import type { answerRequest as AnswerRequest } from "./answer-request.ts";
import { protocolVersion, routes } from "./wire-format.ts";
import type { Failure, Introduction } from "./wire-format.ts";

export interface OwnerServer {
  /** Introduces itself to nobody more, serves whom it knows until they leave, then stops. */
  close(): Promise<void>;
}

export interface OwnerServerOptions {
  /** Device and inode of the database. */
  readonly file: string;
  /** Ends the captures that are being handed over, and the wait for whom it serves. */
  readonly signal?: AbortSignal;
}

/**
 * Answers on the unix socket `path`. Only who holds the lock of the database may call this: nobody else can be listening
 * there for the same file, so a socket that is there is a dead owner's.
 * @throws DatabaseError if something else lies there, or nothing can be made there
 */
export async function listenForClients(
  store: Store,
  path: string,
  { file, signal }: OwnerServerOptions,
): Promise<OwnerServer> {
  removeDeadSocket(path);
  const running = new Set<Promise<void>>();
  const introduction = { protocol: protocolVersion, pid: process.pid, file };
  const guests = new Set<ServerResponse>();
  let isClosing = false;
  const dismissGuests = (): void => {
    for (const guest of guests) guest.end();
  };
  signal?.addEventListener("abort", dismissGuests, { once: true });
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const isFirst = request.method === "GET" && request.url === routes.owner;
    if (isFirst) introduce({ introduction, guests, isClosing, signal, response });
    const answering = (isFirst ? Promise.resolve() : answer(store, request, response, signal))
      // Sent to the end, or its reader has gone.
      .then(() => finished(response).catch(() => undefined));
    running.add(answering);
    void answering.finally(() => running.delete(answering));
  };
  const server = createServer(respond);
  // Who waits to be asked for a body is asked where it is wanted.
  server.on("checkContinue", respond);
  // A capture may take as long as it takes; this user's own processes are the only clients.
  server.requestTimeout = 0;
  await listenPrivately(server, path);
  return {
    close: async () => {
      isClosing = true;
      while (running.size > 0) await Promise.all(running);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      signal?.removeEventListener("abort", dismissGuests);
      await closed;
    },
  };
}

function removeDeadSocket(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status && !status.isSocket()) {
    throw new DatabaseError(
      "cannot be opened",
      `${path}: expected a socket of tattle or nothing, found another file; move it away`,
    );
  }
  if (status) rmSync(path);
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    // The socket is made within this call, so the mask holds for it and for nothing else.
    server.listen(path);
  } finally {
    process.umask(before);
  }
  try {
    await once(server, "listening");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseError("cannot be opened", `${path}: no socket can be made here: ${reason}`, { cause });
  }
}

async function answer(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const answerRequest = await loadAnswers();
    await answerRequest(store, request, response, signal);
  } catch {
    response.destroy();
  }
}

/** For a process that runs for so long that an update may replace the files it would be loaded from. */
export async function loadAnswers(): Promise<typeof AnswerRequest> {
  const { answerRequest } = await import("./answer-request.ts");
  return answerRequest;
}

interface Meeting {
  readonly introduction: Introduction;
  /** Clients that have been introduced and have not left. */
  readonly guests: Set<ServerResponse>;
  readonly isClosing: boolean;
  readonly signal: AbortSignal | undefined;
  readonly response: ServerResponse;
}

/** The answer goes on for as long as the client stays, so that the owner does not leave between two of its requests. */
function introduce({ introduction, guests, isClosing, signal, response }: Meeting): void {
  if (isClosing || signal?.aborted === true) {
    const failure: Failure = { failure: "it is ending" };
    response.writeHead(503, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(failure));
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
  response.write(`${JSON.stringify(introduction)}\n`);
  guests.add(response);
  response.once("close", () => guests.delete(response));
}
