/**
 * Captures of the database that may be the beginning of the one being read: a capture that is ingested while it is
 * still written comes again, longer. Whoever reads it asks after each number of packets that such a capture has.
 */
import type { CaptureOutcome } from "../../capture/frame-sink.ts";
import type { ContentDigest } from "./content-digest.ts";

export interface KnownCapture {
  readonly captureId: number;
  readonly packets: number;
  readonly streamId: string;
  readonly isPartial: boolean;
}

export class KnownBeginnings {
  /** Packets after which `compare` wants to see the digest next. */
  next: number;
  readonly #found: KnownCapture[] = [];
  readonly #captures: readonly KnownCapture[];
  #index = 0;

  /** `captures` by their number of packets. */
  constructor(captures: readonly KnownCapture[] = []) {
    this.#captures = captures;
    this.next = captures[0]?.packets ?? Number.POSITIVE_INFINITY;
  }

  /** To be called when as many frames as `next` are in the digest, and no more. */
  compare(digest: ContentDigest): void {
    const streamId = digest.streamId(this.next);
    for (let known = this.#captures[this.#index]; known?.packets === this.next;) {
      if (known.streamId === streamId) this.#found.push(known);
      known = this.#captures[++this.#index];
    }
    this.next = this.#captures[this.#index]?.packets ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Those whose place a capture of `frames` frames takes, shortest first. One as long as itself, if it was cut off behind
   * its last frame: names may have followed, which pcapng puts there.
   */
  replacedBy(frames: number, state: CaptureOutcome["state"]): KnownCapture[] {
    if (state === "refused") return [];
    return this.#found.filter(
      ({ packets, isPartial }) => packets < frames || (isPartial && state === "complete"),
    );
  }
}
