/** One sender cannot keep the server busy, and cannot fill its memory. */
import { afterEach, describe, expect, test } from "vitest";
import { senderOf, TokenBuckets } from "../../dashboard/security/rate-limit.ts";
import { ask, startFakeDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";

describe("a bucket of tokens", () => {
  test("gives as many as it holds, then one whenever there is one again", () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
    expect([1, 2, 3, 4].map(() => buckets.take("a", 100))).toEqual([0, 0, 0, 0.5]);
    expect(buckets.take("b", 100)).toBe(0);
    expect(buckets.take("a", 100.5)).toBe(0);
    expect(buckets.take("a", 100.5)).toBe(0.5);
  });

  test("never holds more than its burst, and a clock set back fills nothing", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    expect(buckets.take("a", 0)).toBe(0);
    expect(buckets.take("a", 1000)).toBe(0);
    expect(buckets.take("a", 1000)).toBe(1);
    expect(buckets.take("a", 10)).toBe(1);
  });

  test("a hundred thousand senders take no more memory than the most that are remembered", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 100);
    for (let sender = 0; sender < 100_000; sender++) buckets.take(`sender ${sender}`, 0);
    expect(buckets.size).toBe(100);
  });

  test.each([
    ["2001:db8:1:2:aaaa::1", "2001:db8:1:2"],
    ["2001:db8:1:2:bbbb:cccc:dddd:eeee", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
    ["192.0.2.7", "192.0.2.7"],
  ])("%s counts as %s", (address, sender) => {
    expect(senderOf(address)).toBe(sender);
  });
});

describe("over real HTTP", () => {
  let dashboard: TestDashboard | undefined;
  afterEach(async () => dashboard?.close());

  test("who asks too often is told when to come again; the page itself still loads", async () => {
    dashboard = await startFakeDashboard({ rateLimit: { perSecond: 0.01, burst: 5 } });
    const statuses: number[] = [];
    for (let request = 0; request < 7; request++)
      statuses.push((await ask(dashboard, { path: "/api/health" })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const refused = await ask(dashboard, { path: "/api/ranking" });
    expect(refused.json()).toEqual({ error: "too many requests at once" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await ask(dashboard, { path: "/favicon.svg" })).status).not.toBe(429);
  });

  test("guesses at a token count like other requests", async () => {
    const token = "correct-horse-battery";
    dashboard = await startFakeDashboard({ token, rateLimit: { perSecond: 0.01, burst: 5 } });
    const statuses: number[] = [];
    for (let guess = 0; guess < 7; guess++) {
      const headers = { Authorization: `Bearer guess-number-${guess}` };
      statuses.push((await ask(dashboard, { path: "/api/health", headers })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test("behind a trusted proxy one user's haste holds up nobody else, and from elsewhere a name is none", async () => {
    const proxy = { addresses: ["127.0.0.1"], header: "x-user", role: "viewer" } as const;
    const rateLimit = { perSecond: 0.01, burst: 2 };
    const asked = async (user: string): Promise<number> =>
      (await ask(dashboard!, { path: "/api/health", headers: { "X-User": user } })).status;
    dashboard = await startFakeDashboard({ rateLimit, proxy });
    expect([await asked("ada"), await asked("ada"), await asked("ada")]).toEqual([200, 200, 429]);
    expect(await asked("olga")).toBe(200);
    // Names that are none share the proxy's own bucket.
    expect([await asked("a b"), await asked("c d"), await asked("e f")]).toEqual([401, 401, 429]);
    await dashboard.close();
    dashboard = await startFakeDashboard({ rateLimit, proxy: { ...proxy, addresses: ["192.0.2.1"] } });
    expect([await asked("ada"), await asked("olga"), await asked("eve")]).toEqual([401, 401, 429]);
  });
});
