/** The agent's configuration, and what its commands need of it. */
import { existsSync, readFileSync } from "node:fs";
import { AgentConfigError, defaultStateFolder, parseAgentConfig } from "../live-agent/agent/agent-config.ts";
import type { AgentConfig } from "../live-agent/agent/agent-config.ts";
import { NotifySettingsError } from "../live-agent/notify/notify-settings.ts";
import { loadPolicy } from "../policy/load-policy.ts";
import type { LoadedPolicy } from "../policy/load-policy.ts";
import { PolicyError } from "../policy/policy-error.ts";
import { CodeBookError } from "../wire/parse-code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import type { CommandLine } from "./command.ts";
import { describeFileError } from "./file-error.ts";

export const defaultConfigFile = "/etc/tattle/agent.json";

/** @throws CliError that names the file, the place in it, what came and what is allowed. */
export function readAgentConfig(line: CommandLine): AgentConfig {
  const file = line.value("config") ?? defaultConfigFile;
  try {
    return parseAgentConfig(JSON.parse(readFileSync(file, "utf8")), file);
  } catch (error) {
    if (error instanceof AgentConfigError || error instanceof NotifySettingsError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    if (error instanceof SyntaxError)
      throw new CliError(`${file}: not JSON: ${error.message}`, exitCodes.usage, { cause: error });
    throw new CliError(`${file}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}

/** @throws CliError */
export function readAgentPolicy(config: AgentConfig): LoadedPolicy {
  try {
    return loadPolicy(config.policy, config.codeBook);
  } catch (error) {
    if (error instanceof PolicyError || error instanceof CodeBookError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

/** Where the agent keeps its state: by the configuration, if there is one. */
export function stateFolderOf(line: CommandLine): string {
  const hasConfig = line.has("config") || existsSync(defaultConfigFile);
  return hasConfig ? readAgentConfig(line).stateFolder : defaultStateFolder;
}
