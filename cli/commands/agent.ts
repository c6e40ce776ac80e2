/** `tattle agent`: the live agent on a router or an end host, and what is to be known and done about it. */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runAgent } from "../../live-agent/agent/agent.ts";
import { AgentRunsError, lockHolder, namespaceLock } from "../../live-agent/agent/agent-lock.ts";
import { describeError } from "../../live-agent/agent/agent-log.ts";
import { Change, UnconfirmedError } from "../../live-agent/agent/change.ts";
import { examine } from "../../live-agent/agent/doctor/examine.ts";
import { enforcementPoint } from "../../live-agent/agent/enforcement-point.ts";
import { removeAllRules } from "../../live-agent/agent/remove-rules.ts";
import { RevertedError } from "../../live-agent/agent/rule-keeper.ts";
import { askStatus } from "../../live-agent/agent/status-servers.ts";
import { describeChanges } from "../../live-agent/enforcement/enforcement.ts";
import { KernelError } from "../../live-agent/enforcement/kernel-error.ts";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { PublishError } from "../../live-agent/events/post.ts";
import { PolicyError } from "../../policy/policy-error.ts";
import { readAgentConfig, readAgentPolicy, stateFolderOf } from "../agent-config-file.ts";
import { agentWorld, runFolder } from "../agent-process.ts";
import { formatAgentStatus } from "../agent-status-text.ts";
import { formatFindings } from "../agent-findings-text.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { errorCode } from "../file-error.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  if (shell.platform !== "linux") throw new CliError("the agent needs Linux: its rules are iptables'");
  const [action] = line.operands;
  try {
    if (action === "run") return await (line.has("dry-run") ? dryRun(line, shell) : live(line, shell));
    if (action === "status") return await status(line, shell);
    if (action === "confirm") return confirm(line, shell);
    if (action === "doctor") return await doctor(line, shell);
    return await remove(line, shell);
  } catch (error) {
    throw inWords(error);
  }
}

async function live(line: CommandLine, shell: Shell): Promise<number> {
  keepHeapSmall();
  const config = readAgentConfig(line);
  const loaded = readAgentPolicy(config);
  try {
    await runAgent(config, loaded, agentWorld(line, shell), shell.signal);
  } catch (error) {
    // Told to end before it had begun.
    if (!shell.signal.aborted) throw error;
  }
  return exitCodes.done;
}

/**
 * Events live for a turn of the event loop, so a large space for young objects only costs memory. Measured at 20,000
 * events a second: 117 MB in place of 145. The unit says --max-semi-space-size=2, which works only at the start: 83 MB.
 */
function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

async function dryRun(line: CommandLine, shell: Shell): Promise<number> {
  const config = readAgentConfig(line);
  const point = await enforcementPoint(config, readAgentPolicy(config), runCommand);
  shell.out(await describeChanges(point, Math.floor(shell.now())));
  return exitCodes.done;
}

async function status(line: CommandLine, shell: Shell): Promise<number> {
  const folder = stateFolderOf(line);
  const answer = await askStatus(folder);
  if (!answer) {
    throw new CliError(
      `no agent answers in ${folder}; rules that it made stay without it`,
      exitCodes.partial,
    );
  }
  shell.out(line.has("json") ? `${printableJson(answer)}\n` : formatAgentStatus(answer, shell));
  return exitCodes.done;
}

function confirm(line: CommandLine, shell: Shell): number {
  const outcome = new Change(stateFolderOf(line)).confirm();
  switch (outcome) {
    case "confirmed":
      shell.out("confirmed: the rules stay\n");
      return exitCodes.done;
    case "reverted":
      shell.out("too late: the rules were taken back; start the agent again to try them again\n");
      return exitCodes.partial;
    case "nothing to confirm":
      shell.out("nothing waits to be confirmed\n");
      return exitCodes.partial;
  }
}

async function doctor(line: CommandLine, shell: Shell): Promise<number> {
  const config = readAgentConfig(line);
  const findings = await examine(
    config,
    readAgentPolicy(config),
    agentWorld(line, shell),
    Math.floor(shell.now()),
  );
  shell.out(line.has("json") ? `${printableJson(findings)}\n` : formatFindings(findings, shell));
  return findings.some(({ health }) => health === "ill") ? exitCodes.partial : exitCodes.done;
}

async function remove(line: CommandLine, shell: Shell): Promise<number> {
  const folder = stateFolderOf(line);
  for (const lock of [join(folder, "agent.lock"), namespaceLock(runFolder(shell))]) {
    const holder = lockHolder(lock);
    if (holder !== undefined)
      throw new CliError(
        `the agent runs, and would put the rules back: end process ${holder} first`,
        exitCodes.partial,
      );
  }
  // Its guard would otherwise put older rules back.
  new Change(folder).confirm();
  const removed = await removeAllRules(runCommand);
  for (const { backend, family, lines } of removed) {
    shell.out(`IPv${family}, ${backend} backend: removed ${lines} differences\n`);
  }
  if (removed.length === 0) shell.out("there were no rules of tattle\n");
  return exitCodes.done;
}

/** What people can do something about, as one line; anything else is our fault. */
function inWords(error: unknown): unknown {
  const cause = { cause: error };
  if (error instanceof AgentRunsError || error instanceof UnconfirmedError || error instanceof RevertedError)
    return new CliError(error.message, exitCodes.partial, cause);
  if (error instanceof PolicyError || error instanceof PublishError)
    return new CliError(error.message, exitCodes.usage, cause);
  // A lock that was held, an address that is not there yet: a service manager tries again.
  if (error instanceof KernelError || errorCode(error) !== "")
    return new CliError(describeError(error), exitCodes.ourFault, cause);
  return error;
}
