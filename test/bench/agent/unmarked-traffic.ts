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
  /** Whether a firewall follows connections on the router anyway. */
  readonly stateful: boolean;
}

export interface ThroughputResult extends ThroughputCase {
  readonly ratio: Ratio;
}

export const throughputCases: readonly ThroughputCase[] = [
  {
    what: "nft, beside a stateful firewall",
    backend: "nft",
    tracks: true,
    stateful: true,
  },
  {
    what: "legacy, beside a stateful firewall",
    backend: "legacy",
    tracks: true,
    stateful: true,
  },
  {
    what: "nft, nobody tracked connections before",
    backend: "nft",
    tracks: true,
    stateful: false,
  },
  {
    what: "nft, nobody tracks connections, `trackConnections` false",
    backend: "nft",
    tracks: false,
    stateful: false,
  },
];

/** Without conntrack no rule may ask it. */
export function benchPoint(
  topology: Topology,
  { backend, tracks }: Pick<ThroughputCase, "backend" | "tracks">,
): EnforcementPoint {
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
  const accept = `FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT`;
  if (one.stateful) await topology.run("router", `iptables-${one.backend} -A ${accept}`);
  const runs = await measurePairs(
    pairs,
    async () => {
      await applyPolicy(point, nowSeconds());
      return bitsPerSecond(topology);
    },
    async () => {
      await removeRules(point);
      return bitsPerSecond(topology);
    },
  );
  await removeRules(point);
  if (one.stateful) await topology.run("router", `iptables-${one.backend} -D ${accept}`);
  return { ...one, ratio: ratioOf(runs) };
}

async function bitsPerSecond(topology: Topology): Promise<number> {
  const report = await topology.run("host", `nice -n -10 iperf3 -c ${addresses.outside[4]} -t 1 -J`);
  const { end } = JSON.parse(report) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second;
}

export interface ForwardingResult {
  readonly backend: Backend;
  readonly ratio: Ratio;
}

/** Packets a second that a router forwards with the jump to the rules, over without: a packet each, no offload. */
export async function measureForwarding(
  topology: Topology,
  folder: string,
  backend: Backend,
  pairs: number,
): Promise<ForwardingResult> {
  await introduceNobody(topology);
  const file = writeUnmarked(folder, timestampsOption(1, 2));
  const point = benchPoint(topology, { backend, tracks: true });
  await applyPolicy(point, nowSeconds());
  const jump = "FORWARD -p tcp -j TATTLE";
  await topology.run("router", `iptables-${backend} -t mangle -D ${jump}`);
  const rates = await measurePairs(
    pairs,
    async () => {
      await topology.run("router", `iptables-${backend} -t mangle -I ${jump}`);
      const seconds = await replay(topology, file);
      await topology.run("router", `iptables-${backend} -t mangle -D ${jump}`);
      return 1 / seconds;
    },
    async () => 1 / (await replay(topology, file)),
  );
  await removeRules(point);
  return { backend, ratio: ratioOf(rates) };
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
    const file = writeUnmarked(folder, options);
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

function writeUnmarked(folder: string, options: Uint8Array): string {
  const file = join(folder, "unmarked.pcap");
  const tcp = { sourcePort: 1024, destinationPort: 9, flags: "A", options };
  const packet = tcpPacket({ source: addresses.host[4], destination: nobody }, tcp);
  const frame = { octets: ethernetFrame(packet), time: 0n };
  writeFileSync(file, writePcap(Array.from({ length: 1000 }, () => frame)));
  return file;
}

/** Seconds that the packets took; forwarding runs on the sender's time. */
async function replay(topology: Topology, file: string): Promise<number> {
  const said = await topology.run("host", `tcpreplay --topspeed -K --loop=${packets / 1000} -i eth0 ${file}`);
  const [, sent, seconds] = /Actual: (\d+) packets .* sent in ([\d.]+) seconds/.exec(said) ?? [];
  if (Number(sent) !== packets) throw new Error(`tcpreplay sent ${sent ?? "nothing"}: ${said}`);
  return Number(seconds);
}
