/** The profile, asked through tshark: columns, colours and macros are those of Wireshark's window. */
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeInstall } from "../../dissector/describe-install.ts";
import { generateDissector } from "../../dissector/generate.ts";
import { installDissector, uninstallDissector } from "../../dissector/install.ts";
import type { InstallPlace } from "../../dissector/install.ts";
import { profileFiles } from "../../dissector/profile.ts";
import { runTshark } from "../../dissector/wireshark.ts";
import { analystCapture } from "../support/analyst-capture.ts";
import { defaultCodeBook, IsolatedTshark } from "../support/tshark.ts";

const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });
const sample = fileURLToPath(new URL("../fixtures/small-company.pcapng", import.meta.url));

let home: string;
let place: InstallPlace;
let folder: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tattle-profile-"));
  place = {
    platform: "linux",
    environment: { PATH: process.env.PATH, HOME: home, LC_ALL: "C.UTF-8", TZ: "UTC" },
    isRoot: false,
  };
  folder = join(home, ".config/wireshark/profiles/Tattle");
  await installDissector(lua, place);
});
afterAll(async () => rm(home, { recursive: true, force: true }));

async function readWithProfile(capture: string, args: readonly string[]): Promise<string[]> {
  const run = await runTshark("tshark", ["-r", capture, "-n", "-C", "Tattle", ...args], place.environment);
  expect(run.problem).toBeUndefined();
  return run.output.trimEnd().split("\n");
}

describe("the profile", () => {
  test("shows severity and minutes in columns", async () => {
    const [line = ""] = await readWithProfile(sample, ["-Y", "tattle", "-c", "300"]);
    expect(line).toMatch(/ TCP medium 5 \[mark: File-sharing software ran 5m30s ago\] /);
  });

  test("colours packets by severity, and keeps Wireshark's own colours behind", async () => {
    const capture = join(home, "analyst.pcap");
    await writeFile(capture, analystCapture());
    const args = ["--color", "-T", "fields", "-e", "frame.number", "-e", "frame.coloring_rule.name"];
    const lines = await readWithProfile(capture, ["-o", "tattle.kinds:253-254", ...args]);
    expect(lines.map((line) => line.split("\t")[1])).toEqual([
      expect.not.stringContaining("Tattle"),
      ...Array.from({ length: 3 }, () => "Tattle: critical"),
      // The first mark of the header counts, and its activity is one that the code book does not know.
      "Tattle: critical",
      "Tattle: critical",
      "Tattle: quoted in an ICMP error",
      "Tattle: malformed mark",
      "Tattle: critical",
    ]);
    expect(lines[0]).toMatch(/\tHTTP|\tTCP|\tBad TCP|\tChecksum/);
  });

  test("has macros with arguments", async () => {
    const withMacro = await readWithProfile(sample, ["-Y", "${tattle_since:60}"]);
    expect(withMacro).toEqual(await readWithProfile(sample, ["-Y", "tattle.elapsed_min < 60"]));
    expect(withMacro.length).toBeGreaterThan(3);
  });

  test("switches itself on for captures with marks, from Wireshark 4.4 on", async () => {
    expect(await readFile(join(folder, "profile_settings"), "utf8")).toContain(
      "auto_switch_filter: tattle\n",
    );
  });
});

describe("every filter of the profile", () => {
  const files = profileFiles("");
  const lines = (name: string): string[] =>
    (files.get(name) ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const cell = (line: string, index: number): string => line.slice(1, -1).split('","')[index] ?? "";
  const filters = [
    ...lines("colorfilters").map((line) => line.split("@")[2] ?? ""),
    ...lines("dfilter_buttons").map((line) => cell(line, 2)),
    ...lines("io_graphs").map((line) => cell(line, 2)),
    ...lines("dfilter_macros").map((line) =>
      cell(line, 1).replaceAll("$1", line.includes("host") ? "10.0.0.1" : "3"),
    ),
  ].filter((filter) => filter !== "");

  test("is one that Wireshark takes", async () => {
    const tshark = await IsolatedTshark.create(lua);
    try {
      const capture = await tshark.save("analyst.pcap", analystCapture());
      expect(filters.length).toBeGreaterThan(20);
      // One expression that holds all of them: a wrong one among them is refused with its text.
      const { status, errors } = await tshark.read(capture, [
        "-Y",
        filters.map((one) => `(${one})`).join(" || "),
      ]);
      expect({ status, errors }).toEqual({ status: 0, errors: "" });
    } finally {
      await tshark.close();
    }
  });
});

describe("what the analyst changed", () => {
  test("is kept when it is installed again, and when it is taken away", async () => {
    const buttons = join(folder, "dfilter_buttons");
    await appendFile(buttons, '"TRUE","Mine","tcp",""\n');
    const again = await installDissector(lua, place);
    expect(await readFile(buttons, "utf8")).toContain('"Mine"');
    expect(describeInstall(again).join("\n")).toContain("they were changed: dfilter_buttons");

    await writeFile(join(folder, "recent"), "gui.window: of the analyst's own\n");
    await uninstallDissector(place);
    expect((await readdir(folder)).toSorted()).toEqual(["dfilter_buttons", "recent"]);
  });
});

test("a profile of the same name that is somebody's own is left alone", async () => {
  await rm(folder, { recursive: true, force: true });
  await installDissector(lua, place);
  await rm(join(folder, "tattle-installed.json"));
  await writeFile(join(folder, "preferences"), "gui.toolbar_main_show: FALSE\n");
  const outcome = await installDissector(lua, place);
  expect(outcome).toHaveProperty("profile.kept", ["preferences"]);
  expect(await readFile(join(folder, "preferences"), "utf8")).toBe("gui.toolbar_main_show: FALSE\n");
});
