/** The commands of docs/tutorials/block-a-leak.md, run one after another, print what the page says. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCgroupRoot } from "../../live-agent/marker/adopt-connections.ts";
import { repositoryRoot } from "../support/build-command.ts";
import { buildFolder, useBuiltCommand } from "../support/built-command.ts";
import { whyNoMarkedHost } from "./marked-host.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) console.warn(`not run: the tutorial in two namespaces; ${reason}`);

const page = readFileSync(join(repositoryRoot, "docs/tutorials/block-a-leak.md"), "utf8");
/** Commands, and what they print according to the page. */
const steps = [...page.matchAll(/^```sh\n([^]*?)^```\n(?:\n```text\n([^]*?)^```)?/gm)].map(
  ([, commands = "", printed = ""]) => ({
    commands,
    printed: printed.split("\n").filter((line) => line !== ""),
  }),
);

/** Names of its own, so that a tutorial that somebody is in the middle of is not disturbed. */
const own = (text: string): string => text.replaceAll(/tattle-(desk|server)/g, `tt${process.pid}-$1`);
const blanks = (text: string): string => text.replaceAll(/[ \t]+/g, " ");

describe.runIf(reason === undefined)("the tutorial in two namespaces (needs root)", () => {
  useBuiltCommand();
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tattle-tutorial-"));
    const program = join(folder, "bin-tattle");
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${buildFolder()}/cli/main.js" "$@"\n`);
    chmodSync(program, 0o755);
  });
  afterAll(() => {
    // What a step that failed left.
    for (const place of ["desk", "server"]) {
      const name = `tt${process.pid}-${place}`;
      for (const pid of spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout.split("\n")) {
        if (pid !== "") spawnSync("kill", ["-9", pid]);
      }
      spawnSync("ip", ["netns", "delete", name]);
    }
    rmSync(folder, { recursive: true, force: true });
    const cgroup = join(findCgroupRoot() ?? "", `tt${process.pid}-desk`);
    if (existsSync(cgroup)) rmdirSync(cgroup);
    rmSync(`/sys/fs/bpf/tt${process.pid}-desk`, { recursive: true, force: true });
  });

  test("prints what the page says, and leaves nothing", () => {
    const script = steps.map(({ commands }, index) => `echo "== ${index}"\n${own(commands)}`).join("\n");
    const tattle = `PATH="$PWD/bin:$PATH"\nmkdir bin\nmv bin-tattle bin/tattle\n`;
    const { stdout, stderr } = spawnSync("bash", ["-c", tattle + script], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, RUNTIME_DIRECTORY: join(folder, "run") },
      timeout: 50_000,
    });
    const outputs = stdout.split(/^== \d+\n/m).slice(1);
    expect(outputs.length, `${stdout}\n${stderr}`).toBe(steps.length);
    for (const [index, { printed }] of steps.entries()) {
      for (const line of printed) expect(blanks(outputs[index] ?? ""), stderr).toContain(blanks(line));
    }
    expect(spawnSync("ip", ["netns"], { encoding: "utf8" }).stdout).not.toContain(`tt${process.pid}-`);
  });
});
