/** docs/reference/cli.md from the command table. */
import { exitCodeMeanings } from "../cli/cli-error.ts";
import { commonOptions } from "../cli/command.ts";
import type { Command } from "../cli/command.ts";
import { describeEntry, formatUsage, optionUsage } from "../cli/help.ts";

/** The page. */
export function formatCliPage(commands: readonly Command[]): string {
  const codes = [...exitCodeMeanings].map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return `# The command line

<!-- Generated from cli/command-table.ts by \`npm run docs\`. -->

\`tattle COMMAND [options]\`; in a checkout \`npx tattle COMMAND\`. Every command explains itself with \`--help\`.

| Command | |
| --- | --- |
${commands.map((command) => `| [${command.name}](#tattle-${command.name}) | ${command.summary} |`).join("\n")}

| Exit code | |
| --- | --- |
${codes.join("\n")}

Results go to standard output, messages to standard error. Colour and progress appear on a terminal only; \`NO_COLOR\` turns
colour off. Control characters in text from captures are shown escaped, as \`\\u{1b}\`.

Options of every command: ${commonOptions.map((option) => `\`--${option.name}\` (${option.description})`).join(", ")}.

${commands.map(formatSection).join("\n")}`;
}

function formatSection(command: Command): string {
  const rows = [
    ...command.arguments.map((argument) => [argument.name, describeEntry(argument)]),
    ...command.options.map((option) => [optionUsage(option), describeEntry(option)]),
  ].map(([name = "", text = ""]) => `| \`${name}\` | ${text.replaceAll("|", "\\|")} |`);
  const examples = command.examples.map((example) => `# ${example.explains}\n${example.line}`);
  return `## tattle ${command.name}

    tattle ${formatUsage(command)}

${command.description}

${rows.length > 0 ? `| | |\n| --- | --- |\n${rows.join("\n")}\n\n` : ""}\`\`\`sh
${examples.join("\n\n")}
\`\`\`
`;
}

