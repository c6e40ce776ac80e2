/** What `tattle dissector doctor` says about a Wireshark that shows no marks. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeFindings } from "../../dissector/describe-install.ts";
import { examineWireshark } from "../../dissector/doctor.ts";
import { generateDissector } from "../../dissector/generate.ts";
import { installDissector } from "../../dissector/install.ts";
import type { InstallPlace } from "../../dissector/install.ts";
import { defaultCodeBook } from "../support/tshark.ts";

const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tattle-doctor-"));
});
afterEach(async () => rm(home, { recursive: true, force: true }));

function place(changes: Partial<InstallPlace> = {}): InstallPlace {
  return {
    platform: "linux",
    environment: { PATH: process.env.PATH, HOME: home },
    isRoot: false,
    ...changes,
  };
}

const plugins = (): string => join(home, "plugins");

interface Answers {
  readonly version?: string;
  /** A line as `-G fields` prints it, if the dissector is loaded. */
  readonly fields?: string;
  readonly errors?: string;
  readonly hasLua?: boolean;
}

/** A tshark that answers as another version or build would. */
async function fakeTshark(folder: string, answers: Answers = {}): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "tshark");
  const lists =
    answers.hasLua === false
      ? "Temp:\\t/tmp"
      : `Personal Lua Plugins:\\t${plugins()}\\nGlobal Lua Plugins:\\t${home}/global`;
  const script = `#!/bin/sh
case "$2" in
  folders) printf '${lists}\\n' ;;
  fields) printf '%s\\n' '${answers.fields ?? ""}'; printf '%s\\n' '${answers.errors ?? ""}' >&2 ;;
  *) printf 'TShark (Wireshark) ${answers.version ?? "4.4.18"} (Git).\\n' ;;
esac
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

async function say(changes: Partial<InstallPlace> = {}): Promise<string> {
  return describeFindings(await examineWireshark(lua, place(changes))).join("\n");
}

const loaded = "F\tKind\ttattle.kind\tFT_UINT8";

describe("the doctor", () => {
  test("finds nothing wrong after an installation", async () => {
    await installDissector(lua, place());
    const findings = await examineWireshark(lua, place());
    expect(findings.filter(({ kind }) => kind !== "good")).toEqual([]);
    expect(describeFindings(findings).join("\n")).toMatch(
      /^ok {7}Wireshark \d+\.\d+\.\d+ \(tshark\)\nok .*\/tattle\.lua is this version's\nok {7}Wireshark lists \d+ fields of tattle\nok {7}the profile Tattle is in /,
    );
  });

  test("says that nothing is installed, and how to", async () => {
    expect(await say()).toMatch(/problem {2}no .*\/tattle\.lua\n +-> tattle dissector install/);
  });

  test("says that there is no Wireshark", async () => {
    const environment = { PATH: home, HOME: home };
    expect(await say({ environment })).toMatch(/^problem {2}no tshark on PATH/);
  });

  test("knows a Wireshark that is too old, and one without Lua", async () => {
    const old = await fakeTshark(join(home, "old"), { version: "3.2.5" });
    expect(await say({ tshark: old })).toContain("problem  Wireshark 3.2.5 (" + old + ") is too old");
    const bare = await fakeTshark(join(home, "bare"), { hasLua: false });
    expect(await say({ tshark: bare })).toContain("was built without Lua");
  });

  test("knows an older file, or one of another code book", async () => {
    await mkdir(plugins());
    await writeFile(join(plugins(), "tattle.lua"), `${lua}-- older\n`);
    const tshark = await fakeTshark(home, { fields: loaded });
    expect(await say({ tshark })).toMatch(/note {5}.* is of another version or code book/);
  });

  test("finds a second copy, also where a package put it", async () => {
    await mkdir(plugins());
    await mkdir(join(home, "global/sub"), { recursive: true });
    await writeFile(join(plugins(), "tattle.lua"), lua);
    await writeFile(join(home, "global/sub/marks.lua"), lua);
    const tshark = await fakeTshark(home, { fields: loaded });
    expect(await say({ tshark })).toContain(`problem  another copy is in ${home}/global/sub/marks.lua`);
  });

  test("says why a file is not loaded, in Wireshark's words", async () => {
    await mkdir(plugins());
    await writeFile(join(plugins(), "tattle.lua"), lua);
    const tshark = await fakeTshark(home, { errors: "tshark: Lua: syntax error: tattle.lua:7" });
    expect(await say({ tshark })).toContain(
      "problem  Wireshark lists no field of tattle: tshark: Lua: syntax error: tattle.lua:7",
    );
  });

  test("knows that root runs no Lua from Wireshark 4.4 on", async () => {
    const tshark = await fakeTshark(home);
    expect(await say({ tshark, isRoot: true })).toContain(
      "problem  this is root, and Wireshark 4.4.18 runs no Lua of users for root",
    );
    const older = await fakeTshark(join(home, "older"), { version: "4.0.17", fields: loaded });
    expect(await say({ tshark: older, isRoot: true })).toContain("note     this is root; ");
  });

  test("names every Wireshark on PATH, and where each looks", async () => {
    const first = join(home, "first");
    const second = join(home, "second");
    await fakeTshark(first, { version: "4.4.18", fields: loaded });
    await fakeTshark(second, { version: "4.0.17", fields: loaded });
    const environment = { PATH: `${first}:${second}:/bin:/usr/bin`, HOME: home };
    expect(await say({ environment })).toContain(
      `another Wireshark, 4.0.17 (${second}/tshark), looks in the same folder`,
    );
  });

  test.each([
    ["Flatpak", ".var/app/org.wireshark.Wireshark"],
    ["Snap", "snap/wireshark"],
  ])("names a Wireshark from %s, which has folders of its own", async (name, sign) => {
    await mkdir(join(home, sign), { recursive: true });
    expect(await say()).toContain(`note     there is a Wireshark from ${name}, which has folders of its own`);
  });

  test("changes nothing", async () => {
    const tshark = await fakeTshark(home, { fields: loaded });
    const before = await examineWireshark(lua, place({ tshark }));
    expect(await examineWireshark(lua, place({ tshark }))).toEqual(before);
  });
});
