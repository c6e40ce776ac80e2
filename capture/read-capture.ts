/**
 * Reads a capture of any known format and hands its frames to a sink, one call a frame, from a buffer that is reused.
 * However damaged it is, reading ends in one of three states, and what was before the damage is kept.
 */
import { setImmediate } from "node:timers/promises";
import type { Readable } from "node:stream";
import { aheadOctets, borrowBuffer, giveBackBuffer, readOctets } from "./capture-buffer.ts";
import { CaptureError } from "./capture-error.ts";
import { describeForeign, isGzip, magicOctets, walkerFor } from "./detect-format.ts";
import type { CaptureOutcome, CaptureSummary, FrameSink, ReadOptions } from "./frame-sink.ts";
import { GunzipSource } from "./gunzip-source.ts";
import { FileSource, StreamSource } from "./octet-source.ts";
import type { OctetSource } from "./octet-source.ts";
import type { Damage, RecordWalker } from "./record-walker.ts";
import { findResumption, searchOctets } from "./resynchronise.ts";

/** An open file, read from position 0 and not closed here, or a stream: a pipe, an upload, standard input. */
export type CaptureSource = { readonly descriptor: number } | { readonly stream: Readable };

/** Octets between two looks at the rest of the process: progress, Ctrl-C, other requests. */
const octetsPerTurn = 32 * 1024 * 1024;

/** A capture with more damage than this is read up to there: each search costs milliseconds. */
const maximumGaps = 100;

/**
 * Reads all of the source.
 * @throws the signal's reason when it aborts; nothing else, but what the sink throws.
 */
export async function readCapture(
  source: CaptureSource,
  sink: FrameSink,
  options: ReadOptions = {},
): Promise<CaptureSummary> {
  const { signal } = options;
  signal?.throwIfAborted();
  const stream = "stream" in source ? source.stream : undefined;
  // A stream may be silent for ever; destroying it is the only way to stop waiting for it.
  const stop = (): void => void stream?.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  const octets = stream
    ? new StreamSource(stream)
    : new FileSource("descriptor" in source ? source.descriptor : -1);
  const reading = new Reading(octets, sink, options);
  try {
    return await reading.run();
  } finally {
    signal?.removeEventListener("abort", stop);
    await reading.close();
  }
}

/** One capture being read. */
class Reading {
  readonly #sink: FrameSink;
  readonly #options: ReadOptions;
  readonly #buffer = borrowBuffer();
  readonly #gaps: { readonly offset: number; readonly octets: number }[] = [];
  #source: OctetSource;
  #walker: RecordWalker | undefined;
  /** Octets of uncompressed content read. */
  #octets = 0;
  #nextTurn = octetsPerTurn;
  #hasEnded = false;
  /** Whether octets are on their way to the buffer's other place. */
  #readsAhead = false;
  /** The outcome of a capture that was read to its end over gaps. */
  #firstDamage: CaptureOutcome | undefined;
  /** Why the source could not be read on. */
  #sourceFailure: string | undefined;

  constructor(source: OctetSource, sink: FrameSink, options: ReadOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
  }

  async run(): Promise<CaptureSummary> {
    await this.#fill(magicOctets);
    if (isGzip(this.#unwalked())) {
      this.#source = new GunzipSource(this.#source, this.#unwalked().slice());
      this.#buffer.end = this.#buffer.start;
      this.#octets = 0;
      this.#hasEnded = false;
      await this.#fill(magicOctets);
    }
    this.#walker = walkerFor(this.#unwalked(), this.#sink);
    const outcome = this.#walker ? await this.#walk(this.#walker) : this.#refuse();
    this.#options.onProgress?.(this.#source.octetsRead, this.#walker?.frames ?? 0);
    return {
      outcome,
      format: this.#walker?.format ?? "unknown",
      octets: this.#octets,
      frames: this.#walker?.frames ?? 0,
      gaps: this.#gaps,
      interfaces: this.#walker?.interfaces ?? [],
      names: this.#walker?.names ?? new Map<string, string>(),
    };
  }

  async close(): Promise<void> {
    await this.#source.close();
    giveBackBuffer(this.#buffer);
  }

  #unwalked(): Uint8Array {
    return this.#buffer.octets.subarray(this.#buffer.start, this.#buffer.end);
  }

  #refuse(): CaptureOutcome {
    const found = describeForeign(this.#unwalked().subarray(0, magicOctets));
    return { state: "refused", offset: 0, reason: this.#sourceFailure ?? found };
  }

  async #walk(walker: RecordWalker): Promise<CaptureOutcome> {
    const buffer = this.#buffer;
    walker.useBuffer(buffer.octets, buffer.view, buffer.memory);
    for (;;) {
      buffer.start = walker.walk(buffer.start, buffer.end);
      if (walker.damage) {
        if (await this.#skipDamage(walker, walker.damage)) continue;
        return this.#stopped(walker.damage);
      }
      if (this.#hasEnded) return this.#finished(walker);
      if (this.#octets >= this.#nextTurn) await this.#takeTurn(walker);
      this.#rewind();
      const filling = this.#fill(walker.needed);
      if (filling) await filling;
      this.#readAhead();
    }
  }

  /** Whether reading can go on behind the damage; what is skipped becomes a gap. */
  async #skipDamage(walker: RecordWalker, damage: Damage): Promise<boolean> {
    if (damage.refused === true || this.#gaps.length === maximumGaps) return false;
    const octets = damage.octets ?? (await this.#searchBehindDamage(walker));
    if (octets === 0) return false;
    this.#gaps.push({ offset: this.#offset(), octets });
    this.#firstDamage ??= { state: "partial", offset: this.#offset(), reason: damage.reason };
    this.#buffer.start += octets;
    walker.resume();
    return true;
  }

  /** Octets to skip, 0 if nothing behind the damage is proven. */
  async #searchBehindDamage(walker: RecordWalker): Promise<number> {
    const needed = searchOctets(walker);
    if (needed === 0) return 0;
    this.#rewind();
    await this.#fill(needed);
    // No more than was asked for, although more may have arrived: the result must not depend on the chunking.
    const { start, length } = this.#buffer;
    return findResumption(walker, start, start + Math.min(length, needed), length < needed) - start;
  }

  /** What has been read behind the damage does not count, so that the result does not depend on the chunking. */
  #stopped(damage: Damage): CaptureOutcome {
    const offset = this.#offset();
    this.#octets = offset;
    this.#buffer.end = this.#buffer.start;
    const state = damage.refused === true && offset === 0 ? "refused" : "partial";
    return { state, offset, reason: damage.reason };
  }

  /** Offset in the uncompressed content of what has not been walked. */
  #offset(): number {
    return this.#octets - this.#buffer.length;
  }

  #finished(walker: RecordWalker): CaptureOutcome {
    const { length } = this.#buffer;
    if (this.#sourceFailure !== undefined)
      return { state: "partial", offset: this.#offset(), reason: this.#sourceFailure };
    if (length === 0) return this.#firstDamage ?? { state: "complete" };
    const isHeader = this.#offset() === 0;
    const what = isHeader ? "the file header" : "a record";
    const reason = `cut short: ${what} takes at least ${walker.needed} octets, ${length} are there`;
    // Without its header a capture holds nothing that could be read.
    return { state: isHeader ? "refused" : "partial", offset: this.#offset(), reason };
  }

  #rewind(): void {
    this.#buffer.rewind(this.#readsAhead ? "other place" : "same place");
  }

  /** Begins the next read of a file that is long enough to have one, while what has come is walked. */
  #readAhead(): void {
    const buffer = this.#buffer;
    const isLong = this.#octets >= aheadOctets && !this.#hasEnded && !buffer.hasGrown;
    if (!isLong || this.#readsAhead || !this.#source.readAhead) return;
    this.#source.readAhead(buffer.octets, buffer.otherPlace, aheadOctets);
    this.#readsAhead = true;
  }

  /** Reads until `needed` octets are there or the source ends. A promise only if the source has to be waited for. */
  #fill(needed: number): Promise<void> | undefined {
    const buffer = this.#buffer;
    while (!this.#hasEnded && buffer.length < needed) {
      const length = this.#readsAhead ? aheadOctets : readOctets;
      this.#readsAhead = false;
      if (buffer.reserve(length)) this.#walker?.useBuffer(buffer.octets, buffer.view, buffer.memory);
      try {
        const got = this.#source.read(buffer.octets, buffer.end, length);
        if (typeof got !== "number") return this.#fillLater(got, needed);
        this.#took(got);
      } catch (error) {
        this.#fail(error);
      }
    }
    return undefined;
  }

  async #fillLater(reading: Promise<number>, needed: number): Promise<void> {
    try {
      this.#took(await reading);
    } catch (error) {
      this.#fail(error);
    }
    this.#options.signal?.throwIfAborted();
    await this.#fill(needed);
  }

  #took(octets: number): void {
    this.#buffer.end += octets;
    this.#octets += octets;
    if (octets === 0) this.#hasEnded = true;
  }

  #fail(error: unknown): void {
    if (!(error instanceof CaptureError)) throw error;
    this.#sourceFailure = error.message;
    this.#hasEnded = true;
  }

  async #takeTurn(walker: RecordWalker): Promise<void> {
    this.#nextTurn = this.#octets + octetsPerTurn;
    this.#options.onProgress?.(this.#source.octetsRead, walker.frames);
    await setImmediate();
    await this.#options.pace?.();
    this.#options.signal?.throwIfAborted();
  }
}
