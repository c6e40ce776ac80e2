/** `tattle agents [ACTION NAME]`: who reports to this database, and the tokens that they do it with. */
import { alarmsOf } from "../../analytics/agents/agent-alarms.ts";
import type { AgentReport } from "../../analytics/store.ts";
import { addToken, agentTokenPath, revokeToken, tokenNames } from "../agent-token-file.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { defaultDatabase } from "../data-folder.ts";
import { withEvidence } from "../evidence.ts";
import { noteChange } from "../note-change.ts";
import { formatCount } from "../octets-text.ts";
import { printable, printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";
import { formatTable } from "../text-table.ts";
import { formatSpan } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const [action = "list", name] = line.operands;
  const path = agentTokenPath(line.value("database") ?? defaultDatabase(shell));
  if (action === "list") {
    if (name !== undefined) throw new CliError("agents list: takes no name");
    return list(line, shell, path);
  }
  if (name === undefined) throw new CliError(`agents ${action}: NAME is missing`);
  if (action === "add") {
    const token = addToken(path, name);
    // Before anybody has the token.
    await noteChange(line, shell, "agent token added", name);
    shell.out(`${token}\n`);
  } else {
    revokeToken(path, name);
    await noteChange(line, shell, "agent token revoked", name);
  }
  return exitCodes.done;
}

async function list(line: CommandLine, shell: Shell, path: string): Promise<number> {
  const agents = await withEvidence(line, shell, async (store) => store.agents());
  const now = shell.now();
  if (line.has("json")) {
    const all = agents.map((agent) => ({ ...agent, alarms: alarmsOf(agent, now) }));
    shell.out(`${printableJson({ agents: all, tokens: tokenNames(path) })}\n`);
  } else shell.out(agents.length === 0 ? describeNone(tokenNames(path)) : formatAgents(agents, now, shell));
  return exitCodes.done;
}

function describeNone(tokens: readonly string[]): string {
  return tokens.length === 0
    ? "no agent has a token; tattle agents add NAME makes one\n"
    : `no agent was heard yet; tokens: ${tokens.join(", ")}\n`;
}

function formatAgents(agents: readonly AgentReport[], now: number, shell: Shell): string {
  const style = createStyle(shell.colour);
  return formatTable(
    [
      { title: "Agent", gives: true },
      { title: "Token" },
      { title: "Heard" },
      { title: "Version", spare: 2 },
      { title: "Policy", spare: 1 },
      { title: "Events", align: "right" },
      { title: "In gaps", align: "right" },
      { title: "" },
    ],
    agents.map((agent) => {
      const alarms = alarmsOf(agent, now).map(({ text }) => text);
      return [
        printable(agent.heartbeat?.hostName ?? agent.agent),
        agent.token,
        `${formatSpan(Math.max(0, now - agent.heardAt))} ago`,
        printable(agent.heartbeat?.version ?? ""),
        printable(agent.heartbeat?.policy.name ?? ""),
        formatCount(agent.events),
        formatCount(agent.gapPackets),
        alarms.length === 0 ? "" : { text: printable(alarms.join("; ")), paint: style.warning },
      ];
    }),
    { width: shell.columns, paintTitle: style.strong },
  );
}
