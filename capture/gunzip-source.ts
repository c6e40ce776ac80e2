/**
 * What a gzip file holds (RFC 1952), also of several members. Node's own gunzip drops what it decompressed just before
 * an error; here headers and checksums are read apart and the deflate data in steps of fixed size, so that the same
 * damage leaves the same octets however the file arrives.
 */
import { crc32, createInflateRaw } from "node:zlib";
import type { InflateRaw } from "node:zlib";
import { CaptureError } from "./capture-error.ts";
import { gzipHeaderLength } from "./gzip-header.ts";
import type { OctetSource } from "./octet-source.ts";

/** Compressed octets a step. Deflate grows at most 1032-fold, so a step makes 17 MB at worst. */
const stepOctets = 16 * 1024;

/** Checksum and length of the content, 4 octets each. */
const trailerOctets = 8;

export class GunzipSource implements OctetSource {
  readonly #compressed: OctetSource;
  #beginning: Uint8Array;
  readonly #input = new Uint8Array(stepOctets);
  /** Compressed octets read and not used: `[inputStart, inputEnd)`. */
  #inputStart = 0;
  #inputEnd = 0;
  #inputHasEnded = false;
  readonly #pieces: Uint8Array[] = [];
  #member: Member | undefined;
  #members = 0;
  #hasEnded = false;
  /** Thrown once everything before it has been handed over. */
  #failure: CaptureError | undefined;

  /** `beginning`: octets that were read already, to see that it is gzip. */
  constructor(compressed: OctetSource, beginning: Uint8Array) {
    this.#compressed = compressed;
    this.#beginning = beginning;
  }

  get octetsRead(): number {
    return this.#compressed.octetsRead;
  }

  async read(octets: Uint8Array, at: number, length: number): Promise<number> {
    while (this.#pieces.length === 0 && !this.#hasEnded && !this.#failure) await this.#advance();
    const [piece] = this.#pieces;
    if (!piece && this.#failure) throw this.#failure;
    if (!piece) return 0;
    const got = Math.min(length, piece.length);
    octets.set(piece.subarray(0, got), at);
    if (got === piece.length) this.#pieces.shift();
    else this.#pieces[0] = piece.subarray(got);
    return got;
  }

  async close(): Promise<void> {
    this.#member?.close();
    await this.#compressed.close();
  }

  async #advance(): Promise<void> {
    try {
      await this.#fillInput();
      if (!this.#member) this.#beginMember();
      else if (this.#member.hasEnded) this.#endMember(this.#member);
      else await this.#inflate(this.#member);
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.#failure = error;
    }
  }

  /** Always a whole step unless the input ends, so that steps do not depend on how the file arrives. */
  async #fillInput(): Promise<void> {
    this.#input.copyWithin(0, this.#inputStart, this.#inputEnd);
    this.#inputEnd -= this.#inputStart;
    this.#inputStart = 0;
    while (!this.#inputHasEnded && this.#inputEnd < stepOctets) {
      const got = this.#takeBeginning() || (await this.#readOn());
      this.#inputEnd += got;
      this.#inputHasEnded = got === 0;
    }
  }

  #takeBeginning(): number {
    const taken = this.#beginning.subarray(0, stepOctets - this.#inputEnd);
    this.#input.set(taken, this.#inputEnd);
    this.#beginning = this.#beginning.subarray(taken.length);
    return taken.length;
  }

  #readOn(): number | Promise<number> {
    return this.#compressed.read(this.#input, this.#inputEnd, stepOctets - this.#inputEnd);
  }

  #beginMember(): void {
    // Zeros behind the last member are padding of tapes and block devices; gzip ignores them too.
    while (this.#members > 0 && this.#inputStart < this.#inputEnd && this.#input[this.#inputStart] === 0)
      this.#inputStart++;
    if (this.#inputStart === this.#inputEnd) {
      this.#hasEnded = this.#inputHasEnded;
      return;
    }
    const length = gzipHeaderLength(this.#input, this.#inputStart, this.#inputEnd);
    if (length < 0) throw new CaptureError("what follows the gzip data is no gzip data");
    if (length === 0) this.#expectMore("header");
    else {
      this.#inputStart += length;
      this.#member = new Member(this.#pieces);
      this.#members++;
    }
  }

  /** Nothing to do but to read on, if there is room and something to read. */
  #expectMore(what: string): void {
    if (this.#inputHasEnded) throw new CaptureError(`the gzip data ends early, in its ${what}`);
    if (this.#inputStart === 0 && this.#inputEnd === stepOctets)
      throw new CaptureError(`the gzip ${what} is longer than ${stepOctets} octets`);
  }

  async #inflate(member: Member): Promise<void> {
    this.#inputStart += await member.inflate(this.#input.subarray(this.#inputStart, this.#inputEnd));
    const isAllUsed = this.#inputStart === this.#inputEnd;
    if (isAllUsed && this.#inputHasEnded) throw new CaptureError("the gzip data ends early");
  }

  #endMember(member: Member): void {
    if (this.#inputEnd - this.#inputStart < trailerOctets) return this.#expectMore("checksum");
    const trailer = new DataView(this.#input.buffer, this.#inputStart, trailerOctets);
    this.#inputStart += trailerOctets;
    this.#member = undefined;
    member.check(trailer.getUint32(0, true), trailer.getUint32(4, true));
  }
}

/** The deflate data of one member (RFC 1951). */
class Member {
  readonly #inflate: InflateRaw = createInflateRaw({ chunkSize: 128 * 1024 });
  hasEnded = false;
  #failure: Error | undefined;
  /** Whichever comes first: the deflate data ends, or is damaged. */
  readonly #settled: Promise<void>;
  #checksum = 0;
  #octets = 0;

  constructor(pieces: Uint8Array[]) {
    this.#inflate.on("data", (piece: Buffer) => {
      this.#checksum = crc32(piece, this.#checksum);
      this.#octets += piece.length;
      pieces.push(piece);
    });
    this.#settled = new Promise((resolve) => {
      this.#inflate.on("end", () => {
        this.hasEnded = true;
        resolve();
      });
      this.#inflate.on("error", (error) => {
        this.#failure = error;
        resolve();
      });
    });
  }

  /** Returns how many of the octets belong to the deflate data; fewer than all at its end. */
  async inflate(compressed: Uint8Array): Promise<number> {
    const before = this.#inflate.bytesWritten;
    const written = new Promise<void>((resolve) => {
      this.#inflate.write(compressed, () => resolve());
    });
    await Promise.race([written, this.#settled]);
    const used = this.#inflate.bytesWritten - before;
    // What is left over shows that the data ended; the event that says so is still on its way.
    if (used < compressed.length) await this.#settled;
    if (this.#failure)
      throw new CaptureError(`the gzip data is damaged: ${this.#failure.message}`, { cause: this.#failure });
    return used;
  }

  check(checksum: number, octets: number): void {
    if (checksum !== this.#checksum || octets !== this.#octets % 2 ** 32)
      throw new CaptureError("the gzip data is damaged: its checksum or length differs");
  }

  close(): void {
    this.#inflate.destroy();
  }
}
