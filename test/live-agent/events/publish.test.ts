import { createServer as createSecureServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultPublish, Publisher } from "../../../live-agent/events/publish.ts";
import type { PublishSettings } from "../../../live-agent/events/publish.ts";
import { defaultSpool, Spool } from "../../../live-agent/events/spool.ts";
import { makeCertificate } from "../../support/receivers/certificate.ts";
import { eventually } from "../../support/receivers/deadline.ts";
import { receiveWebhooks } from "../../support/receivers/webhook-receiver.ts";
import type { Answer, ReceivedRequest } from "../../support/receivers/webhook-receiver.ts";
import { eventsFrom, parseLines, tallyOf } from "./spool-event.ts";
import type { NumberedEvent } from "./spool-event.ts";

let folder = "";
let spool: Spool<NumberedEvent>;
const opened: { close(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-publish-"));
  spool = new Spool<NumberedEvent>(join(folder, "spool"), defaultSpool, tallyOf);
});
afterEach(async () => {
  for (const open of opened.splice(0)) await open.close();
  spool.close();
  rmSync(folder, { recursive: true });
});

async function dashboard(answer?: (request: ReceivedRequest) => Answer) {
  const receiver = await receiveWebhooks(answer);
  opened.push(receiver);
  return receiver;
}

interface Publishing {
  readonly publisher: Publisher;
  /** Milliseconds that it waited for. */
  readonly waits: number[];
  readonly complaints: string[];
}

function publish(url: string, fields: Partial<PublishSettings> = {}, random = 1): Publishing {
  const waits: number[] = [];
  const complaints: string[] = [];
  const publisher = new Publisher({ ...defaultPublish, url, token: "t0ken", ...fields }, spool, {
    random: () => random,
    sleep: async (milliseconds) => void waits.push(milliseconds),
    complain: (problem) => void complaints.push(problem),
  });
  return { publisher, waits, complaints };
}

const signal = new AbortController().signal;
const numbersIn = (requests: readonly ReceivedRequest[]): number[] =>
  requests.flatMap(({ body }) => parseLines(body).map(({ number }) => number));

test("events go as one JSON object a line, with the token, in batches", async () => {
  const { url, requests } = await dashboard();
  spool.append(eventsFrom(1, 5));
  const { publisher } = publish(url, { batchEvents: 3 });
  await publisher.sendNext(signal);
  await publisher.sendNext(signal);
  expect(requests.map(({ body }) => body.split("\n").length - 1)).toEqual([3, 2]);
  expect(numbersIn(requests)).toEqual([1, 2, 3, 4, 5]);
  expect(requests[0]).toMatchObject({
    method: "POST",
    url: "/hook",
    headers: { authorization: "Bearer t0ken", "content-type": "application/x-ndjson" },
  });
  expect(spool.waiting).toBe(0);
});

test("what is spooled later is sent at once, until it is stopped", async () => {
  const { url, requests } = await dashboard();
  const stopping = new AbortController();
  const running = publish(url).publisher.run(stopping.signal);
  for (const first of [1, 3, 5]) {
    spool.append(eventsFrom(first, 2));
    await eventually("the events are acknowledged", () => spool.waiting === 0);
  }
  stopping.abort();
  await running;
  expect(numbersIn(requests)).toEqual([1, 2, 3, 4, 5, 6]);
});

describe("a batch that fails", () => {
  test("stays, and is sent again after 1 s, 2 s, 4 s ... a minute, under the same ids", async () => {
    const { url, requests } = await dashboard(() => ({ status: requests.length < 9 ? 503 : 204 }));
    spool.append(eventsFrom(1, 2));
    const { publisher, waits, complaints } = publish(url);
    for (let attempt = 0; attempt < 9; attempt++) await publisher.sendNext(signal);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    expect(complaints[0]).toMatch(/^127\.0\.0\.1:\d+ answered 503$/);
    expect(spool.waiting).toBe(0);
    expect(publisher.problem).toBeUndefined();
  });

  test.each([
    ["seconds", "2", 2000],
    ["longer than it would wait by itself", "600", 600_000],
    ["a date", "Wed, 04 May 2033 18:00:30 GMT", 30_000],
    ["for ever", "999999999", 3_600_000],
    ["nonsense", "soon", 1000],
  ])("is sent again when the server says, no sooner (%s)", async (_what, retryAfter, wait) => {
    const headers = { "retry-after": retryAfter, date: "Wed, 04 May 2033 18:00:00 GMT" };
    const { url } = await dashboard(() => ({ status: 503, headers }));
    spool.append(eventsFrom(1, 2));
    const { publisher, waits } = publish(url, {}, 0);
    await publisher.sendNext(signal);
    expect(waits).toEqual([retryAfter === "soon" ? wait / 2 : wait]);
    expect(spool.waiting).toBe(2);
  });

  test.each([
    ["a wrong token", 401],
    ["a redirect", 308],
    ["an address that is none", 404],
  ])("because of %s is kept until somebody mends it", async (_, status) => {
    const { url } = await dashboard(() => ({ status, headers: { location: "http://127.0.0.1:9/" } }));
    spool.append(eventsFrom(1, 2));
    const { publisher, waits } = publish(url);
    await publisher.sendNext(signal);
    expect(spool.waiting).toBe(2);
    expect(waits).toEqual([1000]);
    expect(publisher.problem).toContain(`answered ${status}`);
  });

  test("because nothing answers is kept", async () => {
    const { url } = await dashboard(() => ({ status: 204, silent: true }));
    spool.append(eventsFrom(1, 2));
    const { publisher, complaints } = publish(url, { timeoutMs: 50 });
    await publisher.sendNext(signal);
    expect(spool.waiting).toBe(2);
    expect(complaints[0]).toMatch(/^127\.0\.0\.1:\d+: not done after 50 ms$/);
  });

  test("because nobody listens is kept", async () => {
    const gone = await receiveWebhooks();
    await gone.close();
    spool.append(eventsFrom(1, 2));
    const { publisher, complaints } = publish(gone.url);
    await publisher.sendNext(signal);
    expect(spool.waiting).toBe(2);
    expect(complaints[0]).toContain("ECONNREFUSED");
  });
});

test("one event that the dashboard refuses for what it is holds up none of the others", async () => {
  const bad = 6;
  const { url, requests } = await dashboard((request) => ({
    status: numbersIn([request]).includes(bad) ? 400 : 204,
  }));
  spool.append(eventsFrom(1, 10));
  const { publisher, complaints, waits } = publish(url);
  for (let attempt = 0; attempt < 30 && spool.waiting > 0; attempt++) await publisher.sendNext(signal);
  const accepted = requests.filter((request) => !numbersIn([request]).includes(bad));
  expect(numbersIn(accepted)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
  expect(publisher.refused).toBe(1);
  expect(waits).toEqual([]);
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toMatch(/answered 400; left out: \{"number":6,/);
});

test("stopped in the middle of a request, it leaves the batch for the next start", async () => {
  const { url, requests } = await dashboard(() => ({ status: 204, silent: true }));
  spool.append(eventsFrom(1, 2));
  const stopping = new AbortController();
  const { publisher, complaints } = publish(url);
  const running = publisher.run(stopping.signal);
  await eventually("the request", () => requests.length === 1);
  stopping.abort();
  await running;
  expect(spool.waiting).toBe(2);
  expect(complaints).toEqual([]);
});

describe("over TLS", () => {
  async function secureDashboard() {
    const certificate = makeCertificate(folder);
    const bodies: string[] = [];
    const server = createSecureServer(
      { key: certificate.key, cert: certificate.cert },
      (request, response) => {
        request.on("data", (piece: Buffer) => bodies.push(piece.toString()));
        request.on("end", () => response.writeHead(204).end());
      },
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.push({
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    });
    const { port } = server.address() as AddressInfo;
    return { url: `https://localhost:${port}/events`, certificate, bodies };
  }

  test("the certificate is checked against the given authorities", async () => {
    const { url, certificate, bodies } = await secureDashboard();
    spool.append(eventsFrom(1, 2));
    await publish(url, { authorities: certificate.cert }).publisher.sendNext(signal);
    expect(spool.waiting).toBe(0);
    expect(parseLines(bodies.join(""))).toHaveLength(2);
  });

  test("a certificate that nobody vouches for ends the attempt before anything is told", async () => {
    const { url, bodies } = await secureDashboard();
    spool.append(eventsFrom(1, 2));
    const { publisher } = publish(url);
    await publisher.sendNext(signal);
    expect(publisher.problem).toMatch(/self-signed/);
    expect(bodies).toEqual([]);
  });
});

describe("an address is refused", () => {
  test.each([
    [
      "http beyond loopback",
      "http://dashboard.example.org/events",
      /^http to dashboard\.example\.org is in clear: .*--insecure-http$/,
    ],
    ["http to another machine", "http://10.0.0.1:8080/events", /in clear/],
    ["a name that only looks like loopback", "http://127.0.0.1.example.org/", /in clear/],
    ["another scheme", "ftp://127.0.0.1/", /^unknown scheme "ftp:"; one of https:, http:$/],
    ["a password in it", "https://u:p@127.0.0.1/", /user and password/],
    ["none at all", "dashboard", /^expected an https:\/\/ address, got "dashboard"$/],
  ])("%s", (_, url, message) => {
    expect(() => publish(url)).toThrow(message);
  });

  test("unless somebody says that http is to be", () => {
    expect(() => publish("http://dashboard.example.org/events", { insecureHttp: true })).not.toThrow();
    expect(() => publish("http://[::1]:8080/events")).not.toThrow();
  });
});
