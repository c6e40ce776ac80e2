/** `tattle probe` as it is built, through each network of the paper's Table 3, and against a firewall. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkTypes } from "../../wire/link-layer.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { buildFolder, useBuiltCommand } from "../support/built-command.ts";
import { Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { startTalker } from "./marked-host.ts";
import { arrivedOptions, probeNetworks, probeThrough } from "./probe-networks.ts";

const reason =
  whyNoNamespaces() ??
  ["tcpreplay", "tcpdump", "ip", "iptables"]
    .filter((program) => spawnSync("which", [program]).status !== 0)
    .map((program) => `${program} is missing`)[0];
if (reason !== undefined) {
  console.warn(`nothing is probed: ${reason}`);
  test(`nothing is probed: ${reason}`, () => undefined);
}
const once = reason === undefined ? [{}] : [];

useBuiltCommand();
const folder = mkdtempSync(join(tmpdir(), "tattle-probe-test-"));
let topology: Topology;
beforeAll(async () => {
  if (reason === undefined) topology = await Topology.open();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason === undefined) await topology.close();
});

interface Report {
  readonly frames: number;
  readonly connections: number;
  readonly rows: readonly {
    readonly option: string;
    readonly syn: { readonly result: string };
    readonly data: { readonly result: string };
    readonly passes: boolean;
  }[];
}

const main = (): string => join(buildFolder(), "cli", "main.js");
const experimental = ["TCP 253", "TCP 254", "IPv4 30", "IPv4 94", "IPv4 158", "IPv4 222"];

async function probe(
  ...words: readonly string[]
): Promise<{ status: number; stdout: string; stderr: string }> {
  return topology.runner("host")(process.execPath, [main(), "probe", ...words]);
}

/** Last in the list, as the networks change what is there. */
async function probeAll(): Promise<void> {
  for (const network of probeNetworks) {
    const file = join(folder, `${network.name}.pcap`);
    const { out, err, exitCode, arrived } = await probeThrough(topology, network, main(), file);
    expect([network.name, exitCode], err).toEqual([network.name, 0]);
    const { rows, frames, connections } = JSON.parse(out) as Report;
    expect(rows.map(({ option, passes }) => [option, passes])).toEqual(
      ["none", "MSS", "timestamps", ...experimental].map((option) => [option, true]),
    );
    // 9 SYNs and 7 segments with data; again what a busy machine answers late.
    expect(frames).toBeGreaterThanOrEqual(16);
    expect(frames).toBeLessThanOrEqual(32);
    expect(connections).toBe(8);
    expect(err).toMatch(/: at most 32 frames, and 8 connections that send one line feed\n$/);
    const arrives = experimental.map((name) =>
      [false, true].map((onData) => arrivedOptions(arrived, name, onData)),
    );
    // Answers say that the packet arrived, not that its option did.
    const isStripped = (index: number): boolean => network.name === "router that strips" && index < 2;
    expect(arrives).toEqual(experimental.map((_, index) => [!isStripped(index), !isStripped(index)]));
    // A probe is no mark, and not even a malformed one.
    const walk = (octets: Uint8Array): PacketWalk => {
      const one = new PacketWalk(octets);
      one.walk(linkTypes.raw, 0, octets.length);
      return one;
    };
    expect(arrived.map(walk).filter(({ mark, tcp }) => mark !== absent || tcp === absent)).toEqual([]);
  }
}

test.each(once)("what refuses an option is named: a reset, ICMP and from whom, silence", async () => {
  const server = startTalker(topology, "outside", ["listen", "7499"]);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  const rules = [
    "-p tcp --tcp-option 253 -j REJECT --reject-with icmp-admin-prohibited",
    "-p tcp --tcp-option 254 -j DROP",
    "-p tcp -m u32 --u32 0>>24&0x0f=6:15 -j REJECT --reject-with tcp-reset",
  ];
  for (const rule of rules) await topology.run("router", `iptables -w -A FORWARD ${rule}`);
  const { status, stdout } = await probe("10.2.0.2:7499", "--wait", "300");
  expect(status).toBe(0);
  const cells = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(cells.slice(1, 10)).toEqual([
    ["none", "passes", "passes"],
    ["MSS", "passes", "–"],
    ["timestamps", "passes", "–"],
    ["TCP 253", "ICMP 3/13 from 10.1.0.1", "ICMP 3/13 from 10.1.0.1"],
    ["TCP 254", "silence", "silence"],
    ["IPv4 30", "RST", "RST"],
    ["IPv4 94", "RST", "RST"],
    ["IPv4 158", "RST", "RST"],
    ["IPv4 222", "RST", "RST"],
  ]);
  expect(stdout).toContain("not as without options: TCP 253, TCP 254, IPv4 30");
  await topology.run("router", "iptables -w -F FORWARD");
  // Half-open connections were ended by the kernel's resets.
  expect(await topology.run("outside", "ss -Htn state syn-recv")).toBe("");
  await server.end();
});

test.each(once)("over IPv6 only options of TCP are tried, and a closed port is told", async () => {
  const { status, stdout } = await probe("[fd02::2]:7498", "--json");
  expect(status).toBe(0);
  const { rows } = JSON.parse(stdout) as Report;
  expect(rows.map(({ option, syn, data, passes }) => [option, syn.result, data.result, passes])).toEqual(
    ["none", "MSS", "timestamps", "TCP 253", "TCP 254"].map((option) => [option, "reset", "not tried", true]),
  );
});

test.each(once)("what cannot be probed is told, and nothing is concluded from silence", async () => {
  const refused = async (target: string): Promise<string> => (await probe(target, "--wait", "50")).stderr;
  expect(await refused("10.1.0.2:80")).toContain("10.1.0.2 is this host");
  expect(await refused("somewhere")).toContain("expected HOST:PORT");
  expect(await refused("10.1.0.77:80")).toContain("10.1.0.77 does not answer on eth0");
  await topology.run("router", "iptables -w -A FORWARD -p tcp -j DROP");
  const { status, stdout } = await probe("10.2.0.2:80", "--wait", "50");
  await topology.run("router", "iptables -w -F FORWARD");
  expect([status, stdout]).toEqual([3, expect.stringContaining("so nothing can be said about options")]);
});

test.each(once)(
  "host, router, address translation, a router that strips and a bridge let every option pass",
  probeAll,
);
