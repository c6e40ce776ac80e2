/** Runs the programs that speak to the kernel: without a shell, for a bounded time. */
import { spawn } from "node:child_process";
import { KernelError } from "./kernel-error.ts";

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with `input` on its standard input. A test puts it into a network namespace. */
export type RunCommand = (
  command: string,
  commandArguments: readonly string[],
  input?: string,
) => Promise<CommandResult>;

const longestRunMs = 30_000;
/** Far more than any rule set prints. */
const mostOutput = 64 * 1024 * 1024;

/**
 * What the program printed, whatever its status.
 * @throws KernelError if it cannot be started, or was ended before it was done
 */
export const runCommand: RunCommand = (command, commandArguments, input = "") =>
  new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, { stdio: "pipe", timeout: longestRunMs });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    let octets = 0;
    const collect = (into: Buffer[], chunk: Buffer): void => {
      octets += chunk.length;
      if (octets <= mostOutput) into.push(chunk);
      else child.kill("SIGKILL");
    };
    child.stdout.on("data", (chunk: Buffer) => {
      collect(stdout, chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      collect(stderr, chunk);
    });
    // The program may end before it has read all; what it says then is in its status.
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => {
      reject(new KernelError(`cannot run ${command}`, error.message));
    });
    child.on("close", (status, signal) => {
      const errors = Buffer.concat(stderr).toString("utf8");
      if (status === null) reject(new KernelError(`${command} was ended by ${signal ?? "a signal"}`, errors));
      else resolve({ status, stdout: Buffer.concat(stdout).toString("utf8"), stderr: errors });
    });
    child.stdin.end(input);
  });
