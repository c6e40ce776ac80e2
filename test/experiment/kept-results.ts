/**
 * The results that docs/explanation/experiment.md is made of: small JSON files beside this one, as the command wrote them,
 * so that the page can be made again without running anything.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { WatchersBench } from "../bench/watchers/watchers-bench.ts";
import type { ExpectedRequests } from "./expected-requests.ts";
import { variants } from "./run-result.ts";
import type { RunResult, Variant } from "./run-result.ts";

const folder = new URL("results/", import.meta.url);

export interface KeptResults {
  /** The paper's own, of `runs`. */
  readonly drop: RunResult;
  /** In the order of variants, all of the full plan. */
  readonly runs: readonly RunResult[];
  readonly watchers: WatchersBench;
  /** Of the full plan. */
  readonly expected: readonly ExpectedRequests[];
}

export function keep(name: string, result: unknown): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`);
}

/** Of the full plan. */
export function keepRun(result: RunResult): void {
  keep(`full-${result.variant}`, result);
}

/** @throws Error if a file is missing */
export function readKept(): KeptResults {
  return {
    drop: read<RunResult>("full-drop"),
    runs: variants.filter((variant) => has(variant)).map((variant) => read<RunResult>(`full-${variant}`)),
    watchers: read<WatchersBench>("watchers"),
    expected: read<readonly ExpectedRequests[]>("expected"),
  };
}

function has(variant: Variant): boolean {
  return existsSync(new URL(`full-${variant}.json`, folder));
}

function read<Result>(name: string): Result {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Result;
}
