/**
 * POST /api/captures?name=…: the body is the capture itself; the store keeps it on disk until it is whole, never in memory.
 * A damaged or refused capture is an outcome (200); an upload that is too large or cut short leaves nothing behind.
 */
import { Transform } from "node:stream";
import type { Request, RequestHandler, Response } from "express";
import { DatabaseError } from "../../analytics/database-error.ts";
import type { Store } from "../../analytics/store.ts";
import type { UploadLine } from "../api.ts";
import { HttpError } from "../http-error.ts";
import { parseUploadQuery } from "../query.ts";

export interface UploadRoute {
  readonly store: Store;
  readonly maxUploadOctets: number;
  readonly onUnexpectedError: (error: unknown) => void;
  /** Ends every upload that is under way. */
  readonly signal: AbortSignal;
}

/** The store writes one capture at a time; more than a few waiting is a mistake or an attack. */
const maxUploads = 4;

export function uploadCapture({
  store,
  maxUploadOctets,
  onUnexpectedError,
  signal,
}: UploadRoute): RequestHandler {
  let uploads = 0;
  return async (request, response) => {
    const { name } = parseUploadQuery(request.query);
    const length = declaredLength(request, maxUploadOctets);
    if (uploads >= maxUploads) {
      throw new HttpError(429, `${maxUploads} uploads are under way; try again`, { "Retry-After": "5" });
    }
    uploads += 1;
    const body = new UploadBody(request, maxUploadOctets, signal);
    const lines = new AnswerLines(request, response);
    try {
      const report = await store.ingest(
        {
          name,
          source: {
            stream: body.stream,
            mayStall: true,
            ...(length === undefined ? {} : { octets: length }),
          },
        },
        { signal: body.signal, onProgress: (progress) => lines.send({ progress }) },
      );
      // A store may see the end of a cut upload as the end of the capture; the refusal comes first all the same.
      if (body.refusal) throw body.refusal;
      lines.end(report);
    } catch (error) {
      const refusal = body.refusal ?? (error instanceof HttpError ? error : noRoom(error));
      if (!lines.started) throw refusal ?? error;
      if (!refusal) onUnexpectedError(error);
      lines.fail(refusal?.message ?? "unexpected error; the server's log says more");
    } finally {
      uploads -= 1;
      body.release();
    }
  };
}

/** Content-Length, if there is one. @throws HttpError for bodies that we do not take. */
function declaredLength(request: Request, maxUploadOctets: number): number | undefined {
  if (request.is(["multipart/*", "application/x-www-form-urlencoded"]) !== false) {
    throw new HttpError(415, "expected the octets of the capture as the body, got a form");
  }
  const header = request.get("content-length");
  if (header === undefined) return undefined;
  const length = Number(header);
  if (length > maxUploadOctets) throw tooLarge(maxUploadOctets);
  return length;
}

function noRoom(error: unknown): HttpError | undefined {
  const isFull = error instanceof DatabaseError && error.problem === "no room";
  return isFull
    ? new HttpError(507, "the server's disk is full; nothing of this capture was kept")
    : undefined;
}

function tooLarge(maxUploadOctets: number): HttpError {
  // The rest of the body is not read, so the connection cannot be used again.
  return new HttpError(
    413,
    `the capture is larger than ${maxUploadOctets} octets, the most this server takes`,
    {
      Connection: "close",
    },
  );
}

/** The body as a stream for the store, cut off where it grows too large, where the sender goes away, or at shutdown. */
class UploadBody {
  readonly stream: Transform;
  refusal: HttpError | undefined;
  readonly #request: Request;
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;

  constructor(request: Request, maxUploadOctets: number, shutdown: AbortSignal) {
    this.#request = request;
    this.signal = AbortSignal.any([shutdown, this.#abort.signal]);
    let octets = 0;
    this.stream = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        octets += chunk.length;
        if (octets > maxUploadOctets) this.#refuse(tooLarge(maxUploadOctets));
        else done(null, chunk);
      },
    });
    // Whoever reads the stream hears of its errors; without a listener one that nobody reads would end the process.
    this.stream.on("error", () => undefined);
    request.once("close", () => {
      if (!request.complete) this.#refuse(new HttpError(400, "the upload was cut short"));
    });
    shutdown.addEventListener("abort", this.#onShutdown, { once: true });
    request.pipe(this.stream);
  }

  #onShutdown = (): void => {
    this.#refuse(new HttpError(503, "the server is shutting down", { Connection: "close" }));
  };

  #refuse(refusal: HttpError): void {
    this.refusal ??= refusal;
    this.#request.unpipe(this.stream);
    this.stream.destroy(refusal);
    this.#abort.abort(refusal);
  }

  /** What the store did not read is read and dropped: a browser takes no answer before it has sent everything. */
  release(): void {
    this.#request.unpipe(this.stream);
    this.#request.resume();
  }
}

/** The answer: one JSON value at the end, or a line for every step if the sender wants lines. */
class AnswerLines {
  started = false;
  readonly #response: Response;
  readonly #wantsLines: boolean;

  constructor(request: Request, response: Response) {
    this.#response = response;
    this.#wantsLines =
      request.accepts(["application/json", "application/x-ndjson"]) === "application/x-ndjson";
  }

  send(line: UploadLine): void {
    if (!this.#wantsLines || this.#response.destroyed) return;
    if (!this.started) this.#response.type("application/x-ndjson");
    this.started = true;
    this.#response.write(`${JSON.stringify(line)}\n`);
  }

  end(report: Extract<UploadLine, { report: unknown }>["report"]): void {
    if (!this.#wantsLines) {
      this.#response.json(report);
      return;
    }
    this.send({ report });
    this.#response.end();
  }

  fail(error: string): void {
    this.send({ error });
    this.#response.end();
  }
}
