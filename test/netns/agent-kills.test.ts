/**
 * Agent and dashboard, both real, killed at any moment while the kernel drops marked packets: each packet is in the
 * database or in a gap, and none twice.
 */
import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useBuiltCommand } from "../support/built-command.ts";
import { Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { AgentOnRouter } from "./agent-on-router.ts";
import { DashboardOnRouter } from "./dashboard-on-router.ts";

const missing = ["tcpdump", "tcpreplay", "iptables"].find(
  (program) => spawnSync("which", [program]).status !== 0,
);
const reason = whyNoNamespaces() ?? (missing === undefined ? undefined : `${missing} is missing`);
if (reason !== undefined) console.warn(`not run: kills at random; ${reason}`);

/** More of them show rarer moments: TATTLE_SLOW=1. */
const kills = process.env.TATTLE_SLOW === "1" ? 100 : 4;

describe.runIf(reason === undefined)(`${kills} kills at random (needs root)`, () => {
  useBuiltCommand();
  let topology: Topology;
  let agent: AgentOnRouter;
  let dashboard: DashboardOnRouter;
  beforeAll(async () => {
    topology = await Topology.open();
    agent = new AgentOnRouter(topology);
    agent.configure([{ name: "leaks", category: ["leak"], action: "drop" }]);
    dashboard = new DashboardOnRouter(topology, agent.folder, 8765);
    agent.write("token", await dashboard.addToken("border-1"));
    await dashboard.start();
    await agent.start();
  }, 60_000);
  afterAll(async () => {
    await agent.close();
    await dashboard.stop("SIGKILL");
    await topology.close();
  });

  async function told(): Promise<{ events: number; gaps: number }> {
    const { agents } = await dashboard.agents();
    return {
      events: agents.reduce((sum, { events }) => sum + events, 0),
      gaps: agents.reduce((sum, { gapPackets }) => sum + gapPackets, 0),
    };
  }

  test(
    "rows and gaps in the database together are the kernel's counter, and the host's page shows them",
    async () => {
      let sent = 0;
      for (let kill = 0; kill < kills; kill++) {
        const packets = 100 + Math.floor(Math.random() * 400);
        const sending = agent.sendMarked(packets, 1000);
        sent += packets;
        await delay(Math.random() * packets);
        // One of each at least.
        if (kill === 0 || (kill > 1 && Math.random() < 0.5)) {
          await agent.stop("SIGKILL");
          await agent.start();
        } else {
          await dashboard.stop("SIGKILL");
          await dashboard.start();
        }
        await sending;
      }
      expect(await agent.counted("tattle:drop:leaks")).toBe(sent);
      await waitUntil(
        "all is told",
        async () => {
          const { events, gaps } = await told();
          return events + gaps >= sent;
        },
        90_000,
      );
      const { events, gaps } = await told();
      expect(events + gaps).toBe(sent);
      expect(events).toBeGreaterThan(0);

      // What the events brought to the evidence counts each of them once, too.
      const report = await dashboard.host("10.1.0.2");
      expect(report.eventCount).toBe(events);
      expect(report.events[0]).toMatchObject({ verdict: "drop", rule: "leaks", peer: "10.2.0.2" });
      expect(report.ranked).toMatchObject({ contained: true, markedPackets: events });
      // Each round's packets tell of a detection of their own.
      const seen = report.ranked?.detections.reduce((sum, { packets }) => sum + packets, 0);
      expect(seen).toBe(events);
      expect((await dashboard.agents()).agents).toMatchObject([
        { token: "border-1", heartbeat: { hostName: "border-1" }, alarms: expect.any(Array) },
      ]);
    },
    kills * 8000 + 120_000,
  );
});
