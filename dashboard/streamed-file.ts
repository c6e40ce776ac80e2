/** A file that is made while it is sent: the browser saves it under a name of ours. */
import { once } from "node:events";
import type { Response } from "express";

export interface StreamedFile {
  /** Becomes part of a header, so that it may hold no text from outside but addresses. */
  readonly name: string;
  readonly type: string;
}

/**
 * Sends what `produce` writes; it is aborted if the client goes away or `shutdown` aborts.
 * @throws what `produce` throws before it has written anything; a failure behind that breaks the answer off, so that
 * nobody takes a part for the whole.
 */
export async function sendFile(
  response: Response,
  { name, type }: StreamedFile,
  shutdown: AbortSignal,
  produce: (output: (octets: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  const signal = AbortSignal.any([gone.signal, shutdown]);
  const begin = (): void => {
    if (response.headersSent) return;
    response.type(type);
    response.set("Content-Disposition", `attachment; filename="${name}"`);
  };
  try {
    await produce(async (octets) => {
      begin();
      if (!response.write(octets)) await once(response, "drain", { signal });
    }, signal);
  } catch (error) {
    // Nobody is left to be told.
    if (gone.signal.aborted) return;
    throw error;
  }
  begin();
  response.end();
}

/** A part of a file name: addresses hold colons, which not every system takes. */
export function namePart(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.]+/g, "-");
}
