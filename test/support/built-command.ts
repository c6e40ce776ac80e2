/** The built command, as users run it: for test files that call `useBuiltCommand` at their top. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { buildCommand, repositoryRoot } from "./build-command.ts";

let build = "";

export interface CommandResult {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CommandSettings {
  readonly input?: Uint8Array | string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Builds before the tests of a file, and cleans up after them. */
export function useBuiltCommand(): void {
  beforeAll(() => {
    build = buildCommand();
  }, 120_000);
  afterAll(() => rmSync(build, { recursive: true, force: true }));
}

/** Where the build lies, once tests run. */
export function buildFolder(): string {
  return build;
}

/** Runs `tattle ARGS` to its end; without input, standard input is empty. */
export async function tattle(
  args: readonly string[],
  settings: CommandSettings = {},
): Promise<CommandResult> {
  const child = startTattle(args, settings);
  child.stdin.end(settings.input ?? "");
  return resultOf(child);
}

/** Starts `tattle ARGS` and leaves its streams to the test. */
export function startTattle(
  args: readonly string[],
  settings: CommandSettings = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [join(build, "cli", "main.js"), ...args], {
    cwd: settings.cwd ?? repositoryRoot,
    env: { ...process.env, ...settings.env },
  });
  // A command that refuses its arguments does not read its input.
  child.stdin.on("error", () => undefined);
  return child;
}

/** What a started command printed and how it ended. */
export async function resultOf(child: ChildProcessWithoutNullStreams): Promise<CommandResult> {
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  return { exitCode, out, err };
}
