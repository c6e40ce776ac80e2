/**
 * GET /api/live: what comes in, as server-sent events (WHATWG HTML, section 9.2). The id of an event is where the database
 * stands, so a reader that comes back with Last-Event-ID misses nothing, whatever was restarted meanwhile.
 */
import { Router } from "express";
import type { Response } from "express";
import { parseCursor } from "../../analytics/live/news.ts";
import type { News } from "../../analytics/live/news.ts";
import type { Store } from "../../analytics/store.ts";
import { HttpError } from "../http-error.ts";
import { parseNoQuery } from "../query.ts";

export interface LiveRoute {
  readonly store: Pick<Store, "news">;
  readonly onUnexpectedError: (error: unknown) => void;
  readonly signal: AbortSignal;
  /** Milliseconds between two looks at the database; 1,000 if absent. */
  readonly everyMs?: number | undefined;
}

/** Streams at once. */
export const mostReaders = 64;

/** Octets that a reader may leave unread; it is let go then, and comes back when it can. */
const mostUnread = 64 * 1024;

const heartbeatMs = 15_000;

/** A token that was revoked meanwhile ends with the stream: readers come back and are asked again. */
const longestStreamMs = 10 * 60_000;

interface Reader {
  readonly response: Response;
  cursor: string;
}

/** Mounted at /api. */
export function liveRoute(options: LiveRoute): Router {
  const router = Router();
  const feed = new Feed(options);
  router.get("/live", async (request, response) => {
    parseNoQuery(request.query);
    const asked = request.get("last-event-id");
    if (asked !== undefined && !parseCursor(asked))
      throw new HttpError(400, "Last-Event-ID: expected the id of an event");
    if (feed.isFull) throw new HttpError(503, "too many readers of news", { "Retry-After": "30" });
    await feed.add(response, asked);
  });
  return router;
}

class Feed {
  readonly #readers = new Set<Reader>();
  readonly #options: LiveRoute;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isLooking = false;
  #nextHeartbeat = 0;

  constructor(options: LiveRoute) {
    this.#options = options;
    options.signal.addEventListener("abort", () => {
      for (const reader of this.#readers) this.#drop(reader);
    });
  }

  get isFull(): boolean {
    return this.#readers.size >= mostReaders;
  }

  async add(response: Response, asked: string | undefined): Promise<void> {
    const reader: Reader = { response, cursor: asked ?? "" };
    // Counted before anything is awaited, so that no more get in at the same time.
    this.#readers.add(reader);
    response.once("close", () => this.#drop(reader));
    try {
      const news = await this.#options.store.news(asked);
      // Proxies are told to pass each event on at once.
      response.set({ "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      send(reader, news);
    } catch (error) {
      this.#drop(reader);
      throw error;
    }
    const ending = setTimeout(() => this.#drop(reader), longestStreamMs);
    response.once("close", () => clearTimeout(ending));
    this.#timer ??= setInterval(() => void this.#look(), this.#options.everyMs ?? 1000);
  }

  /** One look for all; what each has not seen yet is read once for those that stand at the same place. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const answers = new Map<string, Promise<News>>();
      for (const reader of this.#readers) {
        if (reader.cursor === "") continue;
        const answer = answers.get(reader.cursor) ?? this.#options.store.news(reader.cursor);
        answers.set(reader.cursor, answer);
        const news = await answer;
        if (news.cursor !== reader.cursor) send(reader, news);
        if (reader.response.writableLength > mostUnread) this.#drop(reader);
      }
      this.#beat();
    } catch (error) {
      this.#options.onUnexpectedError(error);
      for (const reader of this.#readers) this.#drop(reader);
    } finally {
      this.#isLooking = false;
    }
  }

  /** A comment now and then: whoever is between us does not take silence for the end. */
  #beat(): void {
    const now = performance.now();
    if (now < this.#nextHeartbeat) return;
    this.#nextHeartbeat = now + heartbeatMs;
    for (const { response, cursor } of this.#readers) if (cursor !== "") response.write(": here\n\n");
  }

  #drop(reader: Reader): void {
    if (!this.#readers.delete(reader)) return;
    if (reader.response.headersSent) reader.response.destroy();
    if (this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function send(reader: Reader, news: News): void {
  reader.cursor = news.cursor;
  reader.response.write(`id: ${news.cursor}\nevent: news\ndata: ${JSON.stringify(news)}\n\n`);
}
