/**
 * What marking costs a sender: pairs of transfers by iperf3 over two network namespaces and a router, marked and
 * unmarked in turn, and the time of the kernel's program for each call. Needs root and iperf3.
 *
 *     npx tsx test/experiment/marker-cost.ts [pairs]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { programPin } from "../../live-agent/marker/kernel-marks.ts";
import { parseAddress } from "../../wire/address.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { MarkedHost, whyNoMarkedHost } from "../netns/marked-host.ts";
import { addresses, endProcess, Topology } from "../support/netns.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) throw new Error(reason);
const pairs = Number(process.argv[2] ?? 15);
const leak = { detectedAt: 1_700_000_000, category: 2, activity: 1 };
const folder = mkdtempSync(join(tmpdir(), "tattle-marker-cost-"));
const statistics = "/proc/sys/kernel/bpf_stats_enabled";

/** Gigabits a second of one second of sending. */
async function transfer(topology: Topology, cgroup: string): Promise<number> {
  const enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"';
  const client = ["iperf3", "-J", "-t", "1", "-c", addresses.outside[4]];
  const { stdout } = await topology.runner("host")("sh", ["-c", enter, cgroup, ...client]);
  const report = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second / 1e9;
}

async function compare(title: string, settings: object): Promise<void> {
  const topology = await Topology.open();
  const server = topology.start("outside", "iperf3", ["-s", "--forceflush"]);
  await new Promise((resolve) => server.stdout?.once("data", resolve));
  const host = new MarkedHost(topology, "cost", settings);
  const [without, ratios]: [number[], number[]] = [[], []];
  try {
    await host.sayNothing();
    await transfer(topology, host.cgroup);
    for (let pair = 0; pair < pairs; pair++) {
      const rates: number[] = [];
      // Which comes first changes from pair to pair, so that a machine that slows down favours neither.
      for (const marked of pair % 2 === 0 ? [false, true] : [true, false]) {
        if (marked) await host.say(leak);
        else await host.sayNothing();
        rates[marked ? 1 : 0] = await transfer(topology, host.cgroup);
      }
      without.push(rates[0] ?? NaN);
      ratios.push((rates[1] ?? NaN) / (rates[0] ?? NaN));
    }
    console.log(`${title}: ${describeRatios(ratios)}; unmarked ${median(without).toFixed(1)} Gbit/s`);
    console.log(`${title}: ${await timeOfCalls(topology, host)}`);
  } finally {
    await host.close();
    await endProcess(server);
    await topology.close();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** Median, and the bounds of the mean with a probability of 95 % (normal distribution). */
function describeRatios(ratios: readonly number[]): string {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (ratios.length - 1);
  const half = 1.96 * Math.sqrt(variance / ratios.length);
  const bounds = `mean ${mean.toFixed(3)}, 95 % ${(mean - half).toFixed(3)} to ${(mean + half).toFixed(3)}`;
  return `marked / unmarked median ${median(ratios).toFixed(3)}, ${bounds}, ${ratios.length} pairs`;
}

async function timeOfCalls(topology: Topology, host: MarkedHost): Promise<string> {
  const before = readFileSync(statistics, "utf8");
  writeFileSync(statistics, "1");
  try {
    await host.say(leak);
    await transfer(topology, host.cgroup);
  } finally {
    writeFileSync(statistics, before);
  }
  const pin = programPin(host.marker.settings.pinFolder);
  const { stdout } = await runCommand("bpftool", ["-j", "prog", "show", "pinned", pin]);
  const { run_time_ns: time, run_cnt: calls } = JSON.parse(stdout) as Record<string, number>;
  return `${Math.round((time ?? NaN) / (calls ?? NaN))} ns a call, ${calls} calls`;
}

try {
  const key = Buffer.from(deriveHostKey(new Uint8Array(16), parseAddress("10.1.0.2"))).toString("hex");
  const keyFile = join(folder, "keys.json");
  writeFileSync(keyFile, JSON.stringify({ hosts: [{ address: "10.1.0.2", id: 0, key }] }), { mode: 0o600 });
  await compare("without tag", {});
  await compare("with tag", { keyFile });
} finally {
  rmSync(folder, { recursive: true });
}
