/**
 * What a command is: the table from which parsing, help and docs/reference/cli.md are made. Parsing is node:util's
 * parseArgs; only the errors are ours, because they name the nearest option (docs/decisions, parseArgs).
 */
import { parseArgs } from "node:util";
import { CliError } from "./cli-error.ts";
import type { Shell } from "./shell.ts";
import { suggest } from "./suggest.ts";

export interface CommandOption {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, for what people type by habit. */
  readonly short?: string;
  /** What stands for the value in the help text, as `FILE`; absent for a switch. */
  readonly value?: string;
  /** The values that are taken, if there are only some. */
  readonly choices?: readonly string[];
  /** Told in the help text; the command applies it. */
  readonly default?: string;
  readonly description: string;
}

export interface CommandArgument {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  readonly repeated?: boolean;
  readonly choices?: readonly string[];
}

export interface Command {
  readonly name: string;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  readonly examples: readonly { readonly line: string; readonly explains: string }[];
  /** Loads the code; `--help` never does. */
  readonly load: () => Promise<{ run: RunCommand }>;
}

/** Returns the exit code. */
export type RunCommand = (line: CommandLine, shell: Shell) => Promise<number>;

/** A parsed and checked command line. */
export interface CommandLine {
  readonly operands: readonly string[];
  has(option: string): boolean;
  /** Value of an option, if it was given. */
  value(option: string): string | undefined;
}

/** Options that every command takes. */
export const commonOptions: readonly CommandOption[] = [
  { name: "help", short: "h", description: "show this help" },
  { name: "debug", description: "on an unexpected error, show where it happened" },
];

/**
 * The command line behind a command's name.
 * @throws CliError for an unknown option, a missing value or too many arguments.
 */
export function parseCommandLine(command: Command, args: readonly string[]): CommandLine {
  const options = [...command.options, ...commonOptions];
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      options.map((option) => [
        option.name,
        {
          type: option.value === undefined ? "boolean" : "string",
          ...(option.short === undefined ? {} : { short: option.short }),
        } as const,
      ]),
    ),
  });
  const values = new Map<string, string | undefined>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find((entry) => entry.name === token.name);
    if (!option) throw unknownOption(command, token.rawName, options);
    checkValue(option, token.value, token.inlineValue === true);
    values.set(option.name, token.value);
  }
  if (!values.has("help")) checkOperands(command, operands);
  return { operands, has: (option) => values.has(option), value: (option) => values.get(option) };
}

function unknownOption(command: Command, rawName: string, options: readonly CommandOption[]): CliError {
  const nearest = suggest(
    rawName.replace(/^-+/, ""),
    options.map((option) => option.name),
  );
  const advice =
    nearest === undefined ? `tattle ${command.name} --help lists them` : `did you mean --${nearest}?`;
  return new CliError(`${command.name}: unknown option ${rawName}; ${advice}`);
}

function checkValue(option: CommandOption, value: string | undefined, inline: boolean): void {
  if (option.value === undefined) {
    if (value !== undefined) throw new CliError(`--${option.name} takes no value, got "${value}"`);
    return;
  }
  // "--sort --json" is a forgotten value; "--sort=--json" is somebody's wish.
  if (value === undefined || (!inline && /^-./.test(value)))
    throw new CliError(`--${option.name} takes a value: --${option.name} ${option.value}`);
  checkChoice(`--${option.name}`, value, option.choices);
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const required = command.arguments.filter((argument) => argument.optional !== true);
  const missing = required[operands.length];
  if (missing) {
    const expected = missing.choices ? `one of ${missing.choices.join(", ")}` : missing.description;
    throw new CliError(`${command.name}: ${missing.name} is missing; ${expected}`);
  }
  const last = command.arguments.at(-1);
  const extra = operands[command.arguments.length];
  if (extra !== undefined && last?.repeated !== true)
    throw new CliError(`${command.name}: unexpected argument "${extra}"`);
  for (const [index, argument] of command.arguments.entries()) {
    const operand = operands[index];
    if (operand !== undefined) checkChoice(argument.name, operand, argument.choices);
  }
}

function checkChoice(what: string, value: string, choices: readonly string[] | undefined): void {
  if (!choices || choices.includes(value)) return;
  const nearest = suggest(value, choices);
  const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  throw new CliError(`${what}: unknown value "${value}"; one of ${choices.join(", ")}${advice}`);
}
