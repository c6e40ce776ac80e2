/**
 * `npx tsx test/support/make-wireshark-picture.ts`: docs/pictures/wireshark.png anew. The window of this machine's Wireshark
 * on a screen that nobody sees, with the dissector and the profile installed. On Debian: apt-get install wireshark xvfb xdotool imagemagick.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateDissector } from "../../dissector/generate.ts";
import { installDissector } from "../../dissector/install.ts";
import { defaultCodeBook } from "./tshark.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "tattle-picture-"));
const display = `:${90 + (process.pid % 100)}`;
const environment = {
  PATH: process.env.PATH,
  HOME: home,
  TZ: "UTC",
  LC_ALL: "C.UTF-8",
  DISPLAY: display,
  XDG_RUNTIME_DIR: home,
};

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { env: environment, encoding: "utf8" });
}

/** Waits until `ask` gives something, a minute at most. */
async function until(ask: () => string): Promise<string> {
  for (let second = 0; second < 60; second++) {
    try {
      const found = ask().trim();
      if (found !== "") return found;
    } catch {
      // Not there yet.
    }
    await pause(1);
  }
  throw new Error("Wireshark's window did not come within a minute");
}

async function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
}

const screen = spawn("Xvfb", [display, "-screen", "0", "1480x860x24"], { stdio: "ignore" });
try {
  const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });
  const place = { platform: process.platform, environment, isRoot: process.getuid?.() === 0 };
  await installDissector(lua, place);
  mkdirSync(join(home, ".config/wireshark"), { recursive: true });
  writeFileSync(join(home, ".config/wireshark/recent_common"), "privs.warn_if_elevated: FALSE\n");
  await until(() => run("xdotool", "getdisplaygeometry"));
  const args = ["-C", "Tattle", "-r", "test/fixtures/small-company.pcapng", "-Y", "tattle", "-g", "809"];
  const wireshark = spawn("wireshark", args, { cwd: root, env: environment, stdio: "ignore" });
  try {
    const window = await until(() => run("xdotool", "search", "--name", "small-company.pcapng"));
    const [id = ""] = window.split("\n").slice(-1);
    run("xdotool", "windowsize", id, "1480", "860");
    run("xdotool", "windowmove", id, "0", "0");
    // Qt lays the window out and draws it; nothing tells when it has.
    await pause(5);
    // The line of TCP in the details, then everything below it.
    run("xdotool", "mousemove", "160", "521", "click", "1", "key", "shift+Right");
    await pause(3);
    // The mark is the last of the options, near the end of the details.
    run("xdotool", "key", "End");
    await pause(3);
    run("import", "-window", "root", "+dither", "-colors", "48", join(root, "docs/pictures/wireshark.png"));
  } finally {
    wireshark.kill();
  }
} finally {
  screen.kill();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
