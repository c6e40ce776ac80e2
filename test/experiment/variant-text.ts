/** What docs/explanation/experiment.md says about the runs with other actions, and about those who pass the files on. */
import type { ExpectedRequests } from "./expected-requests.ts";
import { collectingSeconds, fullPlan } from "./experiment-plan.ts";
import type { RunResult, Variant } from "./run-result.ts";

export function variantText(runs: readonly RunResult[]): string {
  const { groups, nodesPerGroup, seconds } = fullPlan;
  return [
    `${groups * nodesPerGroup} nodes, ${seconds} s, seed ${runs[0]?.seed ?? ""} each (\`npm run experiment -- --all\`), so that the same nodes ask for the same things at the same times:`,
    "",
    "- Without the agent the files leave: marks alone stop nothing.",
    "- *alter*: connections to nodes beyond the router are opened and last, and every octet that arrives is zero.",
    "- *strip*: the files leave, and nobody beyond the router sees a mark.",
    '- *Handshakes pass*: the rule has `"trust": "established"`, for the reason given below.',
    "- *Switched off*: until then as drop; the columns of requests end there.",
    "",
    "The leaking node ends a search when all is sent. A download is ended by whoever asked, out of patience.",
  ].join("\n");
}

/** Which load the runs were to one another: what takes processor time takes longer then. */
export function courseText(runs: readonly RunResult[]): string {
  const spans = runs.map(({ leakedAt, plan }) => [leakedAt - plan.buildUp, leakedAt + plan.seconds] as const);
  const most = Math.max(...spans.map(([at]) => spans.filter(([from, to]) => from <= at && at < to).length));
  return [
    `How each run went. ${most === 1 ? "They came one after the other" : `Up to ${most} of them ran at a time`}, on two processors that had other work, too. Load makes nodes ready later and \`tattle mark add\``,
    "slower; who asks whom and when does not depend on it. Requests that were not accepted are those whose packets were stopped.",
    'The captures see headers: they tell what was stopped and where a mark was taken out, not that content became zeros ("–").',
  ].join("\n");
}

export function switchedOffText(runs: readonly RunResult[]): string {
  const run = find(runs, "switched-off");
  if (!run?.switchedOff) return "";
  const { at, stoppedAfter, firstBeyond, rulesChanged } = run.switchedOff;
  const first =
    firstBeyond === null ? "none came" : `the first came ${(firstBeyond - at).toFixed(1)} s later`;
  return [
    `The mark was switched off ${at.toFixed(1)} s after the leak. From then on ${stoppedAfter} of the node's packets were stopped, all others passed (${first}), and`,
    `the rules ${rulesChanged ? "changed" : "did not change"}: a router needs to be told nothing when a host is clean again.`,
  ].join("\n");
}

export function secondaryText(
  runs: readonly RunResult[],
  drop: RunResult,
  expected: readonly ExpectedRequests[],
): string {
  return [
    "The paper's 6.1: a node inside that took the files is not marked, and may pass them on. Nothing at the router stops that;",
    "people must be told in time, and know whom the flagged host reached.",
    "",
    notifiedText(drop, runs),
    "",
    `**Who took it**: a sensor inside the group, here the capture at the node, shows the first taker ${describe(drop.exposed)} after the leak, with the octets it got.`,
    "",
    ...measuredText(find(runs, "secondary")),
    ...timeLeftText(expected),
    "",
    "What an operator can set:",
    "",
    "- `notify.grouping.waitSeconds` of the [agent](../reference/agent.md), 0 to 3600: with 0 the first message of a host and category goes out at once. It then tells of",
    "  the first packet alone; what follows waits for `intervalSeconds`.",
    '- `"trust": "established"` in the rule, or [marks with a tag](../reference/authenticated-mark.md) that the router can check: without either, dropping from the first packet on tells nobody.',
    "- A receiver before the takers: an agent [on the hosts inside](../how-to/end-host.md), as the paper has it, too. That needs nobody's time.",
  ].join("\n");
}

/** Packets of handshakes that never completed tell nobody, and a router that drops from the first on sees no others. */
function notifiedText(drop: RunResult, runs: readonly RunResult[]): string {
  const collecting = collectingSeconds(drop.plan);
  if (drop.notified !== null)
    return [
      `**Telling people**: the agent told the administrator ${describe(drop.notified)} after the leak (it collects news for ${collecting} s, its default), because a connection that`,
      "was open when the mark came is one that both sides speak in. Packets of connections in which the other side never spoke could be",
      "[anybody's forgery](trust-and-forgery.md), which never notifies.",
    ].join("\n");
  const lines = [
    "**Telling people**: in the paper's run the agent told nobody by itself. It drops from the first packet on, so that no connection across the",
    "router is established any more, and packets of connections in which the other side never spoke could be [anybody's forgery](trust-and-forgery.md), which never",
    "notifies. The events are in the database and on the dashboard at once.",
  ];
  const handshakes = find(runs, "handshakes");
  if (handshakes)
    lines.push(
      `A rule with \`"trust": "established"\` lets handshakes pass and stops all that carries data: ${handshakes.border.stopped} packets were stopped, ${handshakes.border.markedBeyond}`,
      `passed, ${handshakes.askedFromBeyond.octets} octets reached anybody beyond the router, and the administrator was told ${describe(handshakes.notified)} after the leak (${collecting} s of collecting, the default).`,
    );
  return lines.join("\n");
}

function measuredText(run: RunResult | undefined): string[] {
  if (!run) return [];
  const [taker] = run.inside;
  const [beyond] = run.outside;
  const taken = taker
    ? `node ${taker.node} inside had the files at ${describe(taker.at)}, and the sensor showed it at ${describe(run.exposed)}`
    : "nobody inside took the files";
  const left = beyond
    ? `The first beyond the router, node ${beyond.node}, had them at ${describe(beyond.at)}, from node ${beyond.from}; ${run.outside.length} nodes there at the end`
    : "Nobody beyond the router got them";
  const told = run.notified === null ? "was not told" : `was told at ${describe(run.notified)}`;
  return [`**Measured**: ${taken}. ${left}. The administrator ${told}.`, ""];
}

/** What the order of requests says about how long people have, and what waiting costs of it. */
function timeLeftText(expected: readonly ExpectedRequests[]): string[] {
  const spread = expected.flatMap(({ firstInside, firstBeyond }) =>
    firstInside === null || firstBeyond === null ? [] : [{ firstInside, firstBeyond }],
  );
  const collecting = collectingSeconds(fullPlan);
  const gaps = spread.map(({ firstInside, firstBeyond }) => firstBeyond - firstInside);
  const shorter = gaps.filter((gap) => gap < collecting).length;
  const afterLeak = spread.map(({ firstBeyond }) => firstBeyond);
  const inTime = afterLeak.filter((at) => at > collecting).length;
  return [
    `**How long people have**: by the order of requests alone, ${spread.length} of ${expected.length} seeds see a secondary leak within ${fullPlan.seconds} s: ${median(gaps).toFixed(0)} s after the first taker in`,
    `the median, ${Math.min(...gaps).toFixed(0)} s in the worst case, with a search every ${fullPlan.searchPace} s by each node that wants the files. **The median is shorter than the ${collecting} s for which the`,
    `agent collects notices by default**, and so are ${shorter} of the ${spread.length}: a notice that began with the taker would come after the leak then, and leave people ${(Math.max(...gaps) - collecting).toFixed(0)} s`,
    `at most in the others. A notice that begins with the mark has more time: the files leave ${median(afterLeak).toFixed(0)} s after the first leak in the median, and ${collecting} s of`,
    `collecting are over before that in ${inTime === spread.length ? "all" : inTime} of the ${spread.length}. What the list of takers gives is whom to look after.`,
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function find(runs: readonly RunResult[], variant: Variant): RunResult | undefined {
  return runs.find((run) => run.variant === variant);
}

function describe(seconds: number | null): string {
  return seconds === null ? "(never)" : `${seconds.toFixed(0)} s`;
}
