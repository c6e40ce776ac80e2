/**
 * `npm run bench watchers`: the paper's Table 4 with numbers. One unmarked connection through a router, a packet each
 * (no segmentation offload), watched in one way or in none; then marked packets, and packets with another option of the
 * same kind. Needs root and iperf3.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { capture, readCaptured } from "../../netns/captured.ts";
import { nowSeconds } from "../../netns/enforcement-support.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { ethernetFrame } from "../../support/link-frame.ts";
import { addresses, Topology, waitUntil, whyNoNamespaces } from "../../support/netns.ts";
import { markOption, tcpPacket } from "../../support/segment.ts";
import { measurePairs, ratioOf } from "../agent/ratio.ts";
import type { Ratio } from "../agent/ratio.ts";
import { introduceNobody, nobody } from "../agent/unmarked-traffic.ts";
import { ways } from "./ways.ts";
import type { Way } from "./ways.ts";

export interface WatcherResult {
  readonly name: string;
  readonly where: string;
  /** Throughput while watched, over that while not. */
  readonly ratio: Ratio;
  /** The same of packets for each second of processor time, which other work on the machine disturbs less. */
  readonly efficiency: Ratio;
  /** Microseconds of processor time that watching adds to a packet: median of the pairs. */
  readonly perPacket: number;
  /** Of `sent` packets each. */
  readonly markedPassed: number;
  readonly foreignPassed: number;
}

export interface WatchersBench {
  readonly results: readonly WatcherResult[];
  readonly sent: number;
  readonly loadBefore: number;
}

/** Octets of a full segment with timestamps. */
const segmentOctets = 1448;
const sent = 200;

/** TCP Fast Open's experiment (RFC 7413): kind 254 with an identifier of its own. */
const foreignOption = Uint8Array.of(254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8);
const ports = { marked: 443, foreign: 80 };

interface Transfer {
  readonly bitsPerSecond: number;
  /** Seconds, of both ends, the router's work in between and the watcher. */
  readonly processor: number;
  readonly packets: number;
}

export async function benchWatchers(quick: boolean, tell: (line: string) => void): Promise<WatchersBench> {
  const reason = whyNoNamespaces();
  if (reason !== undefined) throw new Error(reason);
  const [loadBefore = NaN] = loadavg();
  const folder = mkdtempSync(join(tmpdir(), "tattle-bench-watchers-"));
  const topology = await Topology.open();
  try {
    for (const place of ["host", "outside"] as const)
      await topology.run(place, "ip link set eth0 gso_max_segs 1");
    await introduceNobody(topology);
    const server = topology.start("outside", "iperf3", ["-s", "--forceflush"]);
    await new Promise((resolve) => server.stdout?.once("data", resolve));
    const results: WatcherResult[] = [];
    for (const way of ways) {
      tell(way.name);
      const measured = await measureWay(topology, folder, way, quick ? 2 : 9, quick ? 20 : 80);
      results.push({ ...measured, ...(await tryToStop(topology, folder, way)) });
    }
    return { results, sent, loadBefore };
  } finally {
    await topology.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureWay(
  topology: Topology,
  folder: string,
  way: Way,
  pairs: number,
  megabytes: number,
): Promise<Omit<WatcherResult, "markedPassed" | "foreignPassed">> {
  const runs = await measurePairs(
    pairs,
    async () => {
      const watcher = await way.start(topology, folder);
      try {
        const before = watcher.processor();
        const run = await transfer(topology, megabytes);
        return { ...run, processor: run.processor + watcher.processor() - before };
      } finally {
        await watcher.stop();
      }
    },
    async () => transfer(topology, megabytes),
  );
  const costs = runs
    .map(([one, base]) => ((one.processor - base.processor) * 1e6) / one.packets)
    .toSorted((left, right) => left - right);
  return {
    name: way.name,
    where: way.where,
    ratio: ratioOf(runs.map(([one, base]) => [one.bitsPerSecond, base.bitsPerSecond])),
    efficiency: ratioOf(
      runs.map(([one, base]) => [one.packets / one.processor, base.packets / base.processor]),
    ),
    perPacket: costs[Math.floor(costs.length / 2)] ?? NaN,
  };
}

async function transfer(topology: Topology, megabytes: number): Promise<Transfer> {
  const line = `iperf3 -J -n ${megabytes}M -c ${addresses.outside[4]}`;
  const { end } = JSON.parse(await topology.run("host", line)) as {
    end: {
      sum_sent: { bytes: number; seconds: number };
      sum_received: { bits_per_second: number };
      cpu_utilization_percent: { host_total: number; remote_total: number };
    };
  };
  const { host_total: host, remote_total: remote } = end.cpu_utilization_percent;
  return {
    bitsPerSecond: end.sum_received.bits_per_second,
    processor: ((host + remote) / 100) * end.sum_sent.seconds,
    packets: end.sum_sent.bytes / segmentOctets,
  };
}

/** Marked packets, and others with an option of the same kind, as SYNs of their own connections. */
async function tryToStop(
  topology: Topology,
  folder: string,
  way: Way,
): Promise<Pick<WatcherResult, "markedPassed" | "foreignPassed">> {
  const mark = markOption([{ detectedAt: nowSeconds(), category: 2, activity: 1 }]);
  const packets = Array.from({ length: sent }, (_, index) =>
    [
      { destinationPort: ports.marked, options: mark },
      { destinationPort: ports.foreign, options: foreignOption },
    ].map((tcp) =>
      tcpPacket(
        { source: addresses.host[4], destination: nobody },
        { sourcePort: 1024 + index, flags: "S", ...tcp },
      ),
    ),
  ).flat();
  // The last packet is one that nobody stops: once it is there, the others have been decided on.
  const last = tcpPacket(
    { source: addresses.host[4], destination: nobody },
    { sourcePort: 1023, destinationPort: 9, flags: "S" },
  );
  const file = join(folder, "to-stop.pcap");
  const frames = [...packets, last].map((octets) => ({ octets: ethernetFrame(octets), time: 0n }));
  writeFileSync(file, writePcap(frames));
  const beyond = join(folder, `beyond-${way.name.replaceAll(/\W/g, "")}.pcap`);
  await capture(topology, "router", beyond, ["-i", "wan0", "-Q", "out", "tcp"]);
  const watcher = await way.start(topology, folder);
  try {
    await topology.run("host", `tcpreplay --pps=1000 -i eth0 ${file}`);
    const portsBeyond = (): number[] =>
      readCaptured(beyond).map(({ octets }) => ((octets[22] ?? 0) << 8) | (octets[23] ?? 0));
    await waitUntil("the last packet is beyond the router", () => portsBeyond().includes(9));
    const passed = (port: number): number => portsBeyond().filter((other) => other === port).length;
    return { markedPassed: passed(ports.marked), foreignPassed: passed(ports.foreign) };
  } finally {
    await watcher.stop();
  }
}

/** A Markdown table. */
export function formatWatchers({ results, sent: number }: WatchersBench): string {
  const rows = results.map(({ name, where, ratio, efficiency, perPacket, markedPassed, foreignPassed }) => {
    const canDrop = markedPassed === 0 ? "yes" : "no";
    const cells = [
      name,
      where,
      formatRatio(ratio),
      formatRatio(efficiency),
      perPacket.toFixed(1),
      `${canDrop}: ${markedPassed} of ${number} passed`,
      `${number - foreignPassed} of ${number}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| | Looks at | Throughput, over none | Packets a processor second, over none | µs of processor more a packet | Drops marked packets | Drops others of that kind |",
    "| --- | --- | --- | --- | ---: | --- | ---: |",
    ...rows,
  ].join("\n");
}

function formatRatio({ ratio, low, high }: Ratio): string {
  return `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}
