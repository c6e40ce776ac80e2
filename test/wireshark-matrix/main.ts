/**
 * `npm run test:wireshark-matrix [-- --suite NAME] [--folder PATH]`: the dissector in the tsharks of Debian's releases,
 * which debootstrap brings (350 MB and about a minute each; kept in the folder for the next time). Needs root and a
 * mirror. Each is to show what the machine's own tshark shows, and to find what every filter should find.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { generateDissector } from "../../dissector/generate.ts";
import { profileFiles } from "../../dissector/profile.ts";
import { analystCapture, analystFilters } from "../support/analyst-capture.ts";
import { defaultCodeBook, IsolatedTshark, withoutReassembly } from "../support/tshark.ts";
import { detailsFromPdml, matrixArguments, matrixCapture } from "../support/wireshark-matrix.ts";

/** Wireshark 3.4 and 4.0 with Lua 5.2, 4.4 and later with Lua 5.4. */
const suites = ["bullseye", "bookworm", "trixie", "sid"];

const { values } = parseArgs({
  options: {
    suite: { type: "string", multiple: true },
    folder: { type: "string", default: join(tmpdir(), "tattle-wiresharks") },
    mirror: { type: "string" },
  },
});

function fail(message: string): never {
  console.error(`wireshark-matrix: ${message}`);
  process.exit(2);
}

if (process.getuid?.() !== 0) fail("debootstrap and chroot need root");

const folder = resolve(values.folder);
mkdirSync(folder, { recursive: true });
const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });
const capture = await matrixCapture();
const expected = await shownHere();

async function shownHere(): Promise<unknown> {
  const tshark = await IsolatedTshark.create(lua);
  try {
    const path = await tshark.save("matrix.pcapng", capture);
    const args = ["-T", "pdml", ...withoutReassembly, ...matrixArguments];
    return detailsFromPdml((await tshark.read(path, args)).output);
  } finally {
    await tshark.close();
  }
}

/** The root of a Debian release with tshark in it. */
function prepare(suite: string): string {
  const root = join(folder, suite);
  if (existsSync(join(root, "usr/bin/tshark"))) return root;
  console.log(`${suite}: debootstrap, about a minute`);
  const mirror = values.mirror === undefined ? [] : [values.mirror];
  try {
    const args = ["--variant=minbase", "--include=tshark", suite, root, ...mirror];
    execFileSync("debootstrap", args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    // A package of an unstable release may fail to configure, and tshark run all the same.
    if (!existsSync(join(root, "usr/bin/tshark"))) throw error;
  }
  return root;
}

/** As nobody: later Wiresharks run no Lua as root. */
function tshark(root: string, args: readonly string[]): string {
  const command = [
    "--userspec=65534:65534",
    root,
    "/usr/bin/env",
    "-i",
    "HOME=/tmp/tattle",
    "LC_ALL=C.UTF-8",
    "TZ=UTC",
  ];
  return execFileSync("chroot", [...command, "PATH=/usr/bin:/bin", "tshark", ...args], {
    encoding: "utf8",
    maxBuffer: 2 ** 29,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function examine(suite: string): string[] {
  const root = prepare(suite);
  const home = join(root, "tmp/tattle");
  rmSync(home, { recursive: true, force: true });
  const profile = join(home, ".config/wireshark/profiles/Tattle");
  mkdirSync(profile, { recursive: true });
  mkdirSync(join(home, ".local/lib/wireshark/plugins"), { recursive: true });
  writeFileSync(join(home, ".local/lib/wireshark/plugins/tattle.lua"), lua);
  for (const [name, text] of profileFiles("")) writeFileSync(join(profile, name), text);
  writeFileSync(join(home, "matrix.pcapng"), capture);
  writeFileSync(join(home, "analyst.pcap"), analystCapture());
  const problems: string[] = [];
  console.log(`${suite}: ${tshark(root, ["--version"]).split("\n")[0]}`);

  const read = [
    "-n",
    "-r",
    "/tmp/tattle/matrix.pcapng",
    "-T",
    "pdml",
    ...withoutReassembly,
    ...matrixArguments,
  ];
  const shown = detailsFromPdml(tshark(root, read));
  if (!isDeepStrictEqual(shown, expected)) problems.push("shows other details than the machine's tshark");

  const analyst = ["-n", "-r", "/tmp/tattle/analyst.pcap", "-o", "tattle.kinds:253-254"];
  const find = (filter: string): string =>
    tshark(root, [...analyst, "-C", "Tattle", "-Y", filter, "-T", "fields", "-e", "frame.number"])
      .trim()
      .replaceAll("\n", " ");
  for (const [filter, frames] of analystFilters) {
    const found = find(filter);
    if (found !== frames.join(" ")) problems.push(`${filter}: frames ${found}, expected ${frames.join(" ")}`);
  }
  if (find("${tattle_since:100}") !== find("tattle.elapsed_min < 100"))
    problems.push("the profile's macro is not found");
  if (!tshark(root, [...analyst, "-q", "-z", "tattle,hosts"]).includes("\n10.1.0.25 "))
    problems.push("-z tattle,hosts lists no host");
  if (!tshark(root, ["-G", "plugins"]).includes("tattle.lua"))
    problems.push("-G plugins does not list the file");
  return problems;
}

let failed = 0;
for (const suite of values.suite ?? suites) {
  if (!suites.includes(suite)) fail(`unknown suite "${suite}"; one of ${suites.join(", ")}`);
  const problems = examine(suite);
  for (const problem of problems) console.log(`${suite}: ${problem}`);
  console.log(`${suite}: ${problems.length === 0 ? "agrees" : `${problems.length} problems`}`);
  failed += problems.length;
}
process.exitCode = failed > 0 ? 1 : 0;
