/** docs/reference/agent.md from the schema of the agent's configuration. */
import { agentConfigJsonSchema } from "../live-agent/agent/agent-config.ts";
import { formatSchema } from "./schema-page.ts";
import type { JsonSchema } from "./schema-page.ts";

/** The page. */
export function formatAgentPage(): string {
  return `# The agent's configuration

<!-- Generated from live-agent/agent/agent-config.ts and live-agent/notify/notify-settings.ts by \`npm run docs\`. -->

\`/etc/tattle/agent.json\`, or what \`--config\` names. Relative paths start at its folder. The JSON schema is
\`live-agent/agent/agent.schema.json\`; an error names the path and the allowed values. [On a border
router](../how-to/border-router.md) and [on an end host](../how-to/end-host.md) have examples.

What the agent keeps in \`stateFolder\`: \`identity\` (a UUID, for ever), \`spool/\` (events that the dashboard does not have yet),
\`counters.json\` (what was told of which counters), \`notices/\` (what people were told, and messages on their way), \`commit/\` (a
change that waits to be confirmed), \`agent.lock\`, \`agent.sock\`.

The agent logs one JSON object a line to standard error, and words if that is a terminal.

${formatSchema(agentConfigJsonSchema() as JsonSchema)}`;
}
