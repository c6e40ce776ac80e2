/**
 * Reads the server's news for as long as the page is open. Not by EventSource, which cannot bring a token. A stream that ends is
 * asked for again, later each time, from where it ended.
 */
import type { News } from "../../../analytics/live/news.ts";
import { ownHeaders } from "../api-client.ts";

const firstPauseMs = 1000;
const longestPauseMs = 30_000;

/** Until `signal` aborts, or the server wants another token. */
export async function followNews(onNews: (news: News) => void, signal: AbortSignal): Promise<void> {
  let cursor = "";
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const headers = { ...ownHeaders(), Accept: "text/event-stream" };
      const response = await fetch("/api/live", {
        headers: cursor === "" ? headers : { ...headers, "Last-Event-ID": cursor },
        cache: "no-store",
        signal,
      });
      if (response.status === 401 || response.status === 403) return;
      if (response.ok && response.body) {
        for await (const news of eventsOf(response.body)) {
          // The first one of a page says where the database stands.
          if (cursor !== "") onNews(news);
          cursor = news.cursor;
          pauseMs = firstPauseMs;
        }
      }
    } catch {
      // The server is away; it is asked again.
    }
    // Not all readers at the same moment, when a server comes back.
    await pause(pauseMs * (0.5 + Math.random()), signal);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<News> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const line = event.split("\n").find((each) => each.startsWith("data: "));
      if (line !== undefined) yield JSON.parse(line.slice("data: ".length)) as News;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
