/** News over a real server and the real database: nothing is lost over restarts, and no reader holds up the others. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { News } from "../../analytics/live/news.ts";
import { openOwnedStore } from "../../analytics/owner/open-store.ts";
import type { Store } from "../../analytics/store.ts";
import { mostReaders } from "../../dashboard/routes/live.ts";
import { ask, codeBook, startFakeDashboard, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";

const clock = (): number => Date.UTC(2026, 2, 18) / 1000;
const capture = (name: string) => ({
  name,
  source: { stream: Readable.from([readFileSync(new URL(`../fixtures/${name}`, import.meta.url))]) },
});

let folder: string;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-live-"));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<{ store: Store; dashboard: TestDashboard; stop: () => Promise<void> }> {
  const store = await openOwnedStore(join(folder, "evidence.duckdb"), { codeBook, clock });
  const dashboard = await startTestDashboard({ store, clock, liveMs: 20 });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await dashboard.close();
    await store.close();
  };
  closers.push(stop);
  return { store, dashboard, stop };
}

interface Reading {
  next(): Promise<{ id: string; news: News }>;
  end(): void;
}

async function read({ address }: { address: string }, lastId?: string): Promise<Reading> {
  const ending = new AbortController();
  const headers = lastId === undefined ? {} : { "Last-Event-ID": lastId };
  const response = await fetch(`${address}api/live`, { headers, signal: ending.signal });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next() {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end === -1) {
          const { value = "", done } = await reader.read();
          if (done) throw new Error("the stream ended");
          text += value;
          continue;
        }
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const match = /^id: (.*)\nevent: news\ndata: (.*)$/.exec(event);
        if (match) return { id: match[1] ?? "", news: JSON.parse(match[2] ?? "") as News };
      }
    },
    end: () => ending.abort(),
  };
}

test("what came while the server was away is told to whoever comes back with the last id", async () => {
  const first = await start();
  const reading = await read(first.dashboard);
  const begin = await reading.next();
  expect(begin.news).toMatchObject({ detections: 0, captures: 0, hosts: [], reset: false });
  await first.store.ingest(capture("small-company-border.pcap"));
  const told = await reading.next();
  expect(told.news).toMatchObject({ captures: 1, reset: false });
  reading.end();
  await first.stop();

  const between = await openOwnedStore(join(folder, "evidence.duckdb"), { codeBook, clock });
  await between.ingest(capture("small-company.pcapng"));
  const ranking = await between.ranking();
  const hosts = [...ranking.hosts, ...ranking.unranked].map(({ address }) => address);
  await between.close();

  const second = await start();
  const again = await read(second.dashboard, told.id);
  const { news } = await again.next();
  expect(news.captures).toBe(1);
  expect(news.detections).toBeGreaterThan(0);
  expect(hosts).toEqual(expect.arrayContaining([...news.hosts]));
  again.end();
  const all = await read(second.dashboard, begin.id);
  expect((await all.next()).news).toMatchObject({
    captures: 2,
    detections: news.detections + told.news.detections,
  });
  all.end();
  const other = await read(second.dashboard, "999999-1-1-1");
  expect((await other.next()).news).toMatchObject({ reset: true });
  other.end();
});

test("an id that is none is refused, and so are readers beyond the most", async () => {
  const dashboard = await startFakeDashboard();
  closers.push(async () => dashboard.close());
  const path = "/api/live";
  for (const id of ["1", "1-2-3", "1-2-3-x", "-1-2-3-4", "9".repeat(99)])
    expect((await ask(dashboard, { path, headers: { "Last-Event-ID": id } })).status).toBe(400);
  const sockets = Array.from({ length: mostReaders }, () => {
    const socket = connect(dashboard.port, "127.0.0.1");
    socket.write("GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return socket;
  });
  await Promise.all(sockets.map(async (socket) => once(socket, "data")));
  const refused = await ask(dashboard, { path });
  expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "30"]);
  sockets[0]?.destroy();
  await expect
    .poll(async () => {
      const status = await fetch(`${dashboard.address}api/live`).then(async (answer) => {
        await answer.body?.cancel();
        return answer.status;
      });
      return status;
    })
    .toBe(200);
  for (const socket of sockets) socket.destroy();
});

test("a reader that does not read is let go, and the others go on", async () => {
  const dashboard = await startFakeDashboard({ liveMs: 2 });
  closers.push(async () => dashboard.close());
  const slow = connect(dashboard.port, "127.0.0.1");
  slow.write("GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(slow, "data");
  slow.pause();
  const reading = await read(dashboard);
  await reading.next();
  let count = 0;
  // Each look is told something new, and large: the slow one's buffers fill.
  const hosts = Array.from({ length: 2000 }, (_, index) => `2001:db8::${index.toString(16)}`);
  dashboard.store.news = async () => {
    count += 1;
    return Promise.resolve({ ...dashboard.store.latest, cursor: `${count}-0-0-0`, detections: 1, hosts });
  };
  const closed = once(slow, "close");
  slow.on("error", () => undefined);
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  for (let turn = 0; turn < 400; turn++) expect((await reading.next()).news.detections).toBe(1);
  slow.resume();
  await expect.poll(() => isClosed).toBe(true);
  reading.end();
});
