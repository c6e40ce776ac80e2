/**
 * POST /ingest: the body is a capture, and the answer a line for every step. Who says what file it is (fileHeader) may
 * wait to be asked for the body: it is not, if the same file is found here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { withFile } from "../packets/capture-file.ts";
import type { CaptureFile } from "../packets/selection.ts";
import type { CaptureReport, IngestInput, IngestOptions, Store } from "../store.ts";
import { fileHeader, nameHeader, octetsHeader } from "./wire-format.ts";
import type { IngestLine } from "./wire-format.ts";

/** Hands the capture to the store; nothing is kept of it if the client goes away, or `signal` aborts, before its end. */
export async function answerIngest(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal | undefined,
): Promise<void> {
  const gone = new AbortController();
  // Before the store listens: to the store alone, a body that breaks off might look like the end of a capture.
  request.on("error", (error) => gone.abort(error));
  response.on("close", () => {
    if (!response.writableFinished) gone.abort(new Error("the client closed the connection"));
  });
  const send = (line: IngestLine): void => {
    response.write(`${JSON.stringify(line)}\n`);
  };
  const options: IngestOptions = {
    signal: signal ? AbortSignal.any([gone.signal, signal]) : gone.signal,
    onProgress: (progress) => send({ progress }),
  };
  try {
    send({ report: await ingestFound(store, request, response, options) });
  } catch (error) {
    send({
      failure: signal?.aborted === true ? "it was ended before the capture was whole" : messageOf(error),
    });
  }
  response.end();
  // What a refused capture still holds is read and dropped, so that the client can read the answer.
  if (!request.destroyed) request.resume();
}

/** From the client's own file where it is found here, else from the body. */
async function ingestFound(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  options: IngestOptions,
): Promise<CaptureReport> {
  const name = request.headers[nameHeader];
  const asked = { name: typeof name === "string" ? decodeURIComponent(name) : "capture" };
  const begin = (): void => {
    response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
    // At once: so a client knows that somebody listens, though the first progress may be long in coming.
    response.flushHeaders();
  };
  const receive = (file?: CaptureFile): Promise<CaptureReport> => {
    if (waitsToBeAsked(request)) response.writeContinue();
    begin();
    return store.ingest({ ...asked, source: bodyOf(request), ...(file ? { file } : {}) }, options);
  };
  const file = request.headers[fileHeader];
  if (typeof file !== "string") return receive();
  // This user's own processes are the only clients, and what they say here is compared with the file, now or later.
  const described = JSON.parse(decodeURIComponent(file)) as CaptureFile;
  if (!waitsToBeAsked(request)) return receive(described);
  return withFile(described, (descriptor, { state }) => {
    if (state !== "there") return receive(described);
    begin();
    const source = { descriptor, octets: described.octets };
    return store.ingest({ ...asked, source, file: described }, options);
  });
}

function waitsToBeAsked(request: IncomingMessage): boolean {
  return request.headers.expect === "100-continue";
}

/** Whoever stops the client (Ctrl-Z, a debugger) stops the stream, though it reads a file. */
function bodyOf(request: IncomingMessage): IngestInput["source"] {
  const octets = Number(request.headers[octetsHeader] ?? Number.NaN);
  const isKnown = Number.isSafeInteger(octets) && octets >= 0;
  return { stream: request, mayStall: true, ...(isKnown ? { octets } : {}) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
