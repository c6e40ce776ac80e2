/**
 * `npm run experiment`: the paper's experiment in network namespaces; needs root.
 *
 *     npm run experiment -- [--quick] [--all | --variant NAME] [--seed NUMBER] [--output FOLDER] [--write]
 *
 * --write keeps the results of full runs beside this file and renews docs/explanation/experiment.md and its pictures;
 * --page does that from what is kept and, for the picture, from the output of the last full run.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildCommand } from "../support/build-command.ts";
import { drawFigure } from "./draw-figure.ts";
import { expectRequests } from "./expected-requests.ts";
import { formatExperimentPage } from "./experiment-page.ts";
import { fullPlan, quickPlan } from "./experiment-plan.ts";
import { keep, keepRun, readKept } from "./kept-results.ts";
import { nodePrograms, runExperiment } from "./run-experiment.ts";
import { variants } from "./run-result.ts";
import type { Variant } from "./run-result.ts";
import { formatComparison, formatCourses, formatVariants } from "./result-tables.ts";
import { whyNoExperiment } from "./why-no-experiment.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    variant: { type: "string", default: "drop" },
    seed: { type: "string", default: "2" },
    output: { type: "string", default: "experiment-output" },
    write: { type: "boolean", default: false },
    page: { type: "boolean", default: false },
  },
});

const stopping = new AbortController();
// Not once: a second Ctrl-C must not end it before all is removed. Run without the wrapper `tsx`, which kills what does not
// answer a signal within 60 ms.
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    stopping.abort(`ended by ${name}`);
  });

const size = values.quick ? "quick" : "full";

async function main(): Promise<void> {
  if (values.page) {
    await writePage();
    return;
  }
  const reason = whyNoExperiment();
  if (reason !== undefined) throw new Error(`not run: ${reason}`);
  const chosen = variants.filter((variant) => values.all || variant === values.variant);
  if (values.write && values.quick)
    throw new Error("--write: the page tells of full runs; leave out --quick");
  if (chosen.length === 0) throw new Error(`--variant: one of ${variants.join(", ")}`);
  const build = buildCommand(nodePrograms);
  const tell = (line: string): void => {
    process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
  };
  try {
    const results = [];
    for (const variant of chosen) {
      const result = await runOne(variant, build, stopping.signal, tell);
      results.push(result);
      // At once: a later run that fails must not take an hour's results with it.
      if (values.write) keepRun(result);
    }
    const [first] = results;
    if (first?.variant === "drop") process.stdout.write(`${formatComparison(first)}\n`);
    process.stdout.write(`${formatVariants(results)}\n\n${formatCourses(results)}\n`);
    if (values.write) await writePage();
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

async function runOne(
  variant: Variant,
  build: string,
  signal: AbortSignal,
  tell: (line: string) => void,
): ReturnType<typeof runExperiment> {
  const plan = values.quick ? quickPlan : fullPlan;
  const output = join(values.output, `${size}-${variant}`);
  rmSync(output, { recursive: true, force: true });
  return runExperiment({ plan, seed: Number(values.seed), variant, output, build, signal, tell });
}

/** Seeds for which is said what is to be expected. */
const seeds = 40;

async function writePage(): Promise<void> {
  keep(
    "expected",
    Array.from({ length: seeds }, (_, index) => expectRequests(fullPlan, index + 1)),
  );
  const kept = readKept();
  writeFileSync(new URL("../../docs/explanation/experiment.md", import.meta.url), formatExperimentPage(kept));
  const database = join(values.output, "full-drop", "evidence.duckdb");
  if (existsSync(database)) await drawFigure(kept.drop, database);
}

try {
  await main();
} catch (error) {
  const { aborted, reason } = stopping.signal;
  process.stderr.write(`${String(aborted ? reason : error)}\n`);
  process.exitCode = 1;
}
