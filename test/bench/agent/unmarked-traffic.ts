/** What the rules cost those who are not marked: throughput through a router, and nanoseconds of the first look. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyPolicy, removeRules } from "../../../live-agent/enforcement/enforcement.ts";
import type { EnforcementPoint } from "../../../live-agent/enforcement/enforcement.ts";
import { restore } from "../../../live-agent/enforcement/iptables.ts";
import type { Backend } from "../../../live-agent/enforcement/iptables.ts";
import { whenMatched } from "../../../live-agent/enforcement/rule-text.ts";
import { mayBeMarked } from "../../../live-agent/enforcement/walk-programs.ts";
import { nowSeconds, pointOn } from "../../netns/enforcement-support.ts";
import { policyOf } from "../../policy/policy-support.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { ethernetFrame } from "../../support/link-frame.ts";
import { addresses } from "../../support/netns.ts";
import type { Topology } from "../../support/netns.ts";
import { synOptions, tcpPacket, timestampsOption } from "../../support/segment.ts";
import { measurePairs, ratioOf } from "./ratio.ts";
import type { Ratio } from "./ratio.ts";

/** A policy as people write it: what is fresh and serious is stopped, marks stay inside. */
export const benchRules = [
  { name: "fresh-leak", category: ["leak"], elapsed: { lessThan: 3600 }, action: "drop" },
  { name: "serious", severity: ["high", "critical"], action: "reject" },
  { name: "known", trust: "established", action: "accept" },
];

export interface ThroughputCase {
  readonly what: string;
  readonly backend: Backend;
  readonly tracks: boolean;
  readonly segmentation: boolean;
  /** Whether a firewall follows connections on the router anyway. */
  readonly stateful: boolean;
}

export interface ThroughputResult extends ThroughputCase {
  readonly ratio: Ratio;
  /** The same for octets in a second of processor time: what others on the machine take is not in it. */
  readonly perProcessorSecond: Ratio;
}

export const throughputCases: readonly ThroughputCase[] = [
  {
    what: "nft, beside a stateful firewall",
    backend: "nft",
    tracks: true,
    segmentation: true,
    stateful: true,
  },
  {
    what: "legacy, beside a stateful firewall",
    backend: "legacy",
    tracks: true,
    segmentation: true,
    stateful: true,
  },
  { what: "nft, no connection tracking", backend: "nft", tracks: false, segmentation: true, stateful: false },
  {
    what: "nft, nobody tracked connections before",
    backend: "nft",
    tracks: true,
    segmentation: true,
    stateful: false,
  },
  {
    what: "nft, beside a stateful firewall, a packet for each segment",
    backend: "nft",
    tracks: true,
    segmentation: false,
    stateful: true,
  },
];

/** Without conntrack no rule may ask it. */
export function benchPoint(topology: Topology, { backend, tracks }: ThroughputCase): EnforcementPoint {
  const rules = tracks ? benchRules : benchRules.filter(({ trust }) => trust === undefined);
  const point = pointOn(topology, backend, policyOf(rules, { stripAtEgress: true }));
  return { ...point, log: tracks ? { group: 7, establishedGroup: 8 } : { group: 7 } };
}

/** Bits a second of one connection with the rules, over those without. The server listens in `outside`. */
export async function measureThroughput(
  topology: Topology,
  one: ThroughputCase,
  pairs: number,
): Promise<ThroughputResult> {
  const point = benchPoint(topology, one);
  await topology.run("host", `ip link set eth0 gso_max_segs ${one.segmentation ? 65_535 : 1}`);
  const accept = `FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT`;
  if (one.stateful) await topology.run("router", `iptables-${one.backend} -A ${accept}`);
  const runs = await measurePairs(
    pairs,
    async () => {
      await applyPolicy(point, nowSeconds());
      return sendUnmarked(topology);
    },
    async () => {
      await removeRules(point);
      return sendUnmarked(topology);
    },
  );
  await removeRules(point);
  await topology.run("host", "ip link set eth0 gso_max_segs 65535");
  if (one.stateful) await topology.run("router", `iptables-${one.backend} -D ${accept}`);
  return {
    ...one,
    ratio: ratioOf(runs.map(([rules, bare]) => [rules.perSecond, bare.perSecond])),
    perProcessorSecond: ratioOf(
      runs.map(([rules, bare]) => [rules.perProcessorSecond, bare.perProcessorSecond]),
    ),
  };
}

/** Bits. */
interface Sent {
  readonly perSecond: number;
  readonly perProcessorSecond: number;
}

interface Report {
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number };
    /** Of one processor; the router's work is done on the sender's and the receiver's time. */
    readonly cpu_utilization_percent: { readonly host_total: number; readonly remote_total: number };
  };
}

async function sendUnmarked(topology: Topology): Promise<Sent> {
  const report = await topology.run("host", `nice -n -10 iperf3 -c ${addresses.outside[4]} -t 1 -J`);
  const { end } = JSON.parse(report) as Report;
  const perSecond = end.sum_received.bits_per_second;
  const { host_total: sender, remote_total: receiver } = end.cpu_utilization_percent;
  return { perSecond, perProcessorSecond: perSecond / ((sender + receiver) / 100) };
}

export interface RuleCost {
  readonly what: string;
  readonly backend: Backend;
  /** Nanoseconds. */
  readonly perPacket: number;
}

/** So many copies of a rule that its cost stands out from that of the packet. */
const copies = 40;
const packets = 100_000;

/** Packets to this address are forwarded, and nobody takes them: answers would cost as much. */
export const nobody = "10.2.0.50";

export async function introduceNobody(topology: Topology): Promise<void> {
  await topology.run("router", `ip neigh replace ${nobody} lladdr 02:00:00:00:00:99 dev wan0 nud permanent`);
}

/** Nanoseconds of the first look, which is all that an unmarked packet meets. */
export async function measureFirstLook(
  topology: Topology,
  folder: string,
  rounds: number,
): Promise<RuleCost[]> {
  await introduceNobody(topology);
  const costs: RuleCost[] = [];
  for (const [what, options] of [
    ["a segment with timestamps", timestampsOption(1, 2)],
    ["a SYN", synOptions()],
  ] as const) {
    const file = join(folder, "unmarked.pcap");
    const tcp = { sourcePort: 1024, destinationPort: 9, flags: "A", options };
    const packet = tcpPacket({ source: addresses.host[4], destination: nobody }, tcp);
    const frame = { octets: ethernetFrame(packet), time: 0n };
    writeFileSync(file, writePcap(Array.from({ length: 1000 }, () => frame)));
    for (const backend of ["nft", "legacy"] as const) {
      const { iptables } = pointOn(topology, backend, policyOf([]));
      const rule = `-A BENCH ${whenMatched(mayBeMarked(4), "-j DROP")}\n`;
      const fill = (rules: string): Promise<void> =>
        restore(iptables, 4, `*mangle\n:BENCH - [0:0]\n${rules}COMMIT\n`);
      await fill("");
      await topology.run("router", `iptables-${backend} -t mangle -A FORWARD -j BENCH`);
      let [bare, full] = [Infinity, Infinity];
      for (let round = 0; round < rounds; round++) {
        await fill("");
        bare = Math.min(bare, await replay(topology, file));
        await fill(rule.repeat(copies));
        full = Math.min(full, await replay(topology, file));
      }
      await topology.run("router", `iptables-${backend} -t mangle -D FORWARD -j BENCH`);
      await topology.run("router", `iptables-${backend} -t mangle -F BENCH`);
      await topology.run("router", `iptables-${backend} -t mangle -X BENCH`);
      costs.push({ what, backend, perPacket: ((full - bare) * 1e9) / packets / copies });
    }
  }
  return costs;
}

/** Seconds that the packets took; forwarding runs on the sender's time. */
async function replay(topology: Topology, file: string): Promise<number> {
  const said = await topology.run("host", `tcpreplay --topspeed -K --loop=${packets / 1000} -i eth0 ${file}`);
  const [, sent, seconds] = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(said) ?? [];
  if (Number(sent) !== packets) throw new Error(`tcpreplay sent ${sent ?? "nothing"}: ${said}`);
  return Number(seconds);
}
