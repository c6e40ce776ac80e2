import type { Ranking } from "../../analytics/store.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DatabaseError } from "../../analytics/database-error.ts";
import { FakeStore } from "../support/fake-store.ts";
import { evening, makeEvidence } from "../support/fake-evidence.ts";
import { ask, codeBook, ownRequest, startFakeDashboard, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";

let dashboard: TestDashboard<FakeStore>;
beforeAll(async () => {
  dashboard = await startFakeDashboard({ maxUploadOctets: 1_000_000 });
});
afterAll(async () => dashboard.close());

const get = async (path: string) => ask(dashboard, { path });

describe("GET /api/ranking", () => {
  test("answers what the store ranks, by score", async () => {
    const answer = await get("/api/ranking");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    const ranking = answer.json() as { asOf: number; asOfSource: string; hosts: { score: number }[] };
    expect(ranking.asOf).toBe(evening);
    expect(ranking.asOfSource).toBe("newest packet");
    const scores = ranking.hosts.map((host) => host.score);
    expect(scores).toHaveLength(40);
    expect(scores).toEqual(scores.toSorted((left, right) => right - left));
  });

  test.each([
    ["seconds since 1970", "1777910400", 1_777_910_400],
    ["seconds with a fraction", "1777910400.25", 1_777_910_400.25],
    ["ISO 8601 in UTC", "2026-05-04T16:00:00Z", 1_777_910_400],
    ["ISO 8601 with an offset", "2026-05-05T01:00:00%2B09:00", 1_777_910_400],
  ])("takes asOf in %s", async (_form, text, seconds) => {
    const answer = await get(`/api/ranking?asOf=${text}`);
    expect(answer.json()).toMatchObject({ asOf: seconds, asOfSource: "asked" });
  });

  test("hands the order to the store", async () => {
    await get("/api/ranking?sort=elapsed-asc");
    expect(dashboard.store.rankingQueries.at(-1)).toEqual({ sort: "elapsed-asc", limit: 200 });
  });

  test("hands the filter and the part to the store; the answer says how many fit", async () => {
    const answer = await get("/api/ranking?filter=contained&limit=2&offset=1");
    expect(dashboard.store.rankingQueries.at(-1)).toEqual({ filter: "contained", limit: 2, offset: 1 });
    const { hosts, total, summary } = answer.json() as Ranking;
    expect(hosts).toHaveLength(2);
    expect(hosts.every(({ contained }) => contained)).toBe(true);
    expect(total).toBe(summary.contained);
    expect(summary.ranked).toBe(40);
  });

  test.each([
    [
      "sort=size",
      'sort: unknown order "size"; one of score, activity, elapsed, elapsed-asc, last-seen, peers',
    ],
    ["size=5", 'unknown parameter "size"; allowed: asOf, sort, filter, limit, offset'],
    ["limit=5000", 'limit: expected 0 to 1000, got "5000"'],
    ["offset=-1", 'offset: expected a number of rows to leave out, got "-1"'],
    [
      "asOf=yesterday",
      'asOf: expected seconds since 1970 or a time such as 2026-05-04T12:00:00Z, got "yesterday"',
    ],
    ["asOf=-5", 'asOf: expected seconds since 1970 or a time such as 2026-05-04T12:00:00Z, got "-5"'],
    [
      "asOf=2026-13-45T99:00:00Z",
      'asOf: expected seconds since 1970 or a time such as 2026-05-04T12:00:00Z, got "2026-13-45T99:00:00Z"',
    ],
    ["sort=score&sort=peers", "sort: given 2 times"],
    ["__proto__=1", 'unknown parameter "__proto__"; allowed: asOf, sort, filter, limit, offset'],
  ])("refuses ?%s and says what is allowed", async (query, error) => {
    const answer = await get(`/api/ranking?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ error });
  });
});

describe("GET /api/hosts/ADDRESS", () => {
  test("answers what is known about a ranked host", async () => {
    const answer = await get("/api/hosts/10.0.1.10");
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ asOf: evening, ranked: { address: "10.0.1.10" } });
  });

  test("answers about a host that is not ranked", async () => {
    expect((await get("/api/hosts/10.0.7.99")).json()).toMatchObject({ unranked: { reason: "implausible" } });
  });

  test("knows an IPv6 address in any of its spellings", async () => {
    const answer = await get("/api/hosts/FE80:0:0:0:0:0:0:1");
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({ error: "fe80::1 was never seen with a mark" });
  });

  test("does not call a host never seen that was seen after the time that is asked for", async () => {
    const answer = await get("/api/hosts/fe80::1?asOf=2026-01-01T00:00:00Z");
    expect(answer.status).toBe(404);
    expect(answer.json()).toEqual({
      error: "fe80::1 was not seen with a mark up to 2026-01-01 00:00:00 UTC",
    });
  });

  test("refuses what is no address", async () => {
    const answer = await get("/api/hosts/router");
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ error: 'path: expected an IPv4 or IPv6 address, got "router"' });
  });

  test("refuses a path that is not valid percent-encoding", async () => {
    expect((await get("/api/hosts/%ff")).status).toBe(400);
  });
});

test("GET /api/captures answers every capture with how reading it ended", async () => {
  const answer = (await get("/api/captures")).json() as { captures: { name: string; state: string }[] };
  expect(answer.captures.map(({ name, state }) => [name, state])).toContainEqual([
    "border.pcap.gz",
    "partial",
  ]);
});

test("GET /api/code-book answers the code book", async () => {
  expect((await get("/api/code-book")).json()).toEqual(JSON.parse(JSON.stringify(codeBook)));
});

test("GET /api/health answers the server's time and what it takes", async () => {
  expect((await get("/api/health")).json()).toEqual({
    status: "ok",
    cursor: "0-0-0-0",
    person: { name: "analyst", role: "operator", isKnown: false },
    now: evening,
    maxUploadOctets: 1_000_000,
    inClear: false,
  });
});

test.each(["/api/captures", "/api/code-book", "/api/health"])("%s takes no parameter", async (path) => {
  expect((await get(`${path}?all=1`)).json()).toEqual({ error: 'unknown parameter "all"; none is allowed' });
});

test("what is not there is answered as JSON too", async () => {
  const answer = await get("/api/nothing");
  expect(answer.status).toBe(404);
  expect(answer.json()).toEqual({ error: "nothing is here: GET /api/nothing" });
});

describe("POST /api/captures", () => {
  const post = async (path: string, body: Buffer | string, headers = {}) =>
    ask(dashboard, { method: "POST", path, headers: { ...ownRequest, ...headers }, body });

  test("hands the octets to the store and answers its report", async () => {
    const answer = await post("/api/captures?name=monday.pcap", Buffer.alloc(50_000, 1));
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ name: "monday.pcap", state: "complete", octets: 50_000 });
    expect(dashboard.store.ingested.at(-1)).toEqual({ name: "monday.pcap", octets: 50_000 });
  });

  test("tells of its progress, line by line, if asked for lines", async () => {
    const answer = await post("/api/captures?name=lines.pcap", Buffer.alloc(300_000, 1), {
      Accept: "application/x-ndjson",
    });
    expect(answer.headers["content-type"]).toMatch("application/x-ndjson");
    const lines = answer.body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(0, -1).every((line) => "progress" in line)).toBe(true);
    expect(lines.at(-1)).toMatchObject({ report: { octets: 300_000 } });
  });

  test("a refused capture is an outcome, with its reason", async () => {
    const answer = await post("/api/captures?name=notes.txt", "text, not a capture");
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ state: "refused", reasonOffset: 0 });
  });

  test.each([
    ["/api/captures", "name: expected the name of the capture, as in ?name=monday.pcap"],
    ["/api/captures?name=", "name: expected the name of the capture, got nothing"],
    [`/api/captures?name=${"a".repeat(256)}`, "name: expected at most 255 characters"],
    ["/api/captures?name=a&path=/etc/passwd", 'unknown parameter "path"; allowed: name'],
  ])("refuses %s", async (path, error) => {
    const answer = await post(path, "");
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ error });
  });
});

test("an error that is our fault tells the sender nothing, and the log everything", async () => {
  class BrokenStore extends FakeStore {
    override async ranking(): Promise<never> {
      return Promise.reject(new Error("secret of the inside at /home/someone"));
    }
  }
  const broken = await startTestDashboard({ store: new BrokenStore(makeEvidence(codeBook, 1, 1)) });
  try {
    const answer = await ask(broken, { path: "/api/ranking" });
    expect(answer.status).toBe(500);
    expect(answer.body).toBe('{"error":"unexpected error; the server\'s log says more"}');
    expect(broken.failures).toEqual([
      expect.objectContaining({ message: "secret of the inside at /home/someone" }),
    ]);
  } finally {
    await broken.close();
  }
});

test("a disk that is full is told to the sender, without where it is", async () => {
  class FullStore extends FakeStore {
    override async ingest(): Promise<never> {
      return Promise.reject(new DatabaseError("no room", "/var/tattle.duckdb: No space left on device"));
    }
  }
  const full = await startTestDashboard({ store: new FullStore(makeEvidence(codeBook, 1, 1)) });
  try {
    const path = "/api/captures?name=a.pcap";
    const answer = await ask(full, { path, method: "POST", headers: ownRequest, body: "octets" });
    expect(answer.status).toBe(507);
    expect(answer.json()).toEqual({ error: "the server's disk is full; nothing of this capture was kept" });
  } finally {
    await full.close();
  }
});
