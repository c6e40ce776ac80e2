/** Runs a program without a shell: its arguments are what they are, and nothing in a notice can become a command. */
import { spawn } from "node:child_process";
import { withDeadline } from "../events/with-deadline.ts";
import { DeliveryError } from "./channel.ts";

/**
 * Runs it with `input` on its standard input; resolves when it ends with 0.
 * @throws DeliveryError otherwise; after `timeoutMs` it is killed.
 */
export async function runCommand(
  command: readonly string[],
  input: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const [program = "", ...args] = command;
  await withDeadline(signal, timeoutMs, async (limit) => {
    await new Promise<void>((resolve, reject) => {
      const fail = (problem: string, cause?: unknown): void =>
        reject(new DeliveryError(`${program}: ${problem}`, { cause }));
      const child = spawn(program, args, {
        stdio: ["pipe", "ignore", "ignore"],
        signal: limit,
        killSignal: "SIGKILL",
      });
      child.once("error", (error) =>
        fail(limit.aborted ? `not done after ${timeoutMs} ms` : error.message, error),
      );
      child.once("close", (code, name) =>
        code === 0 ? resolve() : fail(`ended with ${name ?? code ?? "no code"}`),
      );
      // A program that does not read its input closes it; that is its business.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
    });
  });
}
