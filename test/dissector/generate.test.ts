import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateDissector, generateTables } from "../../dissector/generate.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import { defaultCodeBook, IsolatedTshark } from "../support/tshark.ts";

/** A small book, so that a change of the default one does not touch the golden file. */
const codeBook: CodeBook = {
  name: 'Büro "Süd"',
  version: 3,
  categories: [
    {
      code: 1,
      name: "malware",
      title: "Malware",
      description: "Malicious software.",
      activities: [
        {
          code: 1,
          name: "ran",
          title: "Malware ran",
          description: "-",
          severity: "critical",
          attack: "T1204.002",
        },
        { code: 200, name: "odd", title: 'Odd: 100 % \\ "sure"', description: "-", severity: "info" },
      ],
    },
    { code: 255, name: "last", title: "Last", description: "-", activities: [] },
  ],
};

/** By code unit, so that no locale orders the lists below. */
function compare(left: string, right: string): number {
  return left < right ? -1 : 1;
}

const template = fileURLToPath(new URL("../../dissector/template/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tattle-lua-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("the generated dissector", () => {
  const lua = generateDissector({ codeBook, version: "1.2.3" });

  // The rest is written by hand, in dissector/template.
  test("has the tables of the golden file, octet for octet", async () => {
    const tables = generateTables({ codeBook, version: "1.2.3" });
    await expect(tables).toMatchFileSnapshot("../golden/dissector-tables.lua");
    expect(lua).toContain(tables);
  });

  test("holds every part of the template, and includes nothing any more", () => {
    expect(lua).not.toContain("include(");
    for (const part of readdirSync(template).filter((name) => name !== "tables.lua" && name !== "tattle.lua"))
      expect(lua).toContain(readFileSync(join(template, part), "utf8"));
  });

  test("is the same each time", () => {
    expect(generateDissector({ codeBook, version: "1.2.3" })).toBe(lua);
  });

  test("is ASCII, so that no editor or locale changes it", () => {
    expect(lua).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test.each(["luac5.2", "luac5.4"])("is accepted by %s", (compiler) => {
    execFileSync(compiler, ["-p", write("dissector.lua", lua)]);
  });

  // Globals are shared between plugins since Wireshark 4.4, and names such as bit32, unpack or loadstring exist in only
  // some of its Luas. The compiler's listing names every global that is read or written.
  test.each(["luac5.2", "luac5.4"])(
    "uses no global but Wireshark's and those of every Lua, by %s",
    (compiler) => {
      const listing = execFileSync(compiler, ["-p", "-l", "-l", write("dissector.lua", lua)], {
        encoding: "utf8",
      });
      const globals = [...listing.matchAll(/(GET|SET)TABUP\s+.*_ENV "(\w+)"/g)];
      expect(globals.filter(([, access]) => access === "SET")).toEqual([]);
      expect([...new Set(globals.map(([, , name = ""]) => name))].toSorted(compare)).toEqual([
        "Address",
        "Dissector",
        "DissectorTable",
        "Listener",
        "MENU_STAT_UNSORTED",
        "NSTime",
        "Pref",
        "Proto",
        "ProtoExpert",
        "ProtoField",
        "TextWindow",
        "base",
        "bit32",
        "browser_open_url",
        "expert",
        "gui_enabled",
        "io",
        "ipairs",
        "load",
        "math",
        "os",
        "pairs",
        "pcall",
        "register_menu",
        "register_packet_menu",
        "register_stat_cmd_arg",
        "retap_packets",
        "set_plugin_info",
        "setmetatable",
        "string",
        "table",
        "tonumber",
        "tostring",
      ]);
    },
  );
});

describe("in tshark", () => {
  let tshark: IsolatedTshark;
  beforeAll(async () => {
    tshark = await IsolatedTshark.create(generateDissector({ codeBook, version: "1.2.3" }));
  });
  afterAll(async () => tshark.close());

  test("the fields are registered with the names and types that filters rely on", async () => {
    const { output } = await tshark.run(["-G", "fields", "-X", `lua_script:${tshark.luaFile}`]);
    const fields = output
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([type, , name = ""]) => type === "F" && name.startsWith("tattle."))
      .map(([, , name = "", type = ""]) => `${name} ${type}`);
    expect(fields.toSorted(compare)).toEqual([
      "tattle.activity FT_UINT16",
      "tattle.attack FT_STRING",
      "tattle.carrier FT_STRING",
      "tattle.category FT_UINT8",
      "tattle.clean FT_BOOLEAN",
      "tattle.code FT_UINT8",
      "tattle.count FT_UINT8",
      "tattle.cut FT_BYTES",
      "tattle.detected_at FT_ABSOLUTE_TIME",
      "tattle.detected_epoch FT_UINT32",
      "tattle.duplicate FT_BOOLEAN",
      "tattle.duplicate_mark FT_NONE",
      "tattle.elapsed FT_RELATIVE_TIME",
      "tattle.elapsed_min FT_RELATIVE_TIME",
      "tattle.elapsed_minutes FT_INT32",
      "tattle.exid FT_UINT16",
      "tattle.host FT_IPv4",
      "tattle.host6 FT_IPv6",
      "tattle.key_id FT_UINT8",
      "tattle.kind FT_UINT8",
      "tattle.length FT_UINT8",
      "tattle.malformed FT_BYTES",
      "tattle.malformed.count FT_NONE",
      "tattle.malformed.length FT_NONE",
      "tattle.malformed.shape FT_NONE",
      "tattle.malformed.short FT_NONE",
      "tattle.marked FT_NONE",
      "tattle.more FT_BOOLEAN",
      "tattle.quoted FT_BOOLEAN",
      "tattle.record FT_BYTES",
      "tattle.severity FT_UINT8",
      "tattle.summary FT_STRING",
      "tattle.tag FT_BYTES",
      "tattle.tag.invalid FT_NONE",
      "tattle.tag.outside_window FT_NONE",
      "tattle.tag.status FT_STRING",
      "tattle.tagged_count FT_UINT8",
      "tattle.time.future FT_NONE",
      "tattle.time.implausible FT_NONE",
      "tattle.time.stale FT_NONE",
      "tattle.trailing FT_BYTES",
      "tattle.trailing_octets FT_NONE",
      "tattle.unknown_code FT_NONE",
      "tattle.version FT_UINT8",
      "tattle.window FT_UINT8",
    ]);
  });

  test("a second copy of the file is passed over without an error", async () => {
    const copy = await tshark.save(
      "copy.lua",
      Buffer.from(generateDissector({ codeBook, version: "1.2.3" })),
    );
    const load = ["-X", `lua_script:${tshark.luaFile}`, "-X", `lua_script:${copy}`];
    const { errors, output } = await tshark.run(["-G", "protocols", ...load]);
    expect(errors).toBe("");
    expect(output).toContain("\ttattle\n");
  });

  test("a code book without activities loads", async () => {
    const empty = generateDissector({
      codeBook: { name: "empty", version: 1, categories: [] },
      version: "0",
    });
    await (await IsolatedTshark.create(empty)).close();
  });

  test("the default code book loads", async () => {
    const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });
    await (await IsolatedTshark.create(lua)).close();
  });
});
