/** The evaluation of the ranking as a page: several kinds of network, the lists side by side, and what was assumed. */
import type { CodeBook } from "../../wire/code-book.ts";
import { horizonHours, judgeRankings, ourName } from "./evaluate.ts";
import type { Judgement } from "./evaluate.ts";
import { usualWorld } from "./world.ts";
import type { World } from "./world.ts";

/** How many times the best of the others ours should be. */
const target = 1.25;

/** The usual network, and others in which one assumption does not hold. */
const worlds: readonly (readonly [name: string, world: World])[] = [
  ["the usual network", usualWorld],
  ["harm is a steady stream, never silent", { ...usualWorld, silentHours: 0 }],
  ["no detection is a false alarm", { ...usualWorld, falseAlarms: 0 }],
  ["nobody stops traffic", { ...usualWorld, contained: 0 }],
  ["hosts are cleaned within hours", { ...usualWorld, hoursToClean: 6 }],
  ["sensors see a third of the flows", { ...usualWorld, seen: 0.33 }],
];

export interface Evaluation {
  readonly seeds: number;
  readonly results: readonly { readonly name: string; readonly judgements: readonly Judgement[] }[];
}

export async function evaluateRanking(
  book: CodeBook,
  seeds: number,
  tell: (line: string) => void,
): Promise<Evaluation> {
  const numbers = Array.from({ length: seeds }, (_, index) => index + 1);
  const results = [];
  for (const [name, world] of worlds) {
    tell(`${name}: ${seeds} simulated networks`);
    results.push({ name, judgements: await judgeRankings(world, book, numbers) });
  }
  return { seeds, results };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Ours over the best of the others, by their means. */
export function ratio(judgements: readonly Judgement[], horizon: number): number {
  const means = judgements.map(({ name, values }) => ({ name, value: mean(values[horizon] ?? []) }));
  const ours = means.find(({ name }) => name === ourName)?.value ?? 0;
  return ours / Math.max(...means.filter(({ name }) => name !== ourName).map(({ value }) => value));
}

/** A Markdown table a network. */
export function formatEvaluation({ results }: Evaluation): string {
  return results
    .map(({ name, judgements }) =>
      [
        `### ${name[0]?.toUpperCase() ?? ""}${name.slice(1)}`,
        "",
        `| Order | ${horizonHours.map((hours) => `${hours} h ahead`).join(" | ")} |`,
        `| --- | ${horizonHours.map(() => "---:").join(" | ")} |`,
        ...judgements.map(
          (judgement) =>
            `| ${judgement.name} | ${judgement.values.map((values) => mean(values).toFixed(3)).join(" | ")} |`,
        ),
        `| **ours over the best of the others** | ${horizonHours.map((_, index) => verdict(ratio(judgements, index))).join(" | ")} |`,
        "",
      ].join("\n"),
    )
    .join("\n");
}

function verdict(value: number): string {
  return `${value.toFixed(2)} ×${value >= target ? "" : ` (target ${target} missed)`}`;
}

export function formatEvaluationPage(evaluation: Evaluation): string {
  return `# How well the ranking ranks

Made by \`npm run bench ranking-quality -- --write\`; the tables are its output, whatever they say.

There is no public data of hosts that mark their packets, so this is a simulation: a sanity check, not field evidence. Each
network has ${usualWorld.hosts} hosts over ${usualWorld.hours} hours, and is looked at five times. A list is worth what its first ten hosts go on to do within
one hour, and within eight: the harmful flows that get through, in points of severity (Elastic's 21, 47, 73 and 99) times the
weight of the asset, discounted by place and divided by the best possible list (NDCG@10; means over ${evaluation.seeds} networks of each
kind). Our list comes from the database, through the SQL that \`tattle rank\` uses; the others are computed from the same
marked flows. What hosts do that nobody has flagged counts for no list.

## What is assumed

- A host has ${usualWorld.incidentsPerDay} incidents a day on average, of any activity in the code book; ${usualWorld.falseAlarms * 100} % of detections are false alarms, which mark the
  host and harm nobody. A detection comes an hour after the beginning, on average.
- An incident does harm by ${usualWorld.harmfulFlows} flows an hour (median; they spread over orders of magnitude, whatever the severity), in
  stretches of ${usualWorld.activeHours} hours with ${usualWorld.silentHours} hours of silence between, on average, until the host is cleaned (mean ${usualWorld.hoursToClean} hours).
- Harmless traffic goes on all the while, and is marked too: nobody but the simulation can tell the two apart.
- Of ${usualWorld.contained * 100} % of the detections an operator stops the host's traffic, ${usualWorld.hoursToContain} hours later on average; 5 % still gets through.
- Sensors see ${usualWorld.seen * 100} % of the flows; nine in ten are answered. No mark is authenticated.

These were written down before the first run and not changed after it, and the weights of the ranking are not fitted to them.
Two things changed after the first runs, for all lists alike: hosts that nobody flagged no longer count, and the sum over the last
hour is shown both as ntopng computes it and with the asset's weight. Where an assumption is dropped, the tables say what is left.

## Results

${formatEvaluation(evaluation)}
## Reading it

- The strongest of the others is the sum over the last hour, with the asset's weight. It is the measure itself, severity times
  weight times flows, taken an hour earlier; only what changes since then is left to gain. Sums of detections over a day or a
  month tell who was bad, not who goes on.
- What our order adds is mostly containment: a host whose flows are stopped still has many marked ones. Where nobody stops
  traffic there is nothing to add, and flows, which we count by their logarithm so that one busy host does not hide the others,
  are better counted plainly.
- No order can know which of two hosts with the same marks and as many flows is the false alarm.
`;
}
