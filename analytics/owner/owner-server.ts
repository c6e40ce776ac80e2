/** The owner's side of the socket: what other processes of this user ask of the database that this one holds. */
import { lstatSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { DatabaseError } from "../database-error.ts";
import { answerAudit, answerNote } from "./answer-audit.ts";
import { answerIngest } from "./answer-ingest.ts";
import { answerRemove, answerSave } from "./answer-saved-views.ts";
import { answerDecision, answerEntries, answerUndo } from "./answer-triage.ts";
import { answerStream } from "./streamed-answer.ts";
import { readAssets, readQuestion, RequestError } from "./read-request.ts";
import { ExportError } from "../export/check-export.ts";
import { PacketsError } from "../packets/selection.ts";
import { SavedViewError } from "../saved-views/saved-views.ts";
import type { Store } from "../store.ts";
import { protocolVersion, routes } from "./wire-format.ts";
import type { Failure, Introduction } from "./wire-format.ts";
import { TriageError } from "../triage/triage.ts";

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
    const exchange = { store, introduction, guests, isClosing, signal, request, response };
    const answering = answer(exchange)
      .catch((error: unknown) => sendFailure(response, error))
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

interface Exchange {
  readonly store: Store;
  readonly introduction: Introduction;
  /** Clients that have been introduced and have not left. */
  readonly guests: Set<ServerResponse>;
  readonly isClosing: boolean;
  readonly signal: AbortSignal | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(exchange: Exchange): Promise<void> {
  const { store, signal, request, response } = exchange;
  const question = readQuestion(request.url ?? "/");
  switch (`${request.method ?? ""} ${question.path}`) {
    case `GET ${routes.owner}`:
      introduce(exchange);
      return;
    case `GET ${routes.ranking}`:
      sendJson(response, 200, await store.ranking(question.ranking()));
      return;
    case `GET ${routes.host}`:
      sendJson(
        response,
        200,
        (await store.host(question.address(), question.asOf(), question.flowLimit())) ?? null,
      );
      return;
    case `GET ${routes.hostList}`: {
      const { name, query } = question.hostList();
      sendJson(response, 200, await store.hostList(name, question.address(), query));
      return;
    }
    case `GET ${routes.events}`:
      sendJson(response, 200, await store.events(question.address(), question.cursor()));
      return;
    case `GET ${routes.network}`:
      sendJson(response, 200, await store.network(question.network()));
      return;
    case `GET ${routes.captures}`:
      sendJson(response, 200, await store.captures());
      return;
    case `GET ${routes.agents}`:
      sendJson(response, 200, await store.agents());
      return;
    case `GET ${routes.packetSources}`:
      sendJson(response, 200, await store.packetSources(question.packets().selection));
      return;
    case `GET ${routes.packets}`: {
      const { selection, limits } = question.packets();
      await answerStream(response, signal, (output, gone) =>
        store.packets(selection, output, { limits, signal: gone }),
      );
      return;
    }
    case `GET ${routes.export}`: {
      const query = question.export();
      await answerStream(response, signal, (output, gone) => store.export(query, output, gone));
      return;
    }
    case `GET ${routes.triage}`:
      sendJson(response, 200, await answerEntries(store, question));
      return;
    case `POST ${routes.triage}`:
      sendJson(response, 200, await answerDecision(store, request));
      return;
    case `POST ${routes.undoTriage}`:
      sendJson(response, 200, await answerUndo(store, request));
      return;
    case `GET ${routes.news}`:
      sendJson(response, 200, await store.news(question.since()));
      return;
    case `GET ${routes.audit}`:
      sendJson(response, 200, await answerAudit(store, question));
      return;
    case `POST ${routes.audit}`:
      sendJson(response, 200, await answerNote(store, request));
      return;
    case `GET ${routes.savedViews}`:
      sendJson(response, 200, await store.savedViews.list());
      return;
    case `POST ${routes.savedViews}`:
      sendJson(response, 200, await answerSave(store, request));
      return;
    case `POST ${routes.removeSavedView}`:
      sendJson(response, 200, await answerRemove(store, request));
      return;
    case `PUT ${routes.assets}`:
      await store.setAssets(await readAssets(request));
      sendJson(response, 200, null);
      return;
    case `POST ${routes.ingest}`:
      await answerIngest(store, request, response, signal);
      return;
    default:
      throw new RequestError(`unknown request ${request.method ?? ""} ${question.path}`);
  }
}

/** The answer goes on for as long as the client stays, so that the owner does not leave between two of its requests. */
function introduce({ introduction, guests, isClosing, signal, response }: Exchange): void {
  if (isClosing || signal?.aborted === true) {
    sendJson(response, 503, { failure: "it is ending" });
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
  response.write(`${JSON.stringify(introduction)}\n`);
  guests.add(response);
  response.once("close", () => guests.delete(response));
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const failure: Failure = {
    failure: error instanceof Error ? error.message : String(error),
    ...(error instanceof TriageError
      ? { triage: { kind: error.kind, ...(error.count === undefined ? {} : { count: error.count }) } }
      : {}),
    ...(error instanceof SavedViewError ? { savedView: error.kind } : {}),
  };
  const status =
    error instanceof RequestError || error instanceof ExportError
      ? 400
      : error instanceof PacketsError
        ? 404
        : 500;
  sendJson(response, status, failure);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(value));
}
