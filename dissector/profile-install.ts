/**
 * Puts the profile into Wireshark's folder of profiles and takes it away. An analyst may have changed it since, and
 * Wireshark writes these files itself when somebody moves a column: what was changed is never written over or removed.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { profileFiles, profileName } from "./profile.ts";
import type { Wireshark } from "./wireshark.ts";

export interface ProfileOutcome {
  readonly folder: string;
  /** Files that were changed since they were installed, and were left as they are. */
  readonly kept: readonly string[];
  /** Why it could not be written or removed, if so. */
  readonly problem: string | undefined;
}

/** Digests of the files as they were installed, by name; tells a changed file from an older version. */
const recordName = "tattle-installed.json";

/** Undefined if Wireshark names no folder for configuration. */
export function profileFolder(wireshark: Wireshark): string | undefined {
  const { personalConfiguration } = wireshark;
  return personalConfiguration === undefined
    ? undefined
    : join(personalConfiguration, "profiles", profileName);
}

/** Writes what is missing or unchanged. */
export async function installProfile(wireshark: Wireshark): Promise<ProfileOutcome | undefined> {
  const folder = profileFolder(wireshark);
  if (folder === undefined) return undefined;
  const kept: string[] = [];
  try {
    await mkdir(folder, { recursive: true });
    const installed = await readRecord(folder);
    for (const [name, text] of profileFiles(await wiresharkColours(wireshark))) {
      const present = await readText(join(folder, name));
      if (present !== undefined && present !== text && digest(present) !== installed[name]) {
        kept.push(name);
        continue;
      }
      await writeFile(join(folder, name), text);
      installed[name] = digest(text);
    }
    await writeFile(join(folder, recordName), `${JSON.stringify(installed, null, 2)}\n`);
    return { folder, kept, problem: undefined };
  } catch (error) {
    return { folder, kept, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Removes what is unchanged, and the folder if nothing is left in it. */
export async function uninstallProfile(wireshark: Wireshark): Promise<ProfileOutcome | undefined> {
  const folder = profileFolder(wireshark);
  if (folder === undefined) return undefined;
  const installed = Object.entries(await readRecord(folder));
  if (installed.length === 0) return undefined;
  const kept: string[] = [];
  try {
    for (const [name, expected] of installed) {
      const present = await readText(join(folder, name));
      if (present === undefined) continue;
      if (digest(present) === expected) await rm(join(folder, name));
      else kept.push(name);
    }
    await rm(join(folder, recordName));
    // Fails if the analyst keeps files of their own there.
    if (kept.length === 0) await rmdir(folder).catch(() => undefined);
    return { folder, kept, problem: undefined };
  } catch (error) {
    return { folder, kept, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** How many files of the profile are there, and which of them were changed; undefined if it was not installed. */
export async function inspectProfile(
  wireshark: Wireshark,
): Promise<{ readonly folder: string; readonly changed: readonly string[] } | undefined> {
  const folder = profileFolder(wireshark);
  if (folder === undefined) return undefined;
  const installed = Object.entries(await readRecord(folder));
  if (installed.length === 0) return undefined;
  const changed: string[] = [];
  for (const [name, expected] of installed) {
    const present = await readText(join(folder, name));
    if (present === undefined || digest(present) !== expected) changed.push(name);
  }
  return { folder, changed };
}

async function readRecord(folder: string): Promise<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(folder, recordName), "utf8"));
    if (typeof parsed !== "object" || parsed === null) return {};
    const names = new Set(profileFiles("").keys());
    return Object.fromEntries(
      Object.entries(parsed).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string" && names.has(entry[0]),
      ),
    );
  } catch {
    return {};
  }
}

async function wiresharkColours({ globalConfiguration }: Wireshark): Promise<string> {
  if (globalConfiguration === undefined) return "";
  return (await readText(join(globalConfiguration, "colorfilters"))) ?? "";
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
