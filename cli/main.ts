#!/usr/bin/env node
/** The process around tattle: its streams, its signals, and the one place that turns an error into an exit code. */
import { once } from "node:events";
import { exitCodes } from "./cli-error.ts";
import { describeFailure } from "./describe-failure.ts";
import { runTattle } from "./run-tattle.ts";
import type { Shell } from "./shell.ts";

const interruption = new AbortController();
const args = process.argv.slice(2);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // The second one is from somebody whose patience is over.
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort();
  });
}

for (const stream of [process.stdout, process.stderr]) {
  // The reader has gone (`tattle rank | head`): nobody is left to tell.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? exitCodes.done : exitCodes.ourFault);
  });
}

const shell: Shell = {
  out: (text) => process.stdout.write(text),
  write: async (octets) => {
    if (!process.stdout.write(octets)) await once(process.stdout, "drain", { signal: interruption.signal });
  },
  err: (text) => process.stderr.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  colour: process.stdout.isTTY && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb",
  watched: process.stderr.isTTY,
  stdin: process.stdin,
  env: process.env,
  platform: process.platform,
  now: () => Date.now() / 1000,
  signal: interruption.signal,
};

try {
  process.exitCode = await runTattle(args, shell);
} catch (error) {
  const failure = describeFailure(error, { interrupted: interruption.signal.aborted });
  if (args.includes("--debug") && error instanceof Error) shell.err(`${error.stack ?? ""}\n`);
  if (failure.line !== "") shell.err(`tattle: ${failure.line}\n`);
  process.exitCode = failure.exitCode;
}
