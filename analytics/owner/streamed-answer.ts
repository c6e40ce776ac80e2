/** Answers that may be large: octets as they come, and behind them, as a trailer, a report of what they were. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { reportTrailer } from "./wire-format.ts";

type Output = (octets: Uint8Array) => Promise<void>;

/**
 * Sends what `produce` writes; it is aborted if the client goes away or `signal` aborts.
 * @throws what `produce` throws before it has written anything; later failures break the answer off.
 */
export async function answerStream(
  response: ServerResponse,
  signal: AbortSignal | undefined,
  produce: (output: Output, gone: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  const ended = signal ? AbortSignal.any([gone.signal, signal]) : gone.signal;
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      connection: "close",
      trailer: reportTrailer,
    });
  };
  const report = await produce(async (octets) => {
    begin();
    if (!response.write(octets)) await once(response, "drain", { signal: ended });
  }, ended);
  begin();
  response.addTrailers({ [reportTrailer]: encodeURIComponent(JSON.stringify(report)) });
  response.end();
}

/** The answer broke off. */
export class StreamLost extends Error {}

/** Hands the octets on and returns the report. @throws StreamLost, or what `output` throws. */
export async function readStream(response: IncomingMessage, output: Output): Promise<unknown> {
  const parts = response[Symbol.asyncIterator]();
  for (;;) {
    const part = await parts.next().catch((cause: unknown) => {
      throw new StreamLost("the answer broke off", { cause });
    });
    if (part.done === true) break;
    await output(part.value as Buffer);
  }
  const report = response.trailers[reportTrailer];
  if (report === undefined) throw new StreamLost("the answer broke off");
  return JSON.parse(decodeURIComponent(report)) as unknown;
}
