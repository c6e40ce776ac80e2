/** POST /ingest: the body is a capture, and the answer a line for every step. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CaptureFile } from "../packets/selection.ts";
import type { Store } from "../store.ts";
import { fileHeader, nameHeader, octetsHeader } from "./wire-format.ts";
import type { IngestLine } from "./wire-format.ts";

/** Hands the body to the store; nothing is kept of it if the client goes away, or `signal` aborts, before its end. */
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
  response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" });
  // At once: so a client knows that somebody listens, though the first progress may be long in coming.
  response.flushHeaders();
  const send = (line: IngestLine): void => {
    response.write(`${JSON.stringify(line)}\n`);
  };
  const octets = Number(request.headers[octetsHeader] ?? Number.NaN);
  const isKnown = Number.isSafeInteger(octets) && octets >= 0;
  const name = request.headers[nameHeader];
  const file = request.headers[fileHeader];
  try {
    const report = await store.ingest(
      {
        name: typeof name === "string" ? decodeURIComponent(name) : "capture",
        // Only a file on this machine says how long it is, and a file does not stall.
        source: { stream: request, ...(isKnown ? { octets } : { mayStall: true }) },
        // This user's own processes are the only clients, and what they say here is compared with the file later.
        ...(typeof file === "string" ? { file: JSON.parse(decodeURIComponent(file)) as CaptureFile } : {}),
      },
      {
        signal: signal ? AbortSignal.any([gone.signal, signal]) : gone.signal,
        onProgress: (progress) => send({ progress }),
      },
    );
    send({ report });
  } catch (error) {
    send({
      failure: signal?.aborted === true ? "it was ended before the capture was whole" : messageOf(error),
    });
  }
  response.end();
  // What a refused capture still holds is read and dropped, so that the client can read the answer.
  if (!request.destroyed) request.resume();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
