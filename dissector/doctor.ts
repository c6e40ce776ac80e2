/**
 * Why does Wireshark not show marks? Everything that is known to go wrong, looked at one by one: no Wireshark, one that
 * is too old or was built without Lua, several of them, root, no file, an old file, a second copy, a file that does not
 * load, a Wireshark from Flatpak or Snap that looks elsewhere.
 */
import { access, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { dissectorFile, findCopies } from "./install.ts";
import type { InstallPlace } from "./install.ts";
import { inspectProfile } from "./profile-install.ts";
import { countFields, findWireshark, refusesLuaForRoot, runTshark } from "./wireshark.ts";
import type { Wireshark } from "./wireshark.ts";

export interface Finding {
  /** A note is worth knowing and no fault. */
  readonly kind: "good" | "note" | "problem";
  readonly text: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** `lua` is the dissector as it would be installed now. */
export async function examineWireshark(lua: string, place: InstallPlace): Promise<Finding[]> {
  const wireshark = await findWireshark(place);
  const packaged = await findPackaged(place);
  if (!wireshark)
    return [
      {
        kind: "problem",
        text: "no tshark on PATH or where Wireshark is usually installed",
        remedy: "install Wireshark with its command-line program tshark, or put tshark's folder on PATH",
      },
      ...packaged,
    ];
  return [
    aboutVersion(wireshark),
    ...(await aboutOthers(wireshark, place)),
    ...packaged,
    ...(await aboutFile(wireshark, lua)),
    ...(await aboutLoading(wireshark, place)),
    await aboutProfile(wireshark),
  ];
}

function aboutVersion({ version, tshark, personalPlugins }: Wireshark): Finding {
  const text = `Wireshark ${version} (${tshark})`;
  if (isOlderThan(version, 3, 4))
    return {
      kind: "problem",
      text: `${text} is too old`,
      remedy: "the dissector needs Wireshark 3.4 or later",
    };
  if (personalPlugins === undefined)
    return {
      kind: "problem",
      text: `${text} was built without Lua`,
      remedy: "install one from wireshark.org",
    };
  return { kind: "good", text };
}

function isOlderThan(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split(".").map(Number);
  return ofMajor < major || (ofMajor === major && ofMinor < minor);
}

/** Each Wireshark on PATH beside the first: it may look elsewhere, and the window's may not be tshark's. */
async function aboutOthers(wireshark: Wireshark, place: InstallPlace): Promise<Finding[]> {
  if (place.tshark !== undefined) return [];
  const name = place.platform === "win32" ? "tshark.exe" : "tshark";
  const folders = new Set((place.environment.PATH ?? "").split(delimiter).filter((folder) => folder !== ""));
  const findings: Finding[] = [];
  for (const folder of folders) {
    const other = await findWireshark({ ...place, tshark: join(folder, name) });
    if (!other || other.version === wireshark.version) continue;
    const sameFolder = other.personalPlugins === wireshark.personalPlugins;
    findings.push({
      kind: "note",
      text: `another Wireshark, ${other.version} (${other.tshark}), ${sameFolder ? "looks in the same folder" : `looks in ${other.personalPlugins ?? "no folder"}`}`,
    });
  }
  return findings;
}

/** Wiresharks in a box of their own see other folders than tshark outside. */
async function findPackaged({ platform, environment }: InstallPlace): Promise<Finding[]> {
  if (platform !== "linux") return [];
  const home = environment.HOME ?? "";
  const boxes = [
    {
      name: "Flatpak",
      signs: [join(home, ".var/app/org.wireshark.Wireshark"), "/var/lib/flatpak/app/org.wireshark.Wireshark"],
    },
    { name: "Snap", signs: [join(home, "snap/wireshark"), "/snap/wireshark"] },
  ];
  const findings: Finding[] = [];
  for (const { name, signs } of boxes) {
    const found = await Promise.all(signs.map(async (path) => exists(path)));
    if (!found.includes(true)) continue;
    findings.push({
      kind: "note",
      text: `there is a Wireshark from ${name}, which has folders of its own`,
      remedy:
        "for it: tattle dissector > tattle.lua, and copy that into the folder it names under Help > About > Folders > Personal Lua Plugins",
    });
  }
  return findings;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function aboutFile(wireshark: Wireshark, lua: string): Promise<Finding[]> {
  if (wireshark.personalPlugins === undefined) return [];
  const path = join(wireshark.personalPlugins, dissectorFile);
  const present = await readFile(path, "utf8").catch(() => undefined);
  const copies = await findCopies(wireshark, path);
  const findings: Finding[] = copies.map((copy) => ({
    kind: "problem",
    text: `another copy is in ${copy}; Wireshark loads only one of them`,
    remedy: `remove it, or the one in ${wireshark.personalPlugins}`,
  }));
  const install = "tattle dissector install";
  if (present === undefined && copies.length > 0)
    return [{ kind: "note", text: `no ${path}; the copy below is used` }, ...findings.slice(1)];
  if (present === undefined) return [{ kind: "problem", text: `no ${path}`, remedy: install }];
  if (present !== lua)
    findings.unshift({
      kind: "note",
      text: `${path} is of another version or code book than this tattle's`,
      remedy: `${install} (with --code-book, if you use one of your own)`,
    });
  else findings.unshift({ kind: "good", text: `${path} is this version's` });
  return findings;
}

async function aboutLoading(wireshark: Wireshark, place: InstallPlace): Promise<Finding[]> {
  const listing = await runTshark(wireshark.tshark, ["-G", "fields"], place.environment);
  const fields = countFields(listing.output, "tattle");
  const root: Finding[] = place.isRoot ? [aboutRoot(wireshark)] : [];
  if (fields > 0) return [{ kind: "good", text: `Wireshark lists ${fields} fields of tattle` }, ...root];
  const complaint = listing.errors.split("\n").find((line) => /lua/i.test(line));
  return [
    {
      kind: "problem",
      text: `Wireshark lists no field of tattle${complaint === undefined ? "" : `: ${complaint.trim()}`}`,
      remedy: "the reason is among the other lines",
    },
    ...root,
  ];
}

function aboutRoot({ version, globalPlugins }: Wireshark): Finding {
  if (!refusesLuaForRoot(version))
    return { kind: "note", text: "this is root; Wireshark should run as an ordinary user" };
  return {
    kind: "problem",
    text: `this is root, and Wireshark ${version} runs no Lua of users for root`,
    remedy:
      "run Wireshark and this command as an ordinary user" +
      (globalPlugins === undefined ? "" : `, or put the file into ${globalPlugins}`),
  };
}

async function aboutProfile(wireshark: Wireshark): Promise<Finding> {
  const profile = await inspectProfile(wireshark);
  if (!profile)
    return { kind: "note", text: "the profile Tattle is not installed", remedy: "tattle dissector install" };
  const changed = profile.changed.length === 0 ? "" : `; changed since: ${profile.changed.join(", ")}`;
  const switching = isOlderThan(wireshark.version, 4, 4)
    ? "; choose it under Edit > Configuration Profiles (Wireshark 4.4 switches to it by itself)"
    : "";
  return { kind: "good", text: `the profile Tattle is in ${profile.folder}${changed}${switching}` };
}
