/** The Wireshark of this machine, asked through its command-line twin tshark: where it looks, what it has loaded. */
import { execFile } from "node:child_process";
import { join } from "node:path";

/** How to reach Wireshark; the outside world as arguments, so that tests can bring their own. */
export interface WiresharkPlace {
  /** The tshark program; where the platform puts it if absent. */
  readonly tshark?: string;
  readonly platform: NodeJS.Platform;
  readonly environment: NodeJS.ProcessEnv;
}

export interface Wireshark {
  readonly tshark: string;
  /** As it names itself: `4.0.17`. */
  readonly version: string;
  /** Folders in which it looks for Lua; both undefined if it was built without Lua. */
  readonly personalPlugins: string | undefined;
  readonly globalPlugins: string | undefined;
  /** Where profiles are. */
  readonly personalConfiguration: string | undefined;
  /** Where Wireshark keeps what it comes with, such as its colour rules. */
  readonly globalConfiguration: string | undefined;
}

export interface TsharkRun {
  readonly output: string;
  readonly errors: string;
  /** Why it did not run or ended badly; undefined if it ended well. */
  readonly problem: string | undefined;
  /** Whether the program is not there at all. */
  readonly isMissing: boolean;
}

/** Runs tshark and collects what it prints; never throws. */
export async function runTshark(
  tshark: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<TsharkRun> {
  return new Promise((resolve) => {
    // The list of all fields alone is 15 MB.
    const limits = { env: environment, maxBuffer: 256 * 2 ** 20, timeout: 60_000 };
    execFile(tshark, [...args], limits, (error, output, errors) => {
      const problem = error ? firstLine(errors) || error.message : undefined;
      resolve({ output, errors, problem, isMissing: error?.code === "ENOENT" });
    });
  });
}

/** Wireshark, or undefined if no tshark is found. */
export async function findWireshark(place: WiresharkPlace): Promise<Wireshark | undefined> {
  for (const tshark of place.tshark === undefined ? usualPlaces(place) : [place.tshark]) {
    const about = await runTshark(tshark, ["--version"], place.environment);
    const version = parseVersion(about.output);
    if (version === undefined) continue;
    const folders = parseFolders((await runTshark(tshark, ["-G", "folders"], place.environment)).output);
    return {
      tshark,
      version,
      personalPlugins: folders.get("Personal Lua Plugins"),
      globalPlugins: folders.get("Global Lua Plugins"),
      personalConfiguration: folders.get("Personal configuration"),
      globalConfiguration: folders.get("Global configuration"),
    };
  }
  return undefined;
}

/** On PATH first; macOS and Windows install it beside the window's program and leave PATH alone. */
function usualPlaces({ platform, environment }: WiresharkPlace): string[] {
  if (platform === "darwin") return ["tshark", "/Applications/Wireshark.app/Contents/MacOS/tshark"];
  if (platform !== "win32") return ["tshark"];
  return ["tshark.exe", join(environment.ProgramFiles ?? "C:\\Program Files", "Wireshark", "tshark.exe")];
}

/** `4.0.17` of `TShark (Wireshark) 4.0.17 (Git v4.0.17 ...)`. */
export function parseVersion(about: string): string | undefined {
  return /^TShark \(Wireshark\) (\d+\.\d+\.\d+)/m.exec(about)?.[1];
}

/** Name to path, of `tshark -G folders`: a name, a colon, tabs, a path. */
export function parseFolders(listing: string): ReadonlyMap<string, string> {
  const lines = [...listing.matchAll(/^([^:\n]+):[ \t]+(\S.*?)\s*$/gm)];
  return new Map(lines.map((line) => [line[1] ?? "", line[2] ?? ""]));
}

/** How many fields of a protocol `tshark -G fields` lists: type, title and filter name, with tabs between. */
export function countFields(listing: string, protocol: string): number {
  return listing.split("\n").filter((line) => {
    const [type, , name = ""] = line.split("\t");
    return type === "F" && name.startsWith(`${protocol}.`);
  }).length;
}

/** Wireshark runs no Lua of users for root from this version on. */
export function refusesLuaForRoot(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 4 || (major === 4 && minor >= 4);
}

function firstLine(text: string): string {
  // Wireshark says of every run as root that it could be dangerous; that is no reason.
  return text.split("\n").find((line) => line !== "" && !line.startsWith("Running as user")) ?? "";
}
