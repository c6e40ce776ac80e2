/** Where the octets of a capture come from: an open file, or a stream. */
import { read, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { CaptureError } from "./capture-error.ts";

export interface OctetSource {
  /** Octets taken from the file or stream so far (of the compressed file, if it is compressed). */
  readonly octetsRead: number;
  /**
   * Reads at most `length` octets to `octets[at]`; returns how many, 0 at the end.
   * @throws CaptureError if it cannot be read on.
   */
  read(octets: Uint8Array, at: number, length: number): number | Promise<number>;
  /**
   * Where reading can go on beside the walk: begins what the next read will ask for. Nobody else may use those octets
   * until that read, or `close`, has returned.
   */
  readAhead?(octets: Uint8Array, at: number, length: number): void;
  /** Lets go of what reading held; the file or stream itself stays open. */
  close(): Promise<void>;
}

interface ReadAhead {
  readonly octets: Uint8Array;
  readonly at: number;
  readonly length: number;
  readonly got: Promise<number>;
}

/**
 * An open file from position 0; whoever opened it closes it. A read returns at once, which for small files beats
 * waiting for another thread; a large one is read ahead by that thread while the last piece is walked.
 */
export class FileSource implements OctetSource {
  octetsRead = 0;
  readonly #descriptor: number;
  #ahead: ReadAhead | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  read(octets: Uint8Array, at: number, length: number): number | Promise<number> {
    if (this.#ahead) return this.#take(this.#ahead, octets, at, length);
    try {
      const got = readSync(this.#descriptor, octets, at, length, this.octetsRead);
      this.octetsRead += got;
      return got;
    } catch (error) {
      throw new CaptureError(describeReadError(error), { cause: error });
    }
  }

  readAhead(octets: Uint8Array, at: number, length: number): void {
    const got = new Promise<number>((resolve, reject) => {
      read(this.#descriptor, octets, at, length, this.octetsRead, (error, count) => {
        if (error) reject(new CaptureError(describeReadError(error), { cause: error }));
        else resolve(count);
      });
    });
    // Whoever takes it hears of the error; until then nobody may be listening.
    got.catch(() => undefined);
    this.#ahead = { octets, at, length, got };
  }

  async #take(ahead: ReadAhead, octets: Uint8Array, at: number, length: number): Promise<number> {
    const got = await ahead.got;
    this.#ahead = undefined;
    // What was foreseen did not come: a record longer than a read moves everything to another place.
    if (ahead.octets !== octets || ahead.at !== at || ahead.length > length)
      return this.read(octets, at, length);
    this.octetsRead += got;
    return got;
  }

  async close(): Promise<void> {
    await this.#ahead?.got.catch(() => undefined);
  }
}

/** A stream in pieces of any size. It is not destroyed when reading stops early: an upload still wants its answer. */
export class StreamSource implements OctetSource {
  octetsRead = 0;
  readonly #pieces: AsyncIterator<unknown, unknown>;
  #piece: Uint8Array = new Uint8Array();

  constructor(stream: Readable) {
    this.#pieces = stream.iterator({ destroyOnReturn: false });
  }

  async read(octets: Uint8Array, at: number, length: number): Promise<number> {
    if (this.#piece.length === 0) this.#piece = await this.#next();
    const got = Math.min(length, this.#piece.length);
    octets.set(this.#piece.subarray(0, got), at);
    this.#piece = this.#piece.subarray(got);
    this.octetsRead += got;
    return got;
  }

  async #next(): Promise<Uint8Array> {
    try {
      for (;;) {
        const step = await this.#pieces.next();
        if (step.done === true) return new Uint8Array();
        if (!(step.value instanceof Uint8Array)) throw new TypeError("the stream gives no octets");
        if (step.value.length > 0) return step.value;
      }
    } catch (error) {
      throw new CaptureError(describeReadError(error), { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

function describeReadError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EISDIR") return "a directory, not a capture";
  return `reading failed: ${error instanceof Error ? error.message : String(error)}`;
}
