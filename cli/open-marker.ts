/** The marker that a command line means, and its errors in one line. */
import { readFileSync } from "node:fs";
import { KernelError } from "../live-agent/enforcement/kernel-error.ts";
import { runCommand } from "../live-agent/enforcement/run-command.ts";
import { readClocks } from "../live-agent/marker/boot-clock.ts";
import { MarkSettingsError, parseMarkSettings } from "../live-agent/marker/mark-settings.ts";
import type { MarkSettings } from "../live-agent/marker/mark-settings.ts";
import type { Marker } from "../live-agent/marker/marker.ts";
import { PrivateFileError } from "../live-agent/marker/private-json.ts";
import { StateError } from "../live-agent/marker/state-file.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import type { CommandLine } from "./command.ts";
import { describeFileError, errorCode } from "./file-error.ts";
import type { Shell } from "./shell.ts";

export const defaultMarkSettings = "/etc/tattle/mark.json";

/** @throws CliError if there are no settings, or no Linux */
export function openMarker(line: CommandLine, shell: Shell): Marker {
  if (shell.platform !== "linux") throw new CliError(`mark: works on Linux only, this is ${shell.platform}`);
  const settings = readMarkSettings(line.value("settings") ?? defaultMarkSettings);
  const cgroup = line.value("cgroup");
  return {
    settings: cgroup === undefined ? settings : { ...settings, cgroup },
    run: runCommand,
    clocks: () => readClocks(shell.now()),
  };
}

function readMarkSettings(path: string): MarkSettings {
  try {
    return parseMarkSettings(JSON.parse(readFileSync(path, "utf8")), path);
  } catch (error) {
    if (error instanceof MarkSettingsError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    if (error instanceof SyntaxError)
      throw new CliError(`${path}: not JSON: ${error.message}`, exitCodes.usage, { cause: error });
    const advice =
      errorCode(error) === "ENOENT" ? '; it says which option kind carries the mark: {"kind": 253}' : "";
    throw new CliError(`${path}: ${describeFileError(error)}${advice}`, exitCodes.usage, { cause: error });
  }
}

/** Runs `work`; what kernel, state or file system refused ends the command with one line. */
export async function withMarkerErrors(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KernelError)
      throw new CliError(`${error.message}: ${String(error.cause)}`, exitCodes.partial, { cause: error });
    if (
      error instanceof StateError ||
      error instanceof MarkSettingsError ||
      error instanceof PrivateFileError
    )
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    const code = errorCode(error);
    if (code === "EACCES" || code === "EPERM")
      throw new CliError(
        "mark: permission denied; only root may say what this host is marked with",
        exitCodes.usage,
        {
          cause: error,
        },
      );
    throw error;
  }
}
