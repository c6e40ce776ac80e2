/** Where the database lies if nobody says: the user's data folder, as each system has it. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Shell } from "./shell.ts";

/** Path of the default database; told in every help text. */
export function defaultDatabase(shell: Pick<Shell, "env" | "platform">): string {
  return join(dataFolder(shell), "tattle", "evidence.duckdb");
}

function dataFolder({ env, platform }: Pick<Shell, "env" | "platform">): string {
  const home = env.HOME ?? homedir();
  if (platform === "win32") return env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
  if (platform === "darwin") return join(home, "Library", "Application Support");
  // XDG Base Directory Specification: a relative path in the variable is to be ignored.
  const xdg = env.XDG_DATA_HOME ?? "";
  return xdg.startsWith("/") ? xdg : join(home, ".local", "share");
}
