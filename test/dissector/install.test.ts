import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeInstall, describeUninstall, hasSucceeded } from "../../dissector/describe-install.ts";
import { generateDissector } from "../../dissector/generate.ts";
import { installDissector, uninstallDissector } from "../../dissector/install.ts";
import type { InstallPlace } from "../../dissector/install.ts";
import { parseFolders, parseVersion, refusesLuaForRoot } from "../../dissector/wireshark.ts";
import { defaultCodeBook } from "../support/tshark.ts";

const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });

let home: string;
let globalPlugins: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tattle-home-"));
  globalPlugins = join(home, "global");
  await mkdir(globalPlugins);
});
afterEach(async () => rm(home, { recursive: true, force: true }));

/** The system's tshark with a home of its own. */
function place(changes: Partial<InstallPlace> = {}): InstallPlace {
  const environment = { PATH: process.env.PATH, HOME: home };
  return { platform: "linux", environment, isRoot: false, ...changes };
}

const plugins = () => join(home, ".local/lib/wireshark/plugins");
const target = () => join(plugins(), "tattle.lua");

/** A tshark that answers as another version or build would. */
async function fakeTshark(answers: { version?: string; folders?: string; fields?: string }): Promise<string> {
  const path = join(home, "tshark");
  const about = `TShark (Wireshark) ${answers.version ?? "4.4.18"} (Git v${answers.version ?? "4.4.18"}).`;
  const folders =
    answers.folders ?? `Personal Lua Plugins:\t${plugins()}\nGlobal Lua Plugins:  \t${globalPlugins}`;
  const script = `#!/bin/sh
case "$2" in
  folders) printf '%s\\n' '${folders}' ;;
  fields) printf '%s\\n' '${answers.fields ?? ""}' ;;
  *) printf '%s\\n' '${about}' ;;
esac
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

describe("installing", () => {
  test("puts the file where Wireshark looks, and Wireshark lists its fields", async () => {
    const outcome = await installDissector(lua, place());
    expect(outcome).toMatchObject({ state: "installed", path: target(), replaced: false, copies: [] });
    expect(outcome).toHaveProperty("fields", 45);
    expect(await readFile(target(), "utf8")).toBe(lua);
    expect(hasSucceeded(outcome)).toBe(true);
    expect(describeInstall(outcome)[0]).toBe(`installed ${target()}`);
  });

  test("leaves no temporary file behind", async () => {
    await installDissector(lua, place());
    expect(await readdir(plugins())).toEqual(["tattle.lua"]);
  });

  test("replaces an older one", async () => {
    await installDissector(lua, place());
    const outcome = await installDissector(`${lua}-- newer\n`, place());
    expect(outcome).toMatchObject({ state: "installed", replaced: true });
    expect(await readFile(target(), "utf8")).toBe(`${lua}-- newer\n`);
  });

  test("names another copy that Wireshark would load as well, in subfolders too", async () => {
    const copy = join(plugins(), "site", "mark.lua");
    await mkdir(join(plugins(), "site"), { recursive: true });
    await writeFile(copy, lua);
    const outcome = await installDissector(lua, place());
    expect(outcome).toMatchObject({ state: "installed", copies: [copy] });
    expect(describeInstall(outcome).at(-1)).toBe(
      `another copy is in ${copy}; Wireshark loads only one of them: remove it`,
    );
  });

  test("names a copy in the folder for all users", async () => {
    await writeFile(join(globalPlugins, "tattle.lua"), lua);
    const fields = "F\tKind\ttattle.kind\tFT_UINT8\ttattle";
    const outcome = await installDissector(lua, place({ tshark: await fakeTshark({ fields }) }));
    expect(outcome).toMatchObject({ state: "installed", copies: [join(globalPlugins, "tattle.lua")] });
  });

  test("does not overwrite somebody else's tattle.lua", async () => {
    await mkdir(plugins(), { recursive: true });
    await writeFile(target(), "-- mine\n");
    const outcome = await installDissector(lua, place());
    expect(outcome).toEqual({ state: "occupied", path: target() });
    expect(hasSucceeded(outcome)).toBe(false);
    expect(await readFile(target(), "utf8")).toBe("-- mine\n");
  });

  test("says why a file that Wireshark cannot run is not loaded", async () => {
    const outcome = await installDissector('Proto("tattle" -- nothing more\n', place());
    expect(outcome).toMatchObject({ state: "not-loaded", path: target() });
    expect(describeInstall(outcome)[0]).toMatch(/does not load it: .*lua/i);
  });

  test("says what to install where there is no Wireshark", async () => {
    const environment = { PATH: join(home, "empty"), HOME: home };
    const outcome = await installDissector(lua, place({ environment }));
    expect(outcome).toEqual({ state: "no-wireshark", tshark: undefined });
    expect(describeInstall(outcome)[1]).toContain("apt-get install wireshark tshark");
  });

  test("names the tshark that was asked for and does not run", async () => {
    const outcome = await installDissector(lua, place({ tshark: "/nowhere/tshark" }));
    expect(describeInstall(outcome)).toEqual(["/nowhere/tshark: not a tshark that runs"]);
  });

  test("says that Wireshark 4.4 and later run no Lua as root, and what to do", async () => {
    const outcome = await installDissector(lua, place({ tshark: await fakeTshark({}), isRoot: true }));
    expect(outcome).toEqual({ state: "root-runs-no-lua", path: target(), version: "4.4.18", globalPlugins });
    expect(describeInstall(outcome)).toEqual([
      `wrote ${target()}, but Wireshark 4.4.18 runs no user's Lua as root`,
      "install and use it as an ordinary user: run `tattle dissector install` as that user",
      `or, for every user and root too: cp "${target()}" "${globalPlugins}/"`,
    ]);
  });

  test("is content as root if Wireshark lists the fields all the same", async () => {
    const fields = "F\tKind\ttattle.kind\tFT_UINT8\ttattle";
    const outcome = await installDissector(
      lua,
      place({ tshark: await fakeTshark({ fields }), isRoot: true }),
    );
    expect(outcome).toMatchObject({ state: "installed", fields: 1 });
  });

  test("says that a Wireshark without Lua has no place for it", async () => {
    const tshark = await fakeTshark({ folders: "Temp:\t/tmp" });
    const outcome = await installDissector(lua, place({ tshark }));
    expect(describeInstall(outcome)).toEqual([
      "Wireshark 4.4.18 names no folder for Lua plugins: it was built without Lua",
    ]);
  });

  test("says what stands in the way of the folder", async () => {
    await writeFile(join(home, "file"), "");
    const tshark = await fakeTshark({ folders: `Personal Lua Plugins:\t${join(home, "file", "plugins")}` });
    const outcome = await installDissector(lua, place({ tshark }));
    expect(outcome).toMatchObject({ state: "not-writable" });
    expect(describeInstall(outcome)[0]).toContain("ENOTDIR");
  });
});

describe("uninstalling", () => {
  test("takes the file away, and Wireshark's folder stays", async () => {
    await installDissector(lua, place());
    const outcome = await uninstallDissector(place());
    expect(outcome).toMatchObject({ state: "removed", path: target(), copies: [] });
    expect(await readdir(plugins())).toEqual([]);
  });

  test("is done if there is nothing", async () => {
    const outcome = await uninstallDissector(place());
    expect(hasSucceeded(outcome)).toBe(true);
    expect(describeUninstall(outcome)).toEqual([`nothing to remove: no ${target()}`]);
  });

  test("leaves somebody else's tattle.lua alone", async () => {
    await mkdir(plugins(), { recursive: true });
    await writeFile(target(), "-- mine\n");
    expect(await uninstallDissector(place())).toEqual({ state: "occupied", path: target() });
    expect(await readFile(target(), "utf8")).toBe("-- mine\n");
  });
});

describe("what tshark says of itself", () => {
  test("its version", () => {
    expect(parseVersion("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).\n")).toBe(
      "4.0.17",
    );
    expect(parseVersion("zsh: command not found")).toBeUndefined();
  });

  test("its folders, on Windows too, where paths hold a colon", () => {
    const folders = parseFolders(
      "Temp:                \tC:\\Temp\r\nPersonal Lua Plugins:\tC:\\Users\\A B\\AppData\\Roaming\\Wireshark\\plugins\r\n",
    );
    expect(folders.get("Personal Lua Plugins")).toBe("C:\\Users\\A B\\AppData\\Roaming\\Wireshark\\plugins");
    expect(folders.get("Temp")).toBe("C:\\Temp");
  });

  test("from 4.4 on it runs no Lua for root", () => {
    expect(["3.4.10", "4.0.17", "4.2.9", "4.4.0", "4.6.9", "5.0.0"].filter(refusesLuaForRoot)).toEqual([
      "4.4.0",
      "4.6.9",
      "5.0.0",
    ]);
  });
});
