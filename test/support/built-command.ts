/** The built command, as users run it. Tests of it build first if a source is newer than the build. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));
const main = join(repositoryRoot, "dist", "cli", "main.js");
const sources = ["wire", "policy", "capture", "dissector", "analytics", "live-agent", "dashboard", "cli"];
const buildDeadlineMs = 120_000;

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
  const child = spawn(process.execPath, [main, ...args], {
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

/** Builds dist/ unless it is newer than every source. Test files run side by side, so one builds and the others wait. */
export async function ensureBuilt(): Promise<void> {
  const lock = join(repositoryRoot, "node_modules", ".tattle-build-lock");
  const deadline = Date.now() + buildDeadlineMs;
  while (!tryLock(lock)) {
    if (Date.now() > deadline) throw new Error(`${lock} is in the way; remove it if no test is running`);
    await delay(100);
  }
  try {
    if (isCurrent()) return;
    const build = spawnSync(process.execPath, ["build.mjs"], { cwd: repositoryRoot, encoding: "utf8" });
    if (build.status !== 0) throw new Error(`build.mjs: ${build.stdout}${build.stderr}`);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

function isCurrent(): boolean {
  const built = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.every((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .every((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs <= built),
  );
}
