/** The ways to watch the paper compares (its section 4.2 and Table 4), and ours, on the router of a topology. */
import { spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyPolicy, removeRules } from "../../../live-agent/enforcement/enforcement.ts";
import { nowSeconds, pointOn } from "../../netns/enforcement-support.ts";
import { policyOf } from "../../policy/policy-support.ts";
import { endProcess, waitUntil } from "../../support/netns.ts";
import type { Topology } from "../../support/netns.ts";

export interface Watcher {
  /** Seconds of processor time that a process of its own took so far. */
  readonly processor: () => number;
  readonly stop: () => Promise<void>;
}

export interface Way {
  readonly name: string;
  /** Where a packet is looked at. */
  readonly where: string;
  readonly start: (topology: Topology, folder: string) => Promise<Watcher>;
}

const queueSource = fileURLToPath(new URL("queue-reader.c", import.meta.url));
const queueNumber = "7";

export const ways: readonly Way[] = [
  { name: "libpcap (tcpdump)", where: "a copy, in user space", start: startLibpcap },
  { name: "iptables, `--tcp-option`", where: "the kernel", start: startTcpOption },
  { name: "NFQUEUE (a reader in C)", where: "user space, before it goes on", start: startQueue },
  { name: "tattle's rules", where: "the kernel", start: startOurs },
];

async function startLibpcap(topology: Topology): Promise<Watcher> {
  const line = ["-n", "-i", "lan0", "-Q", "in", "-s", "134", "-Z", "root", "-w", "/dev/null", "tcp"];
  return startProgram(topology, ["tcpdump", ...line], "listening on");
}

async function startTcpOption(topology: Topology): Promise<Watcher> {
  return withRules(
    topology,
    [253, 254].map((kind) => `FORWARD -p tcp --tcp-option ${kind} -j DROP`),
  );
}

async function startQueue(topology: Topology, folder: string): Promise<Watcher> {
  const program = join(folder, "queue-reader");
  const build = spawnSync("clang", ["-O2", queueSource, "-o", program], { encoding: "utf8" });
  if (build.status !== 0) throw new Error(`clang: ${build.stderr}`);
  const reader = await startProgram(topology, [program, queueNumber], "ready");
  const rules = await withRules(topology, [`FORWARD -p tcp -i lan0 -j NFQUEUE --queue-num ${queueNumber}`]);
  return {
    processor: reader.processor,
    stop: async () => {
      await rules.stop();
      await reader.stop();
    },
  };
}

async function startOurs(topology: Topology): Promise<Watcher> {
  const policy = policyOf([{ name: "leaks", category: ["leak"], action: "drop" }]);
  const point = pointOn(topology, "nft", policy);
  await applyPolicy(point, nowSeconds());
  return {
    processor: () => 0,
    stop: async () => {
      await removeRules(point);
    },
  };
}

async function withRules(topology: Topology, rules: readonly string[]): Promise<Watcher> {
  for (const rule of rules) await topology.run("router", `iptables-nft -t mangle -A ${rule}`);
  return {
    processor: () => 0,
    stop: async () => {
      for (const rule of rules) await topology.run("router", `iptables-nft -t mangle -D ${rule}`);
    },
  };
}

async function startProgram(topology: Topology, line: readonly string[], ready: string): Promise<Watcher> {
  const [command = "", ...rest] = line;
  const child = topology.start("router", command, rest);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text: Buffer) => (said += text.toString()));
  await waitUntil(`${command} is ready`, () => {
    if (child.exitCode !== null) throw new Error(`${command}: ${said}`);
    return said.includes(ready);
  });
  return { processor: () => processorOf(child), stop: async () => endProcess(child) };
}

/** User and system, of /proc/PID/stat; the clock ticks a hundred times a second. */
function processorOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
