/** What becomes of marked packets: the first, a thousand a second, a hundred thousand a second. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture, readCaptured } from "../../netns/captured.ts";
import { nowSeconds } from "../../netns/enforcement-support.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { ethernetFrame } from "../../support/link-frame.ts";
import type { Topology } from "../../support/netns.ts";
import { markOption, tcpPacket } from "../../support/segment.ts";
import { readFrameTimes } from "./frame-times.ts";
import { BenchedAgent } from "./agent-process.ts";
import type { Told } from "./agent-process.ts";
import { introduceNobody, nobody } from "./unmarked-traffic.ts";

export interface Place {
  readonly topology: Topology;
  /** The built command. */
  readonly build: string;
  readonly folder: string;
}

export interface FirstResult {
  readonly sent: number;
  readonly counted: number;
  /** Marked packets that a capture beyond the router saw. */
  readonly passed: number;
}

/** Milliseconds from a packet's departure to the dashboard's answer, after its event was committed. */
export interface LatencyResult {
  readonly sent: number;
  /** Events whose packet's departure was captured, too. */
  readonly packets: number;
  readonly told: Told;
  readonly perSecond: number;
  readonly median: number;
  readonly p99: number;
  readonly peakMemory: number;
}

export interface FloodResult {
  readonly sampling: string;
  readonly sent: number;
  /** Packets a second that the sender reached. */
  readonly perSecond: number;
  readonly counted: number;
  readonly told: Told;
  readonly peakMemory: number;
}

/** Each a connection of its own, and each is to be dropped, from the first on. */
export async function measureFirst(place: Place, packets: number): Promise<FirstResult> {
  const agent = await BenchedAgent.start(place.topology, place.build, place.folder, {});
  try {
    await introduceNobody(place.topology);
    const file = join(place.folder, "beyond.pcap");
    await capture(place.topology, "router", file, ["-i", "wan0", "-Q", "out", "tcp"]);
    await send(place, marked(packets), "--pps=2000");
    await agent.isToldOf(packets);
    return { sent: packets, counted: await counted(place.topology), passed: readCaptured(file).length };
  } finally {
    await agent.close();
  }
}

export async function measureLatency(
  place: Place,
  seconds: number,
  perSecond: number,
): Promise<LatencyResult> {
  const agent = await BenchedAgent.start(place.topology, place.build, place.folder, {}, "dashboard");
  try {
    const packets = seconds * perSecond;
    const file = join(place.folder, "sent.pcap");
    await capture(place.topology, "host", file, ["-i", "eth0", "-Q", "out", "--nano", "-s", "64", "tcp"]);
    await send(place, marked(packets), `--pps=${perSecond}`);
    await agent.isToldOf(packets);
    const { arrivals = [], ...told } = await agent.told("all");
    const departures = new Map(readFrameTimes(file));
    const waits = arrivals
      .map(([port, at]) => at - (departures.get(port) ?? NaN))
      .filter((wait) => !Number.isNaN(wait))
      .toSorted((left, right) => left - right);
    const at = (share: number): number => waits[Math.ceil(waits.length * share) - 1] ?? NaN;
    return {
      sent: packets,
      packets: waits.length,
      told,
      perSecond,
      median: at(0.5),
      p99: at(0.99),
      peakMemory: agent.peakMemory,
    };
  } finally {
    await agent.close();
  }
}

/** Two hundred hosts that are marked. */
const sources = 200;

export async function measureFlood(place: Place, sampling: object, seconds: number): Promise<FloodResult> {
  const agent = await BenchedAgent.start(place.topology, place.build, place.folder, sampling);
  try {
    const perFile = 20_000;
    const rate = 100_000;
    const loops = (seconds * rate) / perFile;
    const said = await send(place, marked(perFile, sources), `--pps=${rate}`, "-K", `--loop=${loops}`);
    const [, sent = "0", took = "0"] = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(said) ?? [];
    const told = await agent.isToldOf(Number(sent));
    return {
      sampling: Object.keys(sampling).length === 0 ? "none" : "10 a second and source",
      sent: Number(sent),
      perSecond: Number(sent) / Number(took),
      counted: await counted(place.topology),
      told,
      peakMemory: agent.peakMemory,
    };
  } finally {
    await agent.close();
  }
}

/** SYNs with a mark; the source port tells one from another. */
function marked(packets: number, hosts = 1): Uint8Array[] {
  const options = markOption([{ detectedAt: nowSeconds(), category: 2, activity: 1 }]);
  return Array.from({ length: packets }, (_, index) =>
    tcpPacket(
      { source: `10.1.0.${2 + (index % hosts)}`, destination: nobody },
      { sourcePort: 1024 + (index % 60_000), destinationPort: 443, flags: "S", options },
    ),
  );
}

async function send(
  { topology, folder }: Place,
  packets: readonly Uint8Array[],
  ...how: readonly string[]
): Promise<string> {
  const file = join(folder, "marked.pcap");
  writeFileSync(file, writePcap(packets.map((octets) => ({ octets: ethernetFrame(octets), time: 0n }))));
  // Slow machines take longer over a flood than commands of the agent may.
  const child = topology.start("host", "tcpreplay", [...how, "-i", "eth0", file]);
  let said = "";
  child.stdout?.on("data", (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  return said;
}

/** Packets that the counting rules of the kernel saw. */
async function counted(topology: Topology): Promise<number> {
  const saved = await topology.run("router", "iptables-save -c -t mangle");
  const rules = saved.matchAll(/^\[(\d+):\d+\] .*--comment "tattle:/gm);
  return [...rules].reduce((sum, [, packets]) => sum + Number(packets), 0);
}
