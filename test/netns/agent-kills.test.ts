/** Agent and dashboard killed at any moment while marked packets come: each packet is told, and none twice. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useBuiltCommand } from "../support/built-command.ts";
import { Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { AgentOnRouter } from "./agent-on-router.ts";

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
  beforeAll(async () => {
    topology = await Topology.open();
    agent = new AgentOnRouter(topology);
  });
  afterAll(async () => {
    await agent.close();
    await topology.close();
  });

  test(
    "events and gaps together are the kernel's counter",
    async () => {
      agent.configure([{ name: "leaks", category: ["leak"], action: "drop" }]);
      await agent.startReceivers();
      await agent.start();
      let sent = 0;
      for (let kill = 0; kill < kills; kill++) {
        const packets = 100 + Math.floor(Math.random() * 400);
        const sending = agent.sendMarked(packets, 1000);
        sent += packets;
        await new Promise((resolve) => {
          setTimeout(resolve, Math.random() * packets);
        });
        if (Math.random() < 0.6) {
          await agent.stop("SIGKILL");
          await agent.start();
        } else {
          await agent.stopReceivers();
          await agent.startReceivers();
        }
        await sending;
      }
      expect(await agent.counted("tattle:drop:leaks")).toBe(sent);
      await waitUntil(
        "all is told",
        () => {
          const { events, gaps } = agent.told;
          return events + gaps >= sent;
        },
        90_000,
      );
      const { events, gaps } = agent.told;
      expect({ told: events + gaps, events: events > 0 }).toEqual({ told: sent, events: true });
      // What came twice is the same, so that a database that knows ids stores it once.
      const byId = new Map<string, string>();
      for (const event of agent.events) {
        const text = JSON.stringify(event);
        expect(byId.get(event.id) ?? text).toBe(text);
        byId.set(event.id, text);
      }
    },
    kills * 8000 + 120_000,
  );
});
