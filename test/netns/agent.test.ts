/** The agent as people run it: a process on a router, real packets, a real kernel, a dashboard that comes and goes. */
import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addresses, Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { useBuiltCommand } from "../support/built-command.ts";
import { markOption } from "../support/segment.ts";
import { AgentOnRouter } from "./agent-on-router.ts";
import { nowSeconds } from "./enforcement-support.ts";
import { MarkingHost, serve, whyNoMarking } from "./marking-host.ts";

const missing = ["tcpdump", "tcpreplay", "iptables", "nsenter"].find(
  (program) => spawnSync("which", [program]).status !== 0,
);
const reason = whyNoNamespaces() ?? (missing === undefined ? undefined : `${missing} is missing`);
if (reason !== undefined) console.warn(`not run: the agent on a router; ${reason}`);
const noMarking = reason ?? whyNoMarking();
if (noMarking !== undefined) console.warn(`not run: notices about a marked connection; ${noMarking}`);

const leaks = { name: "leaks", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop" };

describe.runIf(reason === undefined)("the agent on a router (needs root)", () => {
  useBuiltCommand();
  let topology: Topology;
  let agent: AgentOnRouter;
  beforeAll(async () => {
    topology = await Topology.open();
  });
  afterAll(async () => topology.close());
  beforeEach(() => {
    agent = new AgentOnRouter(topology);
  });
  afterEach(async () => agent.close());

  async function saved(table: string): Promise<string[]> {
    const text = await topology.run("router", `iptables-save -t ${table}`);
    return text.split("\n").filter((line) => line.includes("TATTLE"));
  }

  async function toldAre(told: { events: number; gaps: number }): Promise<void> {
    await waitUntil(`told are ${JSON.stringify(told)}`, () => {
      const { events, gaps } = agent.told;
      return events === told.events && gaps === told.gaps;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; they are ${JSON.stringify(agent.told)}`);
    });
  }

  test("drops marked packets from the first on, and tells of each; killed and started again, of those meanwhile", async () => {
    agent.configure([leaks]);
    await agent.startReceivers();
    await agent.start();
    await agent.sendMarked(200);
    expect(await agent.counted("tattle:drop:leaks")).toBe(200);
    await toldAre({ events: 200, gaps: 0 });
    expect(agent.events[0]).toMatchObject({
      host: "10.1.0.2",
      peer: "10.2.0.2",
      verdict: "drop",
      rule: "leaks",
      trust: "lone",
      detections: [{ category: 2, activity: 1 }],
    });
    await agent.stop("SIGKILL");
    // Nobody is there, and the rules are.
    await agent.sendMarked(100);
    await agent.start();
    await agent.sendMarked(50);
    expect(await agent.counted("tattle:drop:leaks")).toBe(350);
    await toldAre({ events: 250, gaps: 100 });
    expect(new Set(agent.events.map(({ id }) => id)).size).toBe(agent.events.length);
    expect(agent.heartbeats[0]).toMatchObject({
      hostName: "border-1",
      hooks: ["FORWARD"],
      insecureHttp: false,
    });
    const counter = { verdict: "drop", rule: "leaks", packets: 350 };
    await waitUntil("the counters are read", async () => {
      const { counters } = (await agent.status()).heartbeat;
      return counters.some(({ rule, packets }) => rule === counter.rule && packets === counter.packets);
    });
    const { heartbeat, residentOctets } = await agent.status();
    expect(heartbeat).toMatchObject({ gapPackets: 100, spooled: 0, drift: { count: 0 } });
    expect(residentOctets).toBeLessThan(120 * 1024 * 1024);
    expect(await agent.stop()).toBe(0);
    expect((await saved("mangle")).length).toBeGreaterThan(10);
  });

  test("puts back what somebody flushed, in the first place, and tells people", async () => {
    const grouping = { waitSeconds: 0, intervalSeconds: 1 };
    agent.configure([leaks], { notify: { grouping, channels: [agent.mailChannel] } });
    await agent.startReceivers();
    await agent.start();
    const doctor = await agent.tattle("agent", "doctor");
    expect(doctor).toMatchObject({ exitCode: 0 });
    expect(doctor.out).toContain("the kernel takes them (tried in a namespace of their own)");
    expect(doctor.out).toMatch(/^ok +agent +runs as process \d+$/m);
    await topology.run("router", "iptables -t mangle -F FORWARD");
    await topology.run("router", "iptables -t mangle -A FORWARD -p tcp -j ACCEPT");
    await waitUntil("the jump is the first rule", async () => {
      const rules = await topology.run("router", "iptables -t mangle -S FORWARD");
      return rules.split("\n")[1]?.includes("-j TATTLE") ?? false;
    });
    await topology.run("router", "iptables -t mangle -D FORWARD -p tcp -j ACCEPT");
    await waitUntil("it is counted", async () => (await agent.status()).heartbeat.reinserted > 0);
    await agent.sendMarked(10);
    expect(await agent.counted("tattle:drop:leaks")).toBe(10);
    await waitUntil("people are told", () =>
      agent.mails.some(({ text }) => text.includes("the jump to its chains is back")),
    );
  });

  test("tells a flood as a few events and an exact number", async () => {
    agent.configure([leaks], { sampling: { rate: 10, burst: 20 } });
    await agent.startReceivers();
    await agent.start();
    await agent.sendMarked(1000);
    await waitUntil("all is told", () => agent.told.events + agent.told.gaps === 1000);
    expect(agent.told.events).toBeLessThan(100);
    expect(agent.events.filter(({ type }) => type === "gap")[0]).toMatchObject({
      verdict: "drop",
      rule: "leaks",
      reason: "sampled",
    });
  });

  test("keeps events while the dashboard is away, and sends each once it is back", async () => {
    agent.configure([leaks]);
    await agent.start();
    await agent.sendMarked(20);
    await waitUntil("they wait", async () => (await agent.status()).heartbeat.spooled === 20);
    expect((await agent.status()).publishing?.problem).toContain("ECONNREFUSED");
    await agent.startReceivers();
    await toldAre({ events: 20, gaps: 0 });
    await agent.stopReceivers();
    await agent.sendMarked(10);
    await agent.startReceivers();
    await toldAre({ events: 30, gaps: 0 });
  });

  test("takes unconfirmed rules back also when it was killed, and does not put them in again by itself", async () => {
    agent.configure([leaks], { commitConfirmSeconds: 10 });
    await agent.start();
    expect((await agent.tattle("agent", "confirm")).out).toBe("confirmed: the rules stay\n");
    await agent.stop();
    const before = await saved("mangle");
    agent.configure([{ name: "all", action: "drop" }], { commitConfirmSeconds: 5 });
    await agent.start();
    expect(agent.log).toContain("tattle agent confirm");
    await agent.stop("SIGKILL");
    expect(await saved("mangle")).not.toEqual(before);
    // One that is started meanwhile waits, and then respects what became of the change.
    agent.launch();
    expect(await agent.ended()).toBe(3);
    expect(agent.log).toContain("taken back, because nobody confirmed them");
    const labels = (lines: readonly string[]) => lines.filter((line) => line.includes("--comment"));
    expect(labels(await saved("mangle"))).toEqual(labels(before));
    expect(await agent.tattle("agent", "confirm")).toMatchObject({ exitCode: 3 });
    await agent.start();
    expect(agent.log).toContain('"policy":"test"');
    // The running agent itself gives way, too.
    expect(await agent.ended()).toBe(3);
    expect(labels(await saved("mangle"))).toEqual(labels(before));
  });

  test("tries rules again that could not be applied, although they were to be confirmed", async () => {
    agent.configure([leaks], { commitConfirmSeconds: 1, backend: "nft" });
    await topology.run("router", "iptables-legacy -A FORWARD -p udp -j ACCEPT");
    agent.launch();
    expect(await agent.ended()).toBe(1);
    expect(agent.log).toContain("the legacy backend holds 1 IPv4 rules");
    await topology.run("router", "iptables-legacy -D FORWARD -p udp -j ACCEPT");
    agent.configure([leaks], { commitConfirmSeconds: 10, backend: "nft" });
    await agent.start();
    expect((await agent.tattle("agent", "confirm")).out).toBe("confirmed: the rules stay\n");
  });

  test("is one for a network namespace, and leaves nothing when it is told to", async () => {
    agent.configure([leaks, { name: "no", severity: ["critical"], action: "reject" }], { onExit: "remove" });
    await agent.startReceivers();
    await agent.start();
    const other = new AgentOnRouter(topology);
    other.configure([leaks]);
    other.launch();
    expect(await other.ended()).toBe(3);
    expect(other.log).toContain("an agent runs already: process ");
    expect(await agent.tattle("agent", "remove")).toMatchObject({ exitCode: 3 });
    await agent.sendMarked(5);
    expect(await agent.stop()).toBe(0);
    expect([...(await saved("mangle")), ...(await saved("filter"))]).toEqual([]);
    await agent.start();
    await toldAre({ events: 5, gaps: 0 });
    await agent.stop("SIGKILL");
    expect((await agent.tattle("agent", "remove")).out).toMatch(
      /^IPv4, (?:nft|legacy) backend: removed \d+ differences\n/,
    );
    expect([...(await saved("mangle")), ...(await saved("filter"))]).toEqual([]);
    await other.close();
  });

  test("prints what it would do, and refuses to send in clear beyond this machine", async () => {
    agent.configure([leaks], { server: { url: "http://192.0.2.1:8765", tokenFile: "token" } });
    const { out } = await agent.tattle("agent", "run", "--dry-run");
    expect(out).toContain("-I FORWARD 1 -p tcp -j TATTLE\n");
    expect(await saved("mangle")).toEqual([]);
    agent.launch();
    expect(await agent.ended()).toBe(2);
    expect(agent.log).toContain("http to 192.0.2.1 is in clear");
    await agent.start("--insecure-http");
    expect(agent.log).toContain("events and the token go in clear");
    expect((await agent.status()).heartbeat.insecureHttp).toBe(true);
  });

  test.runIf(noMarking === undefined)(
    "tells people once about a host whose established connection is marked",
    async () => {
      const grouping = { waitSeconds: 0, intervalSeconds: 1 };
      const rule = {
        name: "leaks",
        category: ["leak"],
        trust: "established",
        action: "reject",
        notify: true,
      };
      agent.configure([rule], { notify: { grouping, channels: [agent.mailChannel] } });
      await agent.startReceivers();
      await agent.start();
      await serve(topology);
      const host = await MarkingHost.open(topology);
      try {
        await host.carry(markOption([{ detectedAt: nowSeconds(), category: 2, activity: 1 }]));
        // The handshake's first packet is lone and passes, its last is of an established connection.
        await host.send(addresses.outside[4], 10);
        await waitUntil("a mail came", () => agent.mails.length > 0);
        await host.send(addresses.outside[4], 10);
        await waitUntil("the second connection is told", () => {
          const ports = agent.events.map((event) => (event.type === "enforcement" ? event.hostPort : 0));
          return new Set(ports).size > 1;
        });
      } finally {
        await host.close();
      }
      const [mail] = agent.mails;
      expect(mail?.subject).toContain("10.1.0.2: flagged, contained");
      expect(mail?.text).toContain("10.1.0.2 is contained: its packets are stopped (rule leaks)");
      expect(agent.mails.length).toBe(1);
    },
  );
});
