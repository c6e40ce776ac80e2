/**
 * An agent's spool and publisher against a real `tattle serve` that is killed at any moment and started again: every
 * event is in the database once.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOwnedStore } from "../../analytics/owner/open-store.ts";
import { defaultPublish, Publisher } from "../../live-agent/events/publish.ts";
import { defaultSpool, Spool } from "../../live-agent/events/spool.ts";
import type { AgentEvent, EnforcementEvent } from "../../policy/event.ts";
import { seededRandom } from "../fuzz/random.ts";
import { startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";
import { codeBook } from "../support/dashboard.ts";

useBuiltCommand();

const agent = "1d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f";
const rounds = process.env["TATTLE_SLOW"] === undefined ? 5 : 100;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-agent-dashboard-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

type Unnumbered = Omit<EnforcementEvent, "id">;

const random = seededRandom(5);
function dropped(): Unnumbered {
  return {
    type: "enforcement",
    agent,
    time: Date.now() / 1000,
    host: `10.0.0.${1 + random.below(20)}`,
    peer: `192.0.2.${1 + random.below(200)}`,
    protocol: 6,
    hostPort: 1024 + random.below(60_000),
    peerPort: 443,
    verdict: "drop",
    trust: "established",
    rule: "all",
    detections: [{ detectedAt: Math.floor(Date.now() / 1000) - 600, category: 2, activity: 1 }],
    length: 60,
  };
}

test(
  `the server killed ${rounds} times: nothing lost, nothing doubled`,
  { timeout: rounds * 30_000 },
  async () => {
    const database = join(folder, "evidence.duckdb");
    const token = (await tattle(["agents", "add", "border", "--database", database])).out.trim();
    const port = await freePort();
    const spool = new Spool<AgentEvent>(join(folder, "spool"), defaultSpool, () => undefined);
    const publisher = new Publisher(
      {
        ...defaultPublish,
        url: `http://127.0.0.1:${port}/api/agent/events`,
        token,
        batchEvents: 50,
        backoff: { firstSeconds: 0.05, longestSeconds: 0.2 },
      },
      spool,
      {
        random: Math.random,
        sleep: async (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
        complain: () => undefined,
      },
    );
    const stopping = new AbortController();
    const publishing = publisher.run(stopping.signal);
    let appended = 0;
    for (let round = 0; round < rounds; round++) {
      const server = startTattle(["serve", "--database", database, "--port", String(port)]);
      const ended = once(server, "close");
      await once(server.stdout, "data");
      const batch = 100 + random.below(400);
      expect(spool.append(Array.from({ length: batch }, dropped))).toBe(true);
      appended += batch;
      await delay(random.below(400));
      server.kill("SIGKILL");
      await ended;
    }
    const server = startTattle(["serve", "--database", database, "--port", String(port)]);
    const ended = once(server, "close");
    await once(server.stdout, "data");
    while (spool.waiting > 0) await delay(20);
    stopping.abort();
    await publishing;
    spool.close();
    server.kill("SIGTERM");
    await ended;
    expect(publisher.refused).toBe(0);

    const store = await openOwnedStore(database, { codeBook, clock: () => Date.now() / 1000 });
    const [heard] = await store.agents();
    const { hosts } = await store.ranking();
    await store.close();
    expect(heard).toMatchObject({ agent, token: "border", events: appended });
    expect(hosts.reduce((sum, host) => sum + host.markedPackets, 0)).toBe(appended);
    const detections = hosts.flatMap((host) => host.detections);
    expect(detections.reduce((sum, { packets }) => sum + packets, 0)).toBe(appended);
    expect(hosts.every((host) => host.contained)).toBe(true);
  },
);
