/** Builds the command apart from dist/, so that tests and benches never meet a build that somebody else is renewing. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Builds into a new folder below node_modules, where packages are found, and returns its path; remove it afterwards.
 * `programs` are built as the command is and lie beside it.
 */
export function buildCommand(programs: readonly string[] = []): string {
  const parent = join(repositoryRoot, "node_modules", ".tattle-builds");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "build-"));
  const build = spawnSync(process.execPath, ["build.mjs", folder, ...programs], {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  if (build.status !== 0) throw new Error(`build.mjs: ${build.stdout}${build.stderr}`);
  return folder;
}
