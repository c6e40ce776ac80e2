/** Captures of others that are not part of the project; tests that want them say so when they are not there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** The folder with captures/, or undefined. */
export function sharedCaptures(): string | undefined {
  const folder = join(process.env["TATTLE_SHARED"] ?? join(repository, "..", "shared"), "captures");
  if (existsSync(join(folder, "public", "manifest.tsv"))) return folder;
  console.warn(`skipped: no captures at ${folder}; TATTLE_SHARED names the folder that holds captures/`);
  return undefined;
}

export interface PublicCapture {
  /** Below captures/public. */
  readonly file: string;
  /** As capinfos counts; undefined where it reads none to the end. */
  readonly packets: number | undefined;
  readonly type: string;
}

/** The rows of the manifest. */
export function publicCaptures(folder: string): PublicCapture[] {
  const rows = readFileSync(join(folder, "public", "manifest.tsv"), "utf8")
    .trim()
    .split("\n")
    .slice(1);
  return rows.map((row) => {
    const [, , , , file = "", , packets = "", type = ""] = row.split("\t");
    return { file, packets: packets === "" ? undefined : Number(packets), type };
  });
}
