/** The agent as the service that is shipped: exactly the capabilities of the unit, each of which something needs. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shippedObject } from "../../live-agent/enforcement/alter.ts";
import { useBuiltCommand } from "../support/built-command.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { tcpPacket } from "../support/segment.ts";
import { taggedOption } from "../support/tagged-option.ts";
import { AgentOnRouter } from "./agent-on-router.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { whyNoTagChecks } from "./tag-checks.ts";

const service = new URL("../../live-agent/service/", import.meta.url);
const unit = readFileSync(new URL("tattle-agent.service", service), "utf8");
const capabilities = (/^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1] ?? "")
  .split(" ")
  .map((name) => name.replace("CAP_", "").toLowerCase());

function isBpfMounted(): boolean {
  return readFileSync("/proc/mounts", "utf8").includes(" /sys/fs/bpf bpf ");
}

function isMissing(program: string): boolean {
  return spawnSync("which", [program]).status !== 0;
}

const reason =
  whyNoNamespaces() ??
  ["setpriv", "tcpdump", "tcpreplay", "iptables", "tc", "clang"]
    .filter(isMissing)
    .map((name) => `${name} is missing`)[0];
if (reason !== undefined) console.warn(`not run: the agent with the unit's capabilities; ${reason}`);

/** As systemd starts it: user 0 with these powers and no others, whatever it starts. */
function withCapabilities(names: readonly string[]): string[] {
  const set = ["-all", ...names.map((name) => `+${name}`)].join(",");
  return ["setpriv", "--inh-caps=-all", `--bounding-set=${set}`, "--no-new-privs"];
}

test("the unit names capabilities, and keeps the guard of unconfirmed rules alive", () => {
  expect(capabilities).toEqual(["net_admin", "net_raw", "setuid", "setgid", "kill", "bpf", "perfmon"]);
  expect(unit).toMatch(/^KillMode=process$/m);
});

const verify = isMissing("systemd-analyze") ? "not run, systemd-analyze is missing: " : "";
if (verify !== "") console.warn(`${verify}the check of the systemd unit`);
test(`${verify}systemd takes the unit`, () => {
  if (verify !== "") return;
  const folder = mkdtempSync(join(tmpdir(), "tattle-unit-"));
  const file = join(folder, "tattle-agent.service");
  // The program itself is not installed here.
  writeFileSync(file, unit.replace("/usr/local/bin/tattle", process.execPath));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(stderr.split("\n").filter((line) => line.includes("tattle-agent"))).toEqual([]);
  expect(status).toBe(0);
});

test("a shell takes OpenWrt's init script", () => {
  const script = fileURLToPath(new URL("tattle-agent.openwrt", service));
  expect(spawnSync("sh", ["-n", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});

describe.runIf(reason === undefined)("with the unit's capabilities (needs root)", () => {
  // Before the command is built, which takes them along.
  beforeAll(() => expect(buildKernelPrograms()).toBe(""));
  useBuiltCommand();
  let topology: Topology;
  beforeAll(async () => {
    topology = await Topology.open();
  });
  afterAll(async () => topology.close());

  /** The agent has looked at its own work twice, and found it so. */
  async function staysAsWanted(agent: AgentOnRouter): Promise<void> {
    await waitUntil("it has looked", async () => {
      const { time, startedAt } = (await agent.status()).heartbeat;
      return time - startedAt > 3;
    });
    expect(agent.log).not.toContain("somebody changed the rules");
  }

  test.each(["nft", "legacy"])("the agent enforces, tells, zeroes and ends ($0)", async (backend) => {
    const agent = new AgentOnRouter(topology);
    agent.wrapper = withCapabilities(capabilities);
    const rules = [
      { name: "leaks", category: ["leak"], action: "drop" },
      { name: "blank", action: "alter" },
    ];
    agent.configure(rules, { backend, onExit: "remove" });
    await agent.startReceivers();
    try {
      await agent.start();
      await agent.sendMarked(5);
      await waitUntil("five packets are told", () => agent.told.events === 5);
      expect(await topology.run("router", "tc filter show dev wan0 egress")).toContain("tattle_zero");
      await staysAsWanted(agent);
      // It ends only when it has ended tcpdump, which is another user's by then.
      expect(await agent.stop()).toBe(0);
      expect(await topology.run("router", `iptables-${backend}-save`)).not.toContain("TATTLE");
    } finally {
      await agent.close();
    }
  });

  test("an end host zeroes what comes in, too", async () => {
    const agent = new AgentOnRouter(topology);
    agent.wrapper = withCapabilities(capabilities);
    agent.configure([{ name: "blank", action: "alter" }], { chains: ["INPUT"], onExit: "remove" });
    try {
      await agent.start();
      expect(await topology.run("router", "ip -brief link")).toContain("tattle-zero0");
      await staysAsWanted(agent);
      expect(await agent.stop()).toBe(0);
      expect(await topology.run("router", "ip -brief link")).not.toContain("tattle-zero0");
    } finally {
      await agent.close();
    }
  });

  const unchecked = whyNoTagChecks() ?? (isBpfMounted() ? undefined : "no bpf file system at /sys/fs/bpf");
  if (unchecked !== undefined) console.warn(`not run: the agent checks tags; ${unchecked}`);
  test.runIf(unchecked === undefined)(
    "it checks tags, puts the program back, and takes it along",
    async () => {
      const agent = new AgentOnRouter(topology);
      agent.wrapper = withCapabilities(capabilities);
      const key = Buffer.alloc(16, 7);
      agent.write("readers.json", JSON.stringify({ keys: [{ id: 0, key: key.toString("hex") }] }));
      const rules = [
        { name: "forged", trust: "invalid", action: "accept" },
        { name: "sure", trust: "verified", action: "drop", notify: true },
      ];
      agent.configure(rules, { markKeys: "readers.json", onExit: "remove" });
      await agent.startReceivers();
      try {
        await agent.start();
        const ends = { source: "10.1.0.2", destination: "10.2.0.2", sourcePort: 30_000, destinationPort: 80 };
        const records = [{ detectedAt: Math.floor(Date.now() / 1000), category: 2, activity: 1 }];
        const send = async (signedWith: Uint8Array): Promise<void> => {
          const time = Date.now() / 1000;
          const options = taggedOption({ ...ends, time, key: signedWith, records });
          const file = join(agent.folder, "sent.pcap");
          const frame = ethernetFrame(tcpPacket(ends, { ...ends, flags: "S", options }));
          writeFileSync(file, writePcap([{ octets: frame, time: 0n }]));
          await topology.run("host", `tcpreplay -q -i eth0 --topspeed ${file}`);
        };
        await send(key);
        await send(Buffer.alloc(16, 8));
        await waitUntil("both are told", () => agent.told.events === 2);
        const told = agent.events.flatMap((event) => (event.type === "enforcement" ? [event] : []));
        expect(told.map(({ trust, verdict, rule }) => [trust, verdict, rule])).toEqual([
          ["verified", "drop", "sure"],
          ["invalid", "accept", "forged"],
        ]);
        await staysAsWanted(agent);
        await topology.run("router", "tc filter delete dev lan0 ingress");
        await waitUntil("it says so", () => agent.log.includes("lan0: no program checks tags at ingress"));
        const isBack = async (): Promise<boolean> =>
          (await topology.run("router", "tc filter show dev lan0 ingress")).includes("0x7c");
        await waitUntil("the program is back", isBack);
        expect(await agent.stop()).toBe(0);
        expect(await topology.run("router", "tc qdisc show")).not.toContain("clsact");
      } finally {
        await agent.close();
      }
    },
  );

  /** Why a command fails without one of the capabilities; an empty text if it does not. */
  async function without(missing: string, ...line: string[]): Promise<string> {
    const [program = "", ...args] = [
      ...withCapabilities(capabilities.filter((name) => name !== missing)),
      ...line,
    ];
    const { status, stderr } = await topology.runner("router")(program, args);
    return status === 0 ? "" : `${status}: ${stderr}`;
  }

  const tcpdump = ["sh", "-c", "timeout 2 tcpdump -i nflog:77 -U -w - > /dev/null"];
  const killAnother =
    "setpriv --reuid=65534 sleep 2 & until grep -q '^Uid:.65534' /proc/$!/status; do :; done; kill $!";
  const zero = `tc filter replace dev lan0 egress prio 9 handle 0x7b protocol all bpf direct-action object-file ${shippedObject} section tc`;
  test.each([
    ["net_admin", ["iptables-nft-save", "-t", "mangle"]],
    ["net_raw", ["iptables-legacy-save", "-t", "mangle"]],
    ["setuid", tcpdump],
    ["setgid", tcpdump],
    ["bpf", zero.split(" ")],
    ["perfmon", zero.split(" ")],
    ["kill", ["sh", "-c", killAnother]],
  ])("%s is needed", async (capability, line) => {
    await topology.run("router", "tc qdisc replace dev lan0 clsact");
    expect(await without(capability, ...line)).toMatch(/permi|change|load|root/i);
  });
});
