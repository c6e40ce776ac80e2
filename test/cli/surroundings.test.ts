import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliError } from "../../cli/cli-error.ts";
import { defaultDatabase } from "../../cli/data-folder.ts";
import { describeFailure } from "../../cli/describe-failure.ts";
import { browserCommand } from "../../cli/start-browser.ts";
import { repositoryRoot } from "../support/build-command.ts";

describe("the default database", () => {
  test.each([
    ["linux", { HOME: "/home/ann" }, "/home/ann/.local/share/tattle/evidence.duckdb"],
    ["linux", { HOME: "/home/ann", XDG_DATA_HOME: "/data" }, "/data/tattle/evidence.duckdb"],
    [
      "linux",
      { HOME: "/home/ann", XDG_DATA_HOME: "relative" },
      "/home/ann/.local/share/tattle/evidence.duckdb",
    ],
    ["darwin", { HOME: "/Users/ann" }, "/Users/ann/Library/Application Support/tattle/evidence.duckdb"],
  ] as const)("on %s with %j lies in the user's data folder", (platform, env, path) => {
    expect(defaultDatabase({ platform, env })).toBe(path);
  });
});

describe("the browser", () => {
  const address = "http://127.0.0.1:8765/";

  test("is opened where there is a terminal and a screen", () => {
    expect(browserCommand(address, { platform: "linux", columns: 80, env: { DISPLAY: ":0" } })).toEqual([
      "xdg-open",
      address,
    ]);
    expect(browserCommand(address, { platform: "darwin", columns: 80, env: {} })).toEqual(["open", address]);
  });

  test.each([
    ["no screen", { platform: "linux", columns: 80, env: {} }],
    [
      "somebody logged in from elsewhere",
      { platform: "linux", columns: 80, env: { DISPLAY: ":0", SSH_CONNECTION: "x" } },
    ],
    ["no terminal", { platform: "darwin", columns: undefined, env: {} }],
  ] as const)("stays closed with %s", (_, shell) => {
    expect(browserCommand(address, shell)).toBeUndefined();
  });
});

describe("a failure", () => {
  test("that was foreseen is its message", () => {
    expect(describeFailure(new CliError("no such\u001b file", 3), { interrupted: false })).toEqual({
      line: "no such\\u{1b} file",
      exitCode: 3,
    });
  });

  test("that was not is one line, and our fault", () => {
    expect(describeFailure(new TypeError("x is not\n  a function"), { interrupted: false })).toEqual({
      line: "unexpected TypeError: x is not; a function (--debug shows where)",
      exitCode: 1,
    });
  });

  test("after Ctrl-C is the interruption", () => {
    expect(describeFailure(new Error("aborted"), { interrupted: true })).toEqual({
      line: "interrupted",
      exitCode: 130,
    });
  });
});

describe("npm test", () => {
  test("names the programs that are missing, and the command that gets them", () => {
    const folder = mkdtempSync(join(tmpdir(), "tattle-programs-"));
    try {
      const check = spawnSync(process.execPath, ["test/support/system-packages.mjs"], {
        cwd: repositoryRoot,
        // An empty folder: no tshark, and no apt-get either, so nothing is installed however the test runs.
        env: { PATH: folder },
        encoding: "utf8",
      });
      expect(check.status).toBe(2);
      const lines = check.stderr.trimEnd().split("\n");
      expect(lines[0]).toBe("the tests need programs that are missing here:");
      expect(lines).toContain("  tshark     runs the generated dissector");
      expect(lines.at(-1)).toMatch(
        /^as root: apt-get update && apt-get install -y --no-install-recommends tshark( [a-z0-9.-]+)*$/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
