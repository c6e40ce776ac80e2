/** The process as the agent's world: its clock, its programs, its log on standard error. */
import { setTimeout } from "node:timers/promises";
import { hostname } from "node:os";
import type { AgentWorld } from "../live-agent/agent/agent-world.ts";
import { createLog } from "../live-agent/agent/agent-log.ts";
import { runCommand } from "../live-agent/enforcement/run-command.ts";
import type { CommandLine } from "./command.ts";
import { packageVersion } from "./package-root.ts";
import type { Shell } from "./shell.ts";

/** The hidden command that outlives the agent (cli/commands/agent-guard.ts). */
export const guardName = "agent-guard";

/** Where agents of one network namespace find one another's lock: systemd's RuntimeDirectory, or the same by hand. */
export function runFolder({ env }: Pick<Shell, "env">): string {
  return env.RUNTIME_DIRECTORY ?? "/run/tattle";
}

export function agentWorld(line: CommandLine, shell: Shell): AgentWorld {
  return {
    now: shell.now,
    random: () => Math.random(),
    sleep: async (milliseconds, signal) => {
      await setTimeout(milliseconds, undefined, { signal });
    },
    run: runCommand,
    log: createLog({ isForPeople: shell.watched, write: (text) => shell.err(text), now: shell.now }),
    hostName: hostname(),
    version: packageVersion(),
    guardCommand: [process.execPath, ...process.execArgv, process.argv[1] ?? "", guardName],
    tcpdump: ["tcpdump"],
    lockFolder: runFolder(shell),
    insecureHttp: line.has("insecure-http"),
  };
}
