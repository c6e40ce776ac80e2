/**
 * Puts the dissector where this machine's Wireshark looks, and takes it away. Wireshark itself is asked where that is
 * and whether the dissector is there afterwards: folders differ by version and system, and a Lua file that does not
 * load is passed over with one line that nobody reads.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { installProfile, uninstallProfile } from "./profile-install.ts";
import type { ProfileOutcome } from "./profile-install.ts";
import { countFields, findWireshark, refusesLuaForRoot, runTshark } from "./wireshark.ts";
import type { Wireshark, WiresharkPlace } from "./wireshark.ts";

export interface InstallPlace extends WiresharkPlace {
  readonly isRoot: boolean;
}

/** Why nothing could be done. */
export type InstallProblem =
  | { readonly state: "no-wireshark"; readonly tshark: string | undefined }
  | { readonly state: "no-lua"; readonly version: string }
  /** A file of our name that is not ours. */
  | { readonly state: "occupied"; readonly path: string }
  | { readonly state: "not-writable"; readonly path: string; readonly reason: string };

export type InstallOutcome =
  | InstallProblem
  | {
      readonly state: "installed";
      readonly path: string;
      readonly version: string;
      /** Fields of the protocol that Wireshark lists now. */
      readonly fields: number;
      /** Whether an older one stood there. */
      readonly replaced: boolean;
      /** Further copies in Wireshark's plugin folders; which of them it loads is its choice. */
      readonly copies: readonly string[];
      readonly profile: ProfileOutcome | undefined;
    }
  /** Written, but Wireshark does not list it. */
  | {
      readonly state: "not-loaded";
      readonly path: string;
      readonly version: string;
      readonly reason: string;
      readonly copies: readonly string[];
    }
  /** Written, but this Wireshark runs no Lua of users for root. */
  | {
      readonly state: "root-runs-no-lua";
      readonly path: string;
      readonly version: string;
      readonly globalPlugins: string | undefined;
    };

export type UninstallOutcome =
  | InstallProblem
  | {
      readonly state: "removed";
      readonly path: string;
      readonly copies: readonly string[];
      readonly profile: ProfileOutcome | undefined;
    }
  | {
      readonly state: "absent";
      readonly path: string;
      readonly copies: readonly string[];
      readonly profile: ProfileOutcome | undefined;
    };

/** Name of the file in the folder of plugins. */
export const dissectorFile = "tattle.lua";

/** In every dissector that was generated, and in nobody else's file. */
const signature = 'Proto("tattle"';

/** Installs `lua` for the user who runs this, and asks Wireshark whether it is there. */
export async function installDissector(lua: string, place: InstallPlace): Promise<InstallOutcome> {
  const target = await findTarget(place);
  if ("state" in target) return target;
  const { path, wireshark } = target;
  const written = await writeWhole(target.folder, path, lua);
  if (written !== undefined) return { state: "not-writable", path, reason: written };

  const { version, globalPlugins } = wireshark;
  const copies = await findCopies(wireshark, path);
  const listing = await runTshark(wireshark.tshark, ["-G", "fields"], place.environment);
  const fields = countFields(listing.output, "tattle");
  if (fields > 0) {
    const profile = await installProfile(wireshark);
    return { state: "installed", path, version, fields, replaced: target.isOccupied, copies, profile };
  }
  if (place.isRoot && refusesLuaForRoot(version))
    return { state: "root-runs-no-lua", path, version, globalPlugins };
  return { state: "not-loaded", path, version, reason: luaErrors(listing.errors), copies };
}

/** Takes the user's dissector away; copies elsewhere are left and named. */
export async function uninstallDissector(place: InstallPlace): Promise<UninstallOutcome> {
  const target = await findTarget(place);
  if ("state" in target) return target;
  const { path, wireshark } = target;
  const copies = await findCopies(wireshark, path);
  const profile = await uninstallProfile(wireshark);
  if (!target.isOccupied) return { state: "absent", path, copies, profile };
  try {
    await rm(path);
  } catch (error) {
    return { state: "not-writable", path, reason: reasonOf(error) };
  }
  return { state: "removed", path, copies, profile };
}

interface Target {
  readonly wireshark: Wireshark;
  readonly folder: string;
  readonly path: string;
  /** Whether a dissector of ours stands there. */
  readonly isOccupied: boolean;
}

async function findTarget(place: InstallPlace): Promise<Target | InstallProblem> {
  const wireshark = await findWireshark(place);
  if (!wireshark) return { state: "no-wireshark", tshark: place.tshark };
  if (wireshark.personalPlugins === undefined) return { state: "no-lua", version: wireshark.version };
  const folder = wireshark.personalPlugins;
  const path = join(folder, dissectorFile);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined && !text.includes(signature)) return { state: "occupied", path };
  return { wireshark, folder, path, isOccupied: text !== undefined };
}

/** Writes beside the target and renames, so that Wireshark never sees half a file. Returns why not, if not. */
async function writeWhole(folder: string, path: string, text: string): Promise<string | undefined> {
  // The ending keeps Wireshark from loading it, should it start just now.
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return undefined;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return reasonOf(error);
  }
}

/** Other files with our dissector in the folders that Wireshark loads, subfolders too. */
export async function findCopies(wireshark: Wireshark, except: string): Promise<string[]> {
  const folders = [wireshark.personalPlugins, wireshark.globalPlugins].filter(
    (folder) => folder !== undefined,
  );
  const files = (await Promise.all(folders.map(luaFilesBelow))).flat().filter((file) => file !== except);
  const isCopy = await Promise.all(files.map(holdsSignature));
  return files.filter((_, index) => isCopy[index]);
}

async function luaFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.name.endsWith(".lua"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const largestLuaFile = 4 * 2 ** 20;

async function holdsSignature(path: string): Promise<boolean> {
  try {
    const { size } = await stat(path);
    return size <= largestLuaFile && (await readFile(path, "utf8")).includes(signature);
  } catch {
    // A file that cannot be read is one that Wireshark cannot load.
    return false;
  }
}

function luaErrors(errors: string): string {
  const lines = errors.split("\n").filter((line) => /lua/i.test(line));
  return lines.join(" ").trim() || "Wireshark gave no reason";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
