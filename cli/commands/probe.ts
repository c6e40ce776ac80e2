/** `tattle probe HOST:PORT`: which options pass on the way there. It sends to what it was told to, and tells before. */
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { planProbe, probe } from "../../live-agent/probe/probe.ts";
import { ProbeError } from "../../live-agent/probe/probe-error.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { readWholeNumber } from "../number-option.ts";
import { printableJson } from "../printable.ts";
import { describePlan, formatProbe, isUseful, probeJson } from "../probe-report.ts";
import type { Shell } from "../shell.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  if (shell.platform !== "linux") throw new CliError(`probe: works on Linux only, this is ${shell.platform}`);
  const { host, port } = readTarget(line.operands[0] ?? "");
  const waitMs = readWholeNumber(line, "wait", { minimum: 50, maximum: 60_000 }) ?? 1000;
  try {
    const plan = await planProbe(host, port, runCommand);
    shell.err(describePlan(plan));
    const { signal } = shell;
    const report = await probe(plan, { run: runCommand, waitMs, random: Math.random, signal });
    shell.out(line.has("json") ? `${printableJson(probeJson(report))}\n` : formatProbe(report, shell));
    return isUseful(report) ? exitCodes.done : exitCodes.partial;
  } catch (error) {
    if (error instanceof ProbeError)
      throw new CliError(`probe: ${error.message}`, exitCodes.usage, { cause: error });
    throw error;
  }
}

function readTarget(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535)
    throw new CliError(
      `probe: expected HOST:PORT, as printer.example.org:9100 or [fd00::9]:443, got "${text}"`,
    );
  return { host, port };
}
