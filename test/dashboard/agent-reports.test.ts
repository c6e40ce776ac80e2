/** What agents report to the dashboard: with tokens of their own, exactly once, and into the same evidence as captures. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inMemory, openOwnedStore } from "../../analytics/owner/open-store.ts";
import type { EventPage, HostReport, RankedHost, Store } from "../../analytics/store.ts";
import { AgentTokenFile, parseAgentTokens, tokenDigest } from "../../dashboard/security/agent-tokens.ts";
import { agentRequestLimits } from "../../policy/agent-report.ts";
import type { AgentEvent, EnforcementEvent } from "../../policy/event.ts";
import { seededRandom } from "../fuzz/random.ts";
import { ask, codeBook, ownRequest, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";
import { heartbeatOf } from "../support/heartbeat.ts";

const agent = "1d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f";
const now = Date.UTC(2026, 2, 18, 12) / 1000;
const token = "a-token-that-nobody-guesses-in-time";
const peopleToken = "a token of people, not of agents".replaceAll(" ", "-");

let folder: string;
let tokenFile: string;
let store: Store;
let dashboard: TestDashboard;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-agents-"));
  tokenFile = join(folder, "tokens");
  writeFileSync(tokenFile, `border-1 ${tokenDigest(token)}\n`);
  store = await openOwnedStore(inMemory, { codeBook, clock: () => now });
  dashboard = await startTestDashboard({
    store,
    clock: () => now,
    token: peopleToken,
    agentTokens: new AgentTokenFile(tokenFile),
  });
});
afterEach(async () => {
  await dashboard.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function enforced(number: number, fields: Partial<EnforcementEvent> = {}): EnforcementEvent {
  return {
    type: "enforcement",
    id: `spool-${number}`,
    agent,
    time: now - 60 + number / 1000,
    host: "10.0.0.7",
    peer: "192.0.2.9",
    protocol: 6,
    hostPort: 40_000 + number,
    peerPort: 443,
    verdict: "drop",
    trust: "established",
    rule: "critical",
    detections: [{ detectedAt: now - 3600, category: 2, activity: 1 }],
    length: 100,
    ...fields,
  };
}

const gap = (number: number, packets: number): AgentEvent => ({
  type: "gap",
  id: `spool-${number}`,
  agent,
  time: now,
  verdict: "drop",
  packets,
  reason: "sampled",
});

async function send(events: readonly object[] | string, headers: Record<string, string> = {}) {
  const body =
    typeof events === "string" ? events : events.map((event) => `${JSON.stringify(event)}\n`).join("");
  return ask(dashboard, {
    method: "POST",
    path: "/api/agent/events",
    headers: { "Content-Type": "application/x-ndjson", Authorization: `Bearer ${token}`, ...headers },
    body: Buffer.from(body),
  });
}

async function flagged(): Promise<RankedHost | undefined> {
  return (await store.ranking()).hosts[0];
}

describe("events", () => {
  test("of dropped packets flag a host, and show that it is contained", async () => {
    const answer = await send([enforced(1), enforced(2)]);
    expect([answer.status, answer.json()]).toEqual([200, { stored: 2, known: 0 }]);
    expect(await flagged()).toMatchObject({
      address: "10.0.0.7",
      contained: true,
      flowsStopped: 2,
      flowsPassed: 0,
      markedPackets: 2,
      detections: [{ category: 2, activity: 1, trust: "established", packets: 2 }],
    });
    // As of now, since something live reports.
    expect(await store.ranking()).toMatchObject({ asOf: now, asOfSource: "now" });
  });

  test("of packets let through count as flows that passed and peers that were reached", async () => {
    await send([
      enforced(1, { verdict: "accept" }),
      enforced(2, { verdict: "accept", trust: "lone", peer: "192.0.2.10" }),
    ]);
    // Nobody answered the lone one: it may be forged.
    expect(await flagged()).toMatchObject({ contained: false, flowsPassed: 1, peers: 1 });
  });

  test("that arrive again, in whatever batches, are stored once", async () => {
    const events = [...Array.from({ length: 40 }, (_, number) => enforced(number)), gap(40, 17)];
    const random = seededRandom(3);
    for (let from = 0; from < events.length;) {
      const until = Math.min(events.length, from + 1 + random.below(9));
      await send(events.slice(Math.max(0, from - random.below(12)), until));
      from = until;
    }
    await send(events);
    expect(await store.agents()).toMatchObject([{ agent, token: "border-1", events: 40, gapPackets: 17 }]);
    expect((await flagged())?.markedPackets).toBe(40);
  });

  test("that arrive out of order are stored, each once", async () => {
    expect((await send([enforced(3), enforced(1)])).json()).toEqual({ stored: 2, known: 0 });
    expect((await send([enforced(9), enforced(2), enforced(3)])).json()).toEqual({ stored: 2, known: 1 });
    expect((await send([enforced(2), enforced(9), enforced(8)])).json()).toEqual({ stored: 1, known: 2 });
    expect((await flagged())?.markedPackets).toBe(5);
  });

  test("a detection that cannot be true, yet or any more, does not rank", async () => {
    await send([enforced(1, { detections: [{ detectedAt: now + 7200, category: 2, activity: 1 }] })]);
    const { hosts, unranked } = await store.ranking();
    expect([hosts, unranked.map(({ address, reason }) => [address, reason])]).toEqual([
      [],
      [["10.0.0.7", "implausible"]],
    ]);
  });

  test("an address in another spelling is the same host", async () => {
    await send([
      enforced(1, { host: "2001:DB8:0:0:0:0:0:1", peer: "2001:db8::2" }),
      enforced(2, { host: "2001:db8::1", peer: "2001:db8::2" }),
    ]);
    expect(
      (await store.ranking()).hosts.map(({ address, markedPackets }) => [address, markedPackets]),
    ).toEqual([["2001:db8::1", 2]]);
  });

  test("stand in the host's log, a thousand a page, each once although many have the same time", async () => {
    const all = Array.from({ length: 2500 }, (_, number) =>
      enforced(number, { time: now - 60 + Math.floor(number / 900), hostPort: 1024 + number }),
    );
    for (let from = 0; from < all.length; from += 500) await send(all.slice(from, from + 500));
    const headers = { Authorization: `Bearer ${peopleToken}` };
    const first = await ask(dashboard, { path: "/api/hosts/10.0.0.7", headers });
    const report = first.json() as HostReport;
    expect([report.eventCount, report.events.length]).toEqual([2500, 1000]);
    const ports = report.events.map(({ hostPort }) => hostPort);
    for (let cursor = report.olderEvents; cursor !== undefined;) {
      const answer = await ask(dashboard, { path: `/api/hosts/10.0.0.7/events?cursor=${cursor}`, headers });
      const page = answer.json() as EventPage;
      ports.push(...page.events.map(({ hostPort }) => hostPort));
      cursor = page.next;
    }
    expect(ports).toHaveLength(2500);
    expect(new Set(ports).size).toBe(2500);
  });

  test.each(["", "?cursor=now", "?cursor=1.2.3", "?cursor=99999999999999999.0"])(
    "a page at %j is refused",
    async (search) => {
      const headers = { Authorization: `Bearer ${peopleToken}` };
      const answer = await ask(dashboard, { path: `/api/hosts/10.0.0.7/events${search}`, headers });
      expect([answer.status, (answer.json() as { error: string }).error]).toEqual([
        400,
        expect.stringContaining("the cursor that the page before gave"),
      ]);
    },
  );

  test("stand in the host's log", async () => {
    await send([enforced(1)]);
    expect((await store.host("10.0.0.7"))?.events).toMatchObject([
      { verdict: "drop", rule: "critical", peer: "192.0.2.9", peerPort: 443 },
    ]);
  });
});

describe("refused, and nothing of the batch is stored", () => {
  test.each([
    ["a line that is no JSON", `${JSON.stringify(enforced(1))}\nno json\n`, 422, /^line 2: not JSON$/],
    ["an unknown verdict", [enforced(1), { ...enforced(2), verdict: "maybe" }], 422, /^line 2: verdict: /],
    ["an unknown field", [{ ...enforced(1), colour: "red" }], 422, /^line 1: .*colour/],
    [
      "a host that is no address",
      [enforced(1, { host: "<b>no</b>" })],
      422,
      /expected an IPv4 or IPv6 address/,
    ],
    ["an id that no spool gave", [enforced(1, { id: "one" })], 422, /expected <spool>-<number>/],
    [
      "too many events",
      Array.from({ length: agentRequestLimits.events + 1 }, (_, n) => gap(n, 1)),
      413,
      /at most 2000/,
    ],
    ["too many octets", "x".repeat(agentRequestLimits.octets + 1), 413, /at most 2097152 octets/],
  ])("%s", async (_what, events, status, problem) => {
    const answer = await send(events);
    expect(answer.status).toBe(status);
    expect((answer.json() as { error: string }).error).toMatch(problem);
    expect((await store.ranking()).hosts).toEqual([]);
    expect(await store.agents()).toEqual([]);
    expect(dashboard.failures).toEqual([]);
  });

  test("another content type", async () => {
    expect((await send([enforced(1)], { "Content-Type": "text/html" })).status).toBe(415);
  });
});

describe("tokens", () => {
  test.each([
    ["none", ""],
    ["a wrong one", "Bearer wrong-token-wrong-token"],
    ["that of people", `Bearer ${peopleToken}`],
    ["another scheme", `Basic ${token}`],
  ])("%s is refused", async (_what, authorization) => {
    expect((await send([enforced(1)], { Authorization: authorization })).status).toBe(401);
  });

  test("an agent's is no use for anything else", async () => {
    for (const path of ["/api/ranking", "/api/agents", "/api/captures"]) {
      const answer = await ask(dashboard, { path, headers: { Authorization: `Bearer ${token}` } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
    const upload = await ask(dashboard, {
      method: "POST",
      path: "/api/captures?name=x",
      headers: { ...ownRequest, Authorization: `Bearer ${token}` },
      body: Buffer.from("x"),
    });
    expect(upload.status).toBe(401);
  });

  test("nobody reports in another's name, nor makes another's events count as stored", async () => {
    const other = "another-token-that-nobody-guesses";
    writeFileSync(tokenFile, `border-1 ${tokenDigest(token)}\nborder-2 ${tokenDigest(other)}\n`);
    const forged = await send([enforced(999_999, { hostPort: 5, host: "10.0.0.66" })], {
      Authorization: `Bearer ${other}`,
    });
    expect(forged.json()).toEqual({ stored: 1, known: 0 });
    expect((await send([enforced(1), enforced(2)])).json()).toEqual({ stored: 2, known: 0 });
    expect((await store.agents()).map(({ agent: id, token: name, events }) => [id, name, events])).toEqual([
      [agent, "border-1", 2],
      [agent, "border-2", 1],
    ]);
  });

  test("one that is renewed under another name goes on where the old one ended", async () => {
    const renewed = "a-new-token-that-nobody-guesses";
    const withRenewed = { Authorization: `Bearer ${renewed}` };
    await send([enforced(1), enforced(2)]);
    await beat({ reinserted: 1 });
    writeFileSync(tokenFile, `border-1 ${tokenDigest(token)}\nborder-one ${tokenDigest(renewed)}\n`);
    // The answer to the last batch was lost on the way: it comes again, with the new token.
    expect((await send([enforced(1), enforced(2), enforced(3)], withRenewed)).json()).toEqual({
      stored: 1,
      known: 2,
    });
    writeFileSync(tokenFile, `border-one ${tokenDigest(renewed)}\n`);
    expect((await send([enforced(3), enforced(4), gap(5, 7)], withRenewed)).json()).toEqual({
      stored: 2,
      known: 1,
    });
    expect(await store.agents()).toMatchObject([
      { agent, token: "border-one", events: 4, gapPackets: 7, heartbeat: { reinserted: 1 } },
    ]);
    expect((await flagged())?.markedPackets).toBe(4);
  });

  test("one that is taken back is refused from then on, without a restart", async () => {
    expect((await send([enforced(1)])).status).toBe(200);
    writeFileSync(tokenFile, "# nobody\n");
    expect((await send([enforced(2)])).status).toBe(401);
  });

  test("the file says where it is wrong", () => {
    expect(() => parseAgentTokens("# tokens\nborder-1 secret\n", "tokens")).toThrow(
      "tokens: line 2: expected NAME and 64 hexadecimal digits",
    );
  });
});

const heartbeat = heartbeatOf(agent, now);

async function beat(fields: object = {}): Promise<number> {
  const answer = await ask(dashboard, {
    method: "POST",
    path: "/api/agent/heartbeat",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: Buffer.from(JSON.stringify({ ...heartbeat, ...fields })),
  });
  return answer.status;
}

test("events of two agents in one batch are all stored, each agent's for itself", async () => {
  const other = "2d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f";
  const passed = { verdict: "accept", trust: "established" } as const;
  const events = [enforced(0), { ...enforced(1), ...passed }].flatMap((event) => [
    event,
    { ...event, agent: other, id: event.id.replace("spool", "other") },
  ]);
  const answer = await send(events);
  expect([answer.status, answer.json()]).toEqual([200, { stored: 4, known: 0 }]);
  expect((await store.agents()).map(({ events: count }) => count)).toEqual([2, 2]);
});

describe("heartbeats", () => {
  test("the last one is kept, and people can read it", async () => {
    expect(await beat()).toBe(204);
    expect(await beat({ reinserted: 1 })).toBe(204);
    const answer = await ask(dashboard, {
      path: "/api/agents",
      headers: { Authorization: `Bearer ${peopleToken}` },
    });
    expect(answer.json()).toMatchObject({
      now,
      agents: [{ agent, heardAt: now, heartbeat: { hostName: "border-1", reinserted: 1 } }],
    });
  });

  test("one of another shape is refused", async () => {
    expect(await beat({ drift: "none" })).toBe(422);
    expect(await store.agents()).toEqual([]);
  });
});
