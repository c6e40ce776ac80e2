/** Help text from the command table. */
import { commonOptions } from "./command.ts";
import type { Command, CommandArgument, CommandOption } from "./command.ts";

const indent = "  ";
const textWidth = 100;

/** What `tattle --help` prints. */
export function formatOverview(commands: readonly Command[], version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map((command) => `${indent}${command.name.padEnd(width)}  ${command.summary}`);
  return `tattle ${version}: reads, ranks and acts on the marks of hosts that tattle on themselves

usage: tattle COMMAND [options]

${list.join("\n")}

tattle COMMAND --help explains one; tattle --version prints the version.
First look, no set-up: tattle open
`;
}

/** What `tattle COMMAND --help` prints. */
export function formatHelp(command: Command): string {
  const parts = [
    `usage: tattle ${formatUsage(command)}`,
    wrap(command.description, textWidth).join("\n"),
    ...(command.arguments.length > 0 ? [listArguments(command.arguments)] : []),
    listOptions([...command.options, ...commonOptions]),
    listExamples(command),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** `ingest [options] FILE...` */
export function formatUsage(command: Command): string {
  const operands = command.arguments.map((argument) => {
    const name = argument.repeated ? `${argument.name}...` : argument.name;
    return argument.optional ? `[${name}]` : name;
  });
  return [command.name, "[options]", ...operands].join(" ");
}

function listArguments(entries: readonly CommandArgument[]): string {
  return definitionList(entries.map((entry) => [entry.name, describeEntry(entry)]));
}

function listOptions(options: readonly CommandOption[]): string {
  return `options:\n${definitionList(options.map((option) => [optionUsage(option), describeEntry(option)]))}`;
}

function listExamples(command: Command): string {
  const lines = command.examples.flatMap((example) => [
    `${indent}${example.line}`,
    `${indent}${indent}${example.explains}`,
  ]);
  return lines.length === 0 ? "" : `examples:\n${lines.join("\n")}`;
}

/** `--sort KEY`. */
export function optionUsage(option: CommandOption): string {
  // Everybody knows -h.
  const short = option.short === undefined || option.name === "help" ? "" : `-${option.short}, `;
  const value = option.value === undefined ? "" : ` ${option.value}`;
  return `${short}--${option.name}${value}`;
}

/** What an option or argument means, with its choices and its default. */
export function describeEntry(entry: CommandOption | CommandArgument): string {
  const choices = entry.choices ? `; one of ${entry.choices.join(", ")}` : "";
  const standard = "default" in entry ? ` (default: ${entry.default})` : "";
  return `${entry.description}${choices}${standard}`;
}

function definitionList(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .flatMap(([name, text]) =>
      wrap(text, textWidth - width - 4).map(
        (line, index) => `${indent}${(index === 0 ? name : "").padEnd(width)}  ${line}`,
      ),
    )
    .join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
