/**
 * What marking costs a sender, and how soon a detection is on the wire: transfers by iperf3 over two network namespaces and
 * a router, marked and unmarked in turn; the time of the kernel's program for each call, which does not depend on what
 * else the machine does; packets of an open connection after a detection. Needs root and iperf3.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { programPin } from "../../live-agent/marker/kernel-marks.ts";
import { parseAddress } from "../../wire/address.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { capture } from "../netns/captured.ts";
import { buildKernelPrograms } from "../netns/enforcement-support.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "../netns/marked-host.ts";
import { addresses, endProcess, Topology, waitUntil } from "../support/netns.ts";
import { measurePairs, ratioOf } from "./agent/ratio.ts";
import type { Ratio } from "./agent/ratio.ts";

export interface MarkerBench {
  readonly costs: readonly MarkerCost[];
  /** Milliseconds from the return of a detection to the first marked packet, ascending; 0 if that was before. */
  readonly delays: readonly number[];
}

export interface MarkerCost {
  readonly title: string;
  /** Marked over unmarked throughput. */
  readonly ratio: Ratio;
  /** Unmarked, gigabits a second. */
  readonly unmarked: number;
  /** Nanoseconds of one call of the program. */
  readonly perCall: number;
  /** The same with nothing to say. */
  readonly perSilentCall: number;
}

export interface MarkerBenchOptions {
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

const leak = { detectedAt: 1_700_000_000, category: 2, activity: 1 };
const statistics = "/proc/sys/kernel/bpf_stats_enabled";
export const throughputTarget = 0.95;
export const delayTargetMs = 20;

export async function benchMarker({ quick, tell }: MarkerBenchOptions): Promise<MarkerBench> {
  const reason = whyNoMarkedHost() ?? (buildKernelPrograms() || undefined);
  if (reason !== undefined) throw new Error(reason);
  const folder = mkdtempSync(join(tmpdir(), "tattle-marker-bench-"));
  try {
    const key = Buffer.from(deriveHostKey(new Uint8Array(16), parseAddress("10.1.0.2"))).toString("hex");
    const keyFile = join(folder, "keys.json");
    const hosts = [{ address: "10.1.0.2", id: 0, key }];
    writeFileSync(keyFile, JSON.stringify({ hosts }), { mode: 0o600 });
    const pairs = quick ? 3 : 15;
    const costs: MarkerCost[] = [];
    for (const [title, settings] of [
      ["without a tag", {}],
      ["with a tag", { keyFile }],
    ] as const) {
      tell(`${pairs} pairs of transfers, ${title}`);
      costs.push(await measureCost(title, settings, pairs));
    }
    tell("detections on an open connection");
    return { costs, delays: await measureDelays(folder, quick ? 10 : 50) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureCost(title: string, settings: object, pairs: number): Promise<MarkerCost> {
  const topology = await Topology.open();
  const server = topology.start("outside", "iperf3", ["-s", "--forceflush"]);
  await new Promise((resolve) => server.stdout?.once("data", resolve));
  const host = new MarkedHost(topology, "cost", settings);
  const rate = async (isMarked: boolean): Promise<number> => {
    if (isMarked) await host.say(leak);
    else await host.sayNothing();
    return transfer(topology, host.cgroup);
  };
  try {
    await rate(false);
    const measured = await measurePairs(
      pairs,
      async () => rate(true),
      async () => rate(false),
    );
    const without = measured.map(([, base]) => base).toSorted((one, other) => one - other);
    const perSilentCall = await timeOfCalls(host, async () => rate(false));
    const perCall = await timeOfCalls(host, async () => rate(true));
    const unmarked = without[Math.floor(without.length / 2)] ?? NaN;
    return { title, ratio: ratioOf(measured), unmarked, perCall, perSilentCall };
  } finally {
    await host.close();
    await endProcess(server);
    await topology.close();
  }
}

/** Gigabits a second of one second of sending. */
async function transfer(topology: Topology, cgroup: string): Promise<number> {
  const enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"';
  const client = ["iperf3", "-J", "-t", "1", "-c", addresses.outside[4]];
  const { stdout } = await topology.runner("host")("sh", ["-c", enter, cgroup, ...client]);
  const report = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second / 1e9;
}

async function timeOfCalls(host: MarkedHost, work: () => Promise<unknown>): Promise<number> {
  const pin = programPin(host.marker.settings.pinFolder);
  const read = async (): Promise<{ time: number; calls: number }> => {
    const { stdout } = await runCommand("bpftool", ["-j", "prog", "show", "pinned", pin]);
    const { run_time_ns: time = 0, run_cnt: calls = 0 } = JSON.parse(stdout) as Record<string, number>;
    return { time, calls };
  };
  const setting = readFileSync(statistics, "utf8");
  writeFileSync(statistics, "1");
  try {
    const before = await read();
    await work();
    const after = await read();
    return (after.time - before.time) / (after.calls - before.calls);
  } finally {
    writeFileSync(statistics, setting);
  }
}

/** A connection sends an octet every millisecond; each detection is put on it, and taken off again. */
async function measureDelays(folder: string, count: number): Promise<number[]> {
  const topology = await Topology.open();
  const host = new MarkedHost(topology, "delay");
  const file = join(folder, "delay.pcap");
  const talkers = [startTalker(topology, "outside", ["listen", "7600"])];
  try {
    const [server] = talkers;
    await host.sayNothing();
    await waitUntil("it listens", () => server?.lines.includes("listening") ?? false);
    const filter = `dst port 7600 and src host ${addresses.host[4]}`;
    await capture(topology, "host", file, ["--immediate-mode", "-i", "eth0", filter]);
    const client = await host.talk("host", "connect", addresses.outside[4], "7600");
    talkers.push(client);
    await waitUntil("it is open", () => client.lines.includes("open"));
    client.say("tick 1");
    const delays: number[] = [];
    for (let detection = 0; detection < count; detection++) {
      const from = Date.now();
      await host.say(leak);
      const returned = performance.timeOrigin + performance.now();
      const first = (): number | undefined => markedTimes(file).find((time) => time >= from);
      await waitUntil("it is on the wire", () => first() !== undefined);
      delays.push(Math.max(0, (first() ?? NaN) - returned));
      await host.sayNothing();
      const quiet = markedTimes(file).length;
      await waitUntil("it is off the wire", () => markedTimes(file).length === quiet);
    }
    return delays.toSorted((one, other) => one - other);
  } finally {
    for (const talker of talkers) await talker.end();
    await host.close();
    await topology.close();
  }
}

/** When marked packets were sent, milliseconds since 1970; the capture is tcpdump's, microseconds in little-endian. */
function markedTimes(file: string): number[] {
  const octets = readFileSync(file);
  const times: number[] = [];
  for (let at = 24; at + 16 <= octets.length;) {
    const end = at + 16 + octets.readUInt32LE(at + 8);
    if (end > octets.length) break;
    const walk = new PacketWalk(octets);
    walk.walk(linkTypes.ethernet, at + 16, end);
    if (walk.mark !== absent) times.push(octets.readUInt32LE(at) * 1000 + octets.readUInt32LE(at + 4) / 1000);
    at = end;
  }
  return times;
}

/** The results, in Markdown. */
export function formatMarker({ costs, delays }: MarkerBench): string {
  const longest = delays.at(-1) ?? NaN;
  const median = delays[Math.floor(delays.length / 2)] ?? NaN;
  return [
    "| | Measured | Target | |",
    "| --- | ---: | ---: | --- |",
    ...costs.map(({ title, ratio, unmarked }) => {
      const { ratio: mean, low, high, pairs } = ratio;
      const found = `${mean.toFixed(3)} (95 % of ${pairs} pairs: ${low.toFixed(3)} to ${high.toFixed(3)})`;
      const isMet = low >= throughputTarget ? "met" : high < throughputTarget ? "**missed**" : "undecided";
      return `| Throughput marked over unmarked, ${title}; unmarked ${unmarked.toFixed(1)} Gbit/s | ${found} | ≥ ${throughputTarget} | ${isMet} |`;
    }),
    `| From the return of a detection to the first marked packet, ${delays.length} times | median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms | ≤ ${delayTargetMs} ms | ${longest <= delayTargetMs ? "met" : "**missed**"} |`,
    "",
    `| In the kernel, Linux ${release()} | Nanoseconds a call |`,
    "| --- | ---: |",
    ...costs.flatMap(({ title, perCall, perSilentCall }) => [
      `| nothing to say, ${title} | ${perSilentCall.toFixed(0)} |`,
      `| marked, ${title} | ${perCall.toFixed(0)} |`,
    ]),
  ].join("\n");
}
