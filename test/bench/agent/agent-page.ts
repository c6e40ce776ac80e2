/** The results of `npm run bench agent` as a page: targets first, then what was measured. */
import { cpus, release, totalmem } from "node:os";
import type { AgentBench } from "./agent-bench.ts";
import type { Ratio } from "./ratio.ts";

interface Row {
  readonly what: string;
  readonly found: string;
  readonly target: string;
  /** Undecided: the interval of a ratio holds the target. */
  readonly isMet: boolean | "undecided" | undefined;
}

const mebioctet = 2 ** 20;
const memoryLimit = 120 * mebioctet;

/** The tables, in Markdown. */
export function formatAgentResults(bench: AgentBench): string {
  const rows = [
    ...throughputRows(bench),
    ...markedRows(bench),
    ...bench.floods.flatMap((flood) => floodRows(flood)),
  ];
  const lines = rows.map(({ what, found, target, isMet }) => {
    return `| ${what} | ${found} | ${target} | ${describeMet(isMet)} |`;
  });
  return [
    "| | Measured | Target | |",
    "| --- | ---: | ---: | --- |",
    ...lines,
    "",
    "| In the kernel | Nanoseconds |",
    "| --- | ---: |",
    ...bench.firstLook.map(
      ({ what, backend, perPacket }) => `| First look at ${what}, ${backend} | ${perPacket.toFixed(0)} |`,
    ),
    ...bench.altering.map(
      ({ where, program, perPacket }) =>
        `| Zeroing a payload of up to 64 KB at ${where} (\`${program}\`) | ${perPacket.toFixed(0)} |`,
    ),
  ].join("\n");
}

function throughputRows({ throughput, forwarding, altering }: AgentBench): Row[] {
  return [
    ...throughput.map(({ what, ratio }) =>
      ratioRow(`One unmarked connection with the rules, over without: ${what}`, ratio),
    ),
    ...forwarding.map(({ backend, ratio }) =>
      ratioRow(`Unmarked packets without segmentation offload, forwarded: ${backend}`, ratio),
    ),
    ...altering.map(({ where, ratio }) => ({
      what: `Throughput of a marked connection altered at ${where}, over accepted`,
      found: formatRatio(ratio),
      target: "",
      isMet: undefined,
    })),
  ];
}

function describeMet(isMet: Row["isMet"]): string {
  if (isMet === undefined || isMet === "undecided") return isMet ?? "";
  return isMet ? "met" : "**missed**";
}

const leastThroughput = 0.97;

function ratioRow(what: string, ratio: Ratio): Row {
  const isDecided = ratio.low >= leastThroughput || ratio.high < leastThroughput;
  return {
    what,
    found: formatRatio(ratio),
    target: `${leastThroughput} or more`,
    isMet: isDecided ? ratio.ratio >= leastThroughput : "undecided",
  };
}

function markedRows({ first, latency }: AgentBench): Row[] {
  return [
    {
      what: `Marked packets that passed, of the first ${first.sent} after the rules came, a connection each`,
      found: String(first.passed),
      target: "0",
      isMet: first.passed === 0 && first.counted === first.sent,
    },
    {
      what: `Marked packet to its event in the database of the dashboard, ${latency.perSecond} a second, ${latency.packets} packets`,
      found: `median ${latency.median.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`,
      target: "p99 250 ms or less",
      isMet: latency.p99 <= 250,
    },
    {
      what: "The same: events, and packets told as gaps",
      found: `${latency.told.events} and ${latency.told.gapPackets} of ${latency.sent}`,
      target: "all events",
      isMet: latency.told.events === latency.sent,
    },
    memoryRow("The same: memory of the agent at most", latency.peakMemory),
  ];
}

function floodRows(flood: AgentBench["floods"][number]): Row[] {
  const { told, sent, counted, perSecond, sampling } = flood;
  const what = `Flood of ${Math.round(perSecond / 1000)},000 marked packets a second from 200 hosts, sampling ${sampling}`;
  const sum = told.events + told.gapPackets;
  return [
    {
      what: `${what}: events + packets told as gaps`,
      found: `${told.events} + ${told.gapPackets} of ${sent}`,
      target: "all, none twice",
      isMet: sum === sent && counted === sent && told.duplicates === 0,
    },
    memoryRow("The same: memory of the agent at most", flood.peakMemory),
  ];
}

function memoryRow(what: string, octets: number): Row {
  return {
    what,
    found: `${(octets / mebioctet).toFixed(0)} MiB`,
    target: "120 MiB or less",
    isMet: octets <= memoryLimit,
  };
}

function formatRatio({ ratio, low, high, pairs }: Ratio): string {
  return `${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}, ${pairs} pairs)`;
}

const reasonsHeading = "## What it means";

/** The page; what people wrote below the tables stays. */
export function formatAgentPage(bench: AgentBench, written: string): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return `# Performance of the live agent

<!-- Down to "What it means" written by \`npm run bench agent -- --write\`. -->

Network namespaces on one machine: host, router with the rules, outside; virtual Ethernet between them. A ratio is the geometric
mean of pairs measured one after the other, each second pair the other way round, with its 95 % interval.

Machine: ${cpus().length} x ${processor}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, load ${bench.loadBefore.toFixed(1)} before the run. Node ${process.versions.node}.

${formatAgentResults(bench)}

${written.slice(written.indexOf(reasonsHeading))}`;
}
