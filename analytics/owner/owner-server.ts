/** The owner's side of the socket: what other processes of this user ask of the database that this one holds. */
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { once } from "node:events";
import { sortKeys } from "../store.ts";
import type { Asset, Store } from "../store.ts";
import { nameHeader, routes } from "./wire-format.ts";
import type { IngestLine } from "./wire-format.ts";

export interface OwnerServer {
  /** Lets requests that run come to their end, then stops. */
  close(): Promise<void>;
}

/** Answers on the unix socket `path`, which no living process listens on. */
export async function listenForClients(store: Store, path: string): Promise<OwnerServer> {
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    answer(store, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { failure: messageOf(error) });
    });
  });
  // A capture may take as long as it takes; this user's own processes are the only clients.
  server.requestTimeout = 0;
  await listenPrivately(server, path);
  return {
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    // The socket is made within this call, so the mask holds for it and for nothing else.
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, "listening");
  chmodSync(path, 0o600);
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://owner");
  const asked = url.searchParams.get("asOf");
  const asOf = asked === null ? undefined : Number(asked);
  switch (`${request.method ?? ""} ${url.pathname}`) {
    case `GET ${routes.ranking}`: {
      const sort = sortKeys.find((key) => key === url.searchParams.get("sort"));
      const ranking = await store.ranking({
        ...(asOf === undefined ? {} : { asOf }),
        ...(sort ? { sort } : {}),
      });
      sendJson(response, 200, ranking);
      return;
    }
    case `GET ${routes.host}`:
      sendJson(response, 200, (await store.host(url.searchParams.get("address") ?? "", asOf)) ?? null);
      return;
    case `GET ${routes.captures}`:
      sendJson(response, 200, await store.captures());
      return;
    case `PUT ${routes.assets}`:
      await store.setAssets((await readJson(request)) as Asset[]);
      sendJson(response, 200, null);
      return;
    case `POST ${routes.ingest}`:
      await ingest(store, request, response);
      return;
    default:
      sendJson(response, 404, { failure: `unknown request ${request.method ?? ""} ${url.pathname}` });
  }
}

async function ingest(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const abort = new AbortController();
  // The client went away before its capture was whole: nothing of it is kept.
  response.on("close", () => {
    if (!response.writableFinished) abort.abort(new Error("the client closed the connection"));
  });
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const send = (line: IngestLine): void => {
    response.write(`${JSON.stringify(line)}\n`);
  };
  const length = request.headers["content-length"];
  const name = request.headers[nameHeader];
  try {
    const report = await store.ingest(
      {
        name: decodeURIComponent(typeof name === "string" ? name : "capture"),
        source: { stream: request, ...(length === undefined ? {} : { octets: Number(length) }) },
      },
      { signal: abort.signal, onProgress: (progress) => send({ progress }) },
    );
    // What a refused capture still holds is read to its end, so that the client can finish sending.
    request.resume();
    send({ report });
  } catch (error) {
    send({ failure: messageOf(error) });
  }
  response.end();
}

/** From this user's own processes, who send what they have checked. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as unknown;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(value));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
