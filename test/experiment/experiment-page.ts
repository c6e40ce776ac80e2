/** docs/explanation/experiment.md, from kept results alone: every number in it was written by a command. */
import { formatWatchers } from "../bench/watchers/watchers-bench.ts";
import type { WatchersBench } from "../bench/watchers/watchers-bench.ts";
import type { ExpectedRequests } from "./expected-requests.ts";
import { fullPlan } from "./experiment-plan.ts";
import type { KeptResults } from "./kept-results.ts";
import { formatComparison, formatCourses, formatVariants } from "./result-tables.ts";
import type { RunResult } from "./run-result.ts";
import { courseText, secondaryText, switchedOffText, variantText } from "./variant-text.ts";

export function formatExperimentPage(kept: KeptResults): string {
  const { drop, runs, watchers, expected } = kept;
  return `${[
    "# The paper's experiment, run",
    "<!-- Written by `npm run experiment -- --write` from test/experiment/results. -->",
    introduction(drop),
    "## Result",
    formatComparison(drop),
    figure(drop),
    "## How it is done",
    method(drop),
    "## What differs from the paper, and why",
    differences(expected),
    "## With other actions, and with none",
    variantText(runs),
    formatVariants(runs),
    switchedOffText(runs),
    courseText(runs),
    formatCourses(runs),
    "## What those inside pass on",
    secondaryText(runs, drop, expected),
    "## Ways to watch, the paper's Table 4 with numbers",
    watchersText(watchers),
    formatWatchers(watchers),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function introduction({ plan, seed }: RunResult): string {
  const nodes = plan.groups * plan.nodesPerGroup;
  return [
    `Section 5 of the [paper](why-mark-packets.md) on one machine, in network namespaces: ${nodes} nodes in ${plan.groups} groups share files, node ${plan.leakNode}`,
    `leaks, is detected and marked, and the router of its group drops what is marked. Everything that decides is the real thing:`,
    "`tattle mark add`, `tattle agent run` with a policy of one rule, `tattle serve`, real TCP through a real kernel.",
    `This run: seed ${seed}, ${plan.seconds} s from the leak on.`,
  ].join("\n");
}

function figure({ plan }: RunResult): string {
  return [
    "![Hosts over time since the leak: a circle at the detection, triangles where packets were stopped, squares where the leaked files were taken](../pictures/experiment.svg)",
    "",
    `The paper's Figure 6, drawn by \`tattle network\` from the run's own database. Circle: detection, and marking on. Triangles: packets of`,
    `node ${plan.leakNode} that the router dropped, at the row of the other side. Squares: flows that brought more octets than any ordinary`,
    "download does, that is the leaked files. The band: nodes behind the router. As in the paper, triangles begin at once, go on",
    "evenly, and stand outside the band only; squares stand inside it only. The paper's has a row for each of 240 nodes, this one for those that",
    `something happened to. It ends at ${plan.seconds} s: packets that were stopped while the run was being ended are in the table, and not drawn.`,
  ].join("\n");
}

function method({ plan, setUp, memory, requests, accepted, marking }: RunResult): string {
  const gigabytes = (memory / 1e9).toFixed(1);
  return [
    `- **Network**: a namespace for each node, router and the core, all routed, no address translation. Node N of group G has 10.G.0.N. Set up in ${Math.round(setUp)} s; all nodes together take ${gigabytes} GB.`,
    `- **File sharing**: one small program a node asks a random other for an ordinary file every ${plan.pace} s on average, over a TCP connection of its own, loses patience before the file is whole, and goes on for ever. Every sixth node also searches a random other for the leaked files every ${plan.searchPace} s. The seed decides all of it beforehand. Here ${requests} requests, ${accepted} of them accepted.`,
    "- **Leak**: a stand-in for the worm copies three dummy files into a new upload folder. It does nothing else.",
    `- **Detection**: a detector watches the upload folder (inotify) and runs \`tattle mark add leak/sharing-folder\` for the control group (cgroup) of that node. It saw the folder after ${marking.found.toFixed(2)} s.`,
    "- **Router**: policy `category leak: drop`. Its agent sends an event for each packet to `tattle serve`.",
    "- **Captures** on both sides of the router and at the node. A packet is stopped if it is in the one and not in the other. A communication is a connection attempt (5-tuple and initial sequence number) of which at least one packet was stopped. Packets are counted as the kernel has them: up to 64 KB with segmentation offload.",
    "- At the end the node's link goes down, so that all counts end with the same packet.",
  ].join("\n");
}

function differences(expected: readonly ExpectedRequests[]): string {
  const { crossing, inside } = rangesOf(expected);
  return [
    `- **The pace** is ours: the paper does not say how often Winny asks. ${fullPlan.pace} s and ${fullPlan.searchPace} s are chosen so that about 88 requests between the leaking node and nodes beyond the router are to be expected in 600 s. By the order of requests alone it is ${crossing} for ${expected.length} seeds. So the number of communications cut shows that all of them are cut, not how lively Winny was.`,
    `- **The seed** is chosen, too: for ${expected.length} seeds ${inside} nodes inside ask for the leaked files in time, and a run in which none does shows less.`,
    "- **Who wants the files**: every sixth node. The paper's 40 of 240 are a sixth, and the two that took them, 42 and 48, are such nodes.",
    "- **Time of the mark**: the paper counts from the detection. Here zero is the first copied file, and the mark comes later by what is shown. Until then the leaked files can leave, and connections that are open then are marked from their next packet on.",
    "- **`tattle mark add` takes longer than the mark**: new connections are marked first; then it looks for open ones in each namespace of the machine, of which there are hundreds here.",
    "- **Virtual links** have no loss and no delay to speak of, and one kernel plays all machines.",
    "- **Interrupted downloads** are not resumed elsewhere, and keywords are not spread from node to node, as Winny does.",
  ].join("\n");
}

function rangesOf(expected: readonly ExpectedRequests[]): { crossing: string; inside: string } {
  const range = (values: readonly number[]): string => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${Math.min(...values)} to ${Math.max(...values)} (mean ${mean.toFixed(1)})`;
  };
  return {
    crossing: range(expected.map((one) => one.crossing)),
    inside: range(expected.map((one) => one.inside)),
  };
}

function watchersText({ loadBefore, results }: WatchersBench): string {
  const [pairs] = results.map(({ ratio }) => ratio.pairs);
  return [
    "`npm run bench watchers`: one unmarked connection through a router, a packet each (no segmentation offload), watched in one way or in none,",
    `${pairs ?? 0} pairs each, with 95 % intervals. Processor time is that of both ends, the router's work and the watcher. Then 200 marked packets, and 200`,
    "with TCP Fast Open's experimental option, which has a mark's kind and is none.",
    "",
    `Sender, router and receiver share two processors (load ${loadBefore.toFixed(1)} before). Whoever takes work to an idle one may even raise the`,
    "throughput, so processor time tells more.",
    "",
    "libpcap sees copies and stops nothing. NFQUEUE sends every packet to user space and back, which is what it costs. iptables' own",
    "match is cheap and drops foreign options of that kind. Ours stays in the kernel and applies the [strict rule](../reference/mark.md).",
  ].join("\n");
}
