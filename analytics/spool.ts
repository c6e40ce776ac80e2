/**
 * Where captures wait that come slowly: whoever sends one may stall for hours, and only one capture is written at a time.
 * So it is received whole before it asks for its turn.
 */
import { closeSync, write } from "node:fs";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { explainFull, noRoom, openNameless } from "./nameless-file.ts";

const writeOctets = promisify(write);

/** Of all captures together that wait at one time. */
export const defaultSpoolOctets = 64 * 1024 ** 3;

/** Octets between two words about how far it is. */
const progressOctets = 8 * 1024 * 1024;

export interface Receiving {
  readonly signal?: AbortSignal | undefined;
  readonly onReceived?: (octets: number) => void;
}

export class Spool {
  readonly #folder: string;
  readonly #limit: number;
  #octets = 0;

  constructor(folder: string, limit: number) {
    this.#folder = folder;
    this.#limit = limit;
  }

  /**
   * Receives all of a stream and hands over the open file; both are gone when `use` has ended.
   * @throws DatabaseError "no room" if the disk is full or too much waits; the signal's reason when it aborts.
   */
  async receive<Result>(
    stream: Readable,
    receiving: Receiving,
    use: (descriptor: number, octets: number) => Promise<Result>,
  ): Promise<Result> {
    const descriptor = openNameless(this.#folder);
    let octets = 0;
    const take = (piece: number): void => {
      octets += piece;
      this.#octets += piece;
      if (this.#octets > this.#limit) throw noRoom(this.#folder, `more than ${this.#limit} octets wait`);
    };
    try {
      await this.#copy(stream, descriptor, receiving, take);
      return await use(descriptor, octets);
    } finally {
      this.#octets -= octets;
      closeSync(descriptor);
    }
  }

  async #copy(
    stream: Readable,
    descriptor: number,
    { signal, onReceived }: Receiving,
    take: (octets: number) => void,
  ): Promise<void> {
    const pieces = stream.iterator({ destroyOnReturn: false });
    let octets = 0;
    let told = 0;
    for (;;) {
      const piece = await nextPiece(pieces, signal);
      if (!piece) return;
      take(piece.length);
      await this.#write(descriptor, piece, octets);
      octets += piece.length;
      if (octets - told < progressOctets) continue;
      told = octets;
      onReceived?.(octets);
    }
  }

  async #write(descriptor: number, piece: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < piece.length;) {
      try {
        const { bytesWritten } = await writeOctets(descriptor, piece, at, piece.length - at, position + at);
        at += bytesWritten;
      } catch (error) {
        throw explainFull(this.#folder, error);
      }
    }
  }
}

/** Undefined at the end. The stream is not destroyed on abort: a request's answer goes the same way that it came. */
async function nextPiece(
  pieces: AsyncIterator<unknown>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  signal?.throwIfAborted();
  const step = await untilAborted(pieces.next(), signal);
  signal?.throwIfAborted();
  if (step.done === true) return undefined;
  if (step.value instanceof Uint8Array) return step.value;
  throw new TypeError("the stream gives no octets");
}

/** A sender may be silent for ever. One listener a step, removed with it: a race would keep a reaction for each. */
function untilAborted<Result>(waiting: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      const reason: unknown = signal?.reason;
      reject(reason instanceof Error ? reason : new Error(String(reason)));
    };
    signal?.addEventListener("abort", stop, { once: true });
    void waiting.then(resolve, reject).finally(() => signal?.removeEventListener("abort", stop));
  });
}
