/**
 * Sends spooled events to the dashboard: batches of NDJSON by POST, with a token. At least once on the wire: a batch is
 * acknowledged only after the answer, and each event has an id by which the dashboard knows it again.
 */
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { backoffSeconds } from "./backoff.ts";
import type { BackoffSettings } from "./backoff.ts";
import { isLoopback } from "./loopback.ts";
import type { SpooledBatch } from "./spool.ts";
import { withDeadline } from "./with-deadline.ts";

export interface PublishSettings {
  readonly url: string;
  readonly token: string;
  /** Certificate authorities in PEM; the system's if absent. */
  readonly authorities?: string;
  /** Plain HTTP beyond loopback: whoever is on the way reads which hosts are flagged, and the token. */
  readonly insecureHttp: boolean;
  readonly batchEvents: number;
  readonly batchOctets: number;
  readonly timeoutMs: number;
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

export class PublishError extends Error {
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;

  constructor(problem: string, status?: number, options?: ErrorOptions) {
    super(problem, options);
    this.name = "PublishError";
    this.status = status;
  }
}

/** Refusals of the content as such, as of an event that this version of the dashboard does not know. */
const contentRefusals: ReadonlySet<number> = new Set([400, 413, 422]);

export class Publisher {
  readonly #settings: PublishSettings;
  readonly #url: URL;
  readonly #source: EventSource;
  readonly #world: PublishWorld;
  readonly #agent: HttpAgent;
  #failures = 0;
  #mostEvents: number;
  /** Events that the dashboard refused one by one. */
  refused = 0;
  /** What went wrong last; undefined if the last batch went through. */
  problem: string | undefined;

  /** @throws PublishError if the address is none that events may be sent to. */
  constructor(settings: PublishSettings, source: EventSource, world: PublishWorld) {
    this.#settings = settings;
    this.#url = checkUrl(settings.url, settings.insecureHttp);
    this.#source = source;
    this.#world = world;
    this.#mostEvents = settings.batchEvents;
    const isSecure = this.#url.protocol === "https:";
    this.#agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Sends what there is and what comes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#source.waitForEvents(signal);
        await this.sendNext(signal);
      }
    } finally {
      this.#agent.destroy();
    }
  }

  /** Sends one batch, if there are events; after a failure waits first for as long as it should. */
  async sendNext(signal: AbortSignal): Promise<void> {
    const batch = signal.aborted
      ? undefined
      : this.#source.next(this.#mostEvents, this.#settings.batchOctets);
    if (!batch) return;
    try {
      if (batch.events > 0) await this.#post(batch.lines, signal);
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
    const seconds = backoffSeconds(this.#settings.backoff, this.#failures, this.#world.random());
    await this.#world.sleep(seconds * 1000, signal).catch(() => undefined);
  }

  async #post(lines: string, signal: AbortSignal): Promise<void> {
    const { token, timeoutMs, authorities } = this.#settings;
    const body = Buffer.from(lines);
    const options: RequestOptions & { ca?: string } = {
      method: "POST",
      agent: this.#agent,
      headers: {
        "content-type": "application/x-ndjson",
        "content-length": body.length,
        authorization: `Bearer ${token}`,
      },
      ...(authorities === undefined ? {} : { ca: authorities }),
    };
    const status = await withDeadline(signal, timeoutMs, async (limit) =>
      exchange(this.#url, { ...options, signal: limit }, body),
    ).catch((error: unknown) => {
      const reason = error instanceof Error ? describe(error) : String(error);
      throw new PublishError(`${this.#url.host}: ${reason}`, undefined, { cause: error });
    });
    // A redirect is no delivery: nobody configured where it leads.
    if (status < 200 || status > 299) throw new PublishError(`${this.#url.host} answered ${status}`, status);
  }
}

/** Aborting says "The operation was aborted", and the reason in the cause. */
function describe(error: Error): string {
  return error.name === "AbortError" && error.cause instanceof Error ? error.cause.message : error.message;
}

/** Sends the request and reads the answer to its end; its status. */
async function exchange(url: URL, options: RequestOptions, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const sent = send(url, options, (response: IncomingMessage) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function checkUrl(text: string, insecureHttp: boolean): URL {
  if (!URL.canParse(text))
    throw new PublishError(`expected an https:// address, got "${text.slice(0, 100)}"`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new PublishError(`unknown scheme "${url.protocol}"; one of https:, http:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new PublishError("a user and password in the address are not allowed; the token is a setting");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecureHttp) {
    throw new PublishError(
      `http to ${url.hostname} is in clear: whoever is on the way reads the events and the token; use https, or say --insecure-http`,
    );
  }
  return url;
}
