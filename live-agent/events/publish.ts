/**
 * Sends spooled events to the dashboard: batches of NDJSON by POST, with a token. At least once on the wire: a batch is
 * acknowledged only after the answer, and each event has an id by which the dashboard knows it again.
 */
import { agentContentTypes } from "../../policy/agent-report.ts";
import { backoffSeconds } from "./backoff.ts";
import type { BackoffSettings } from "./backoff.ts";
import { Post, PublishError } from "./post.ts";
import type { PostSettings } from "./post.ts";
import type { SpooledBatch } from "./spool.ts";

export interface PublishSettings extends PostSettings {
  readonly batchEvents: number;
  readonly batchOctets: number;
  readonly backoff: BackoffSettings;
}

export const defaultPublish = {
  insecureHttp: false,
  batchEvents: 2000,
  batchOctets: 1024 * 1024,
  timeoutMs: 30_000,
  backoff: { firstSeconds: 1, longestSeconds: 60 },
} as const;

export interface PublishWorld {
  /** 0 to 1. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly complain: (problem: string) => void;
}

/** What the publisher needs of a spool. */
export interface EventSource {
  next(mostEvents: number, mostOctets: number): SpooledBatch | undefined;
  acknowledge(batch: SpooledBatch): void;
  waitForEvents(signal: AbortSignal): Promise<void>;
}

/** No server keeps an agent from reporting for longer, whatever it says; seconds. */
const longestAsked = 3600;

/** Refusals of the content as such, as of an event that this version of the dashboard does not know. */
const contentRefusals: ReadonlySet<number> = new Set([400, 413, 422]);

export class Publisher {
  readonly #settings: PublishSettings;
  readonly #source: EventSource;
  readonly #world: PublishWorld;
  readonly #post: Post;
  #failures = 0;
  #mostEvents: number;
  /** Events that the dashboard refused one by one. */
  refused = 0;
  /** What went wrong last; undefined if the last batch went through. */
  problem: string | undefined;

  /** @throws PublishError if the address is none that events may be sent to. */
  constructor(settings: PublishSettings, source: EventSource, world: PublishWorld) {
    this.#settings = settings;
    this.#post = new Post(settings);
    this.#source = source;
    this.#world = world;
    this.#mostEvents = settings.batchEvents;
  }

  /** Sends what there is and what comes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#source.waitForEvents(signal);
        await this.sendNext(signal);
      }
    } finally {
      this.#post.close();
    }
  }

  /** Sends one batch, if there are events; after a failure waits first for as long as it should. */
  async sendNext(signal: AbortSignal): Promise<void> {
    const batch = signal.aborted
      ? undefined
      : this.#source.next(this.#mostEvents, this.#settings.batchOctets);
    if (!batch) return;
    try {
      if (batch.events > 0) await this.#post.send(agentContentTypes.events, batch.lines, signal);
    } catch (error) {
      // Stopped, not failed.
      if (signal.aborted) return;
      await this.#failed(
        batch,
        error instanceof PublishError ? error : new PublishError(String(error)),
        signal,
      );
      return;
    }
    this.#source.acknowledge(batch);
    this.#failures = 0;
    this.#mostEvents = Math.min(this.#settings.batchEvents, this.#mostEvents * 2);
    this.problem = undefined;
  }

  async #failed(batch: SpooledBatch, error: PublishError, signal: AbortSignal): Promise<void> {
    this.problem = error.message;
    if (contentRefusals.has(error.status ?? 0)) {
      if (batch.events > 1) {
        this.#mostEvents = Math.max(1, Math.floor(batch.events / 2));
        return;
      }
      // One event that is refused for what it is must not hold up all that follow.
      this.refused++;
      this.#world.complain(`${error.message}; left out: ${batch.lines.trimEnd().slice(0, 2000)}`);
      this.#source.acknowledge(batch);
      return;
    }
    this.#failures++;
    this.#world.complain(error.message);
    const random = this.#world.random();
    // Who says when to come again knows better; not all come at the same moment even so.
    const seconds =
      error.retryAfter === undefined
        ? backoffSeconds(this.#settings.backoff, this.#failures, random)
        : Math.min(error.retryAfter, longestAsked) * (1 + random / 2);
    await this.#world.sleep(seconds * 1000, signal).catch(() => undefined);
  }
}
