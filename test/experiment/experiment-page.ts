/** docs/explanation/experiment.md, from kept results alone: every number in it was written by a command. */
import { formatWatchers } from "../bench/watchers/watchers-bench.ts";
import type { WatchersBench } from "../bench/watchers/watchers-bench.ts";
import type { ExpectedRequests } from "./expected-requests.ts";
import { fullPlan, quickPlan } from "./experiment-plan.ts";
import type { KeptResults } from "./kept-results.ts";
import { formatComparison, formatVariants } from "./result-tables.ts";
import type { RunResult } from "./run-result.ts";

export function formatExperimentPage(kept: KeptResults): string {
  const { full, quick, watchers, expected } = kept;
  return `${[
    "# The paper's experiment, run",
    "<!-- Written by `npm run experiment -- --write` from test/experiment/results. -->",
    introduction(full),
    "## Result",
    formatComparison(full),
    figure(full),
    "## How it is done",
    method(full),
    "## What differs from the paper, and why",
    differences(expected),
    "## With other actions, and with none",
    variantText(quick),
    formatVariants(quick),
    switchedOffText(quick),
    "## What those inside pass on",
    secondaryText(quick, full, expected),
    "## Ways to watch, the paper's Table 4 with numbers",
    watchersText(watchers),
    formatWatchers(watchers),
  ].join("\n\n")}\n`;
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
    "something happened to.",
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

function variantText(quick: readonly RunResult[]): string {
  const { groups, nodesPerGroup, seconds } = quickPlan;
  const meaning = [
    `${groups * nodesPerGroup} nodes, ${seconds} s, seed ${quick[0]?.seed ?? ""} each (\`npm run experiment -- --quick --all\`), so that the same nodes ask for the same things:`,
    "",
    "- Without the agent the files leave: marks alone stop nothing.",
    "- *alter*: connections to nodes beyond the router are opened and last, and every octet that arrives is zero.",
    "- *strip*: the files leave, and nobody beyond the router sees a mark.",
    '- *Handshakes pass*: the rule has `"trust": "established"`, for the reason given below.',
    "- *Switched off*: until then as drop; the columns of requests end there.",
    "",
    "The leaking node ends a search when all is sent. A download is ended by whoever asked, out of patience.",
  ];
  return meaning.join("\n");
}

function switchedOffText(quick: readonly RunResult[]): string {
  const run = quick.find(({ variant }) => variant === "switched-off");
  if (!run?.switchedOff) return "";
  const { at, stoppedAfter, firstBeyond, rulesChanged } = run.switchedOff;
  const first =
    firstBeyond === null ? "none" : `the first after ${((firstBeyond - at) * 1000).toFixed(0)} ms`;
  return [
    `The mark was switched off ${at.toFixed(1)} s after the leak. From then on ${stoppedAfter} of the node's packets were stopped (${first}), and the rules`,
    `${rulesChanged ? "changed" : "did not change"}: a router needs to be told nothing when a host is clean again.`,
  ].join("\n");
}

function secondaryText(
  quick: readonly RunResult[],
  full: RunResult,
  expected: readonly ExpectedRequests[],
): string {
  const run = quick.find(({ variant }) => variant === "secondary");
  const gaps = expected
    .flatMap(({ firstInside, firstBeyond }) =>
      firstInside === null || firstBeyond === null ? [] : [firstBeyond - firstInside],
    )
    .toSorted((left, right) => left - right);
  const median = gaps[Math.floor(gaps.length / 2)] ?? NaN;
  const [shortest = NaN] = gaps;
  const lines = [
    "The paper's 6.1: a node inside that took the files is not marked, and may pass them on. Nothing at the router stops that;",
    "people must be told in time, and know whom the flagged host reached.",
    "",
    notifiedText(full, quick),
    "",
    `**Who took it**: a sensor inside the group, here the capture at the node, shows the first taker ${describe(full.exposed)} after the leak, with the octets it got.`,
    "",
    `**How long until the files leave then?** By the order of requests, ${gaps.length} of ${expected.length} seeds see a secondary leak within ${full.plan.seconds} s: ${median.toFixed(0)} s after the`,
    `first taker in the median, ${shortest.toFixed(0)} s in the worst case, with a search every ${full.plan.searchPace} s by each node that wants the files. No person is that fast, and`,
    "the agent's 30 s of collecting are longer than that. What stops it is a receiver before the takers: an agent [on the hosts inside](../how-to/end-host.md), as the",
    "paper has it, too. What the list of takers gives is whom to look after.",
  ];
  if (run) {
    const first = run.outside[0];
    const left = first
      ? `a node beyond the router had it at ${first.at.toFixed(0)} s, from node ${first.from}`
      : "no node beyond the router took it";
    lines.push(
      "",
      `Measured, small and fast (a search a second, 5 s of collecting): notified at ${describe(run.notified)}, first taker shown at ${describe(run.exposed)}, and ${left}.`,
    );
  }
  return lines.join("\n");
}

/** Packets of handshakes that never completed tell nobody, and a router that drops from the first on sees no others. */
function notifiedText(full: RunResult, quick: readonly RunResult[]): string {
  if (full.notified !== null)
    return `**Telling people**: the agent told the administrator ${describe(full.notified)} after the leak (it collects news for 30 s, its default).`;
  const handshakes = quick.find(({ variant }) => variant === "handshakes");
  const lines = [
    "**Telling people**: in the full run the agent told nobody by itself. It drops from the first packet on, so that no connection across the",
    "router is established any more, and packets of connections in which the other side never spoke could be [anybody's forgery](trust-and-forgery.md), which never",
    "notifies. The events are in the database and on the dashboard at once.",
  ];
  if (handshakes)
    lines.push(
      `A rule with \`"trust": "established"\` lets handshakes pass and stops all that carries data: run small, ${handshakes.border.stopped} packets were stopped, ${handshakes.border.markedBeyond}`,
      `passed, ${handshakes.askedFromBeyond.octets} octets reached anybody beyond the router, and the administrator was told ${describe(handshakes.notified)} after the leak (5 s of collecting).`,
    );
  return lines.join("\n");
}

function describe(seconds: number | null): string {
  return seconds === null ? "(never)" : `${seconds.toFixed(0)} s`;
}

function watchersText({ loadBefore, results }: WatchersBench): string {
  const [pairs] = results.map(({ ratio }) => ratio.pairs);
  return [
    "`npm run bench watchers`: one unmarked connection through a router, a packet each (no segmentation offload), watched in one way or in none,",
    `${pairs ?? 0} pairs each, with 95 % intervals. Processor time is that of both ends, the router's work and the watcher. Then 200 marked packets, and 200`,
    "with TCP Fast Open's experimental option, which has a mark's kind and is none.",
    "",
    `The machine was busy: load ${loadBefore.toFixed(1)} on two processors before. Who gets a processor then decides the throughput, and processor time tells more.`,
    "",
    "libpcap sees copies and stops nothing. NFQUEUE sends every packet to user space and back, which is what it costs. iptables' own",
    "match is cheap and drops foreign options of that kind. Ours stays in the kernel and applies the [strict rule](../reference/mark.md).",
  ].join("\n");
}
