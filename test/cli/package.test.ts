/** What `npm pack` makes: it installs in an empty folder, and works there. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../support/build-command.ts";
import { buildFolder, useBuiltCommand } from "../support/built-command.ts";

let folder = "";
let tarball = "";

useBuiltCommand();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-package-"));
  const staging = join(folder, "staging");
  // The files of the checkout that npm may choose from, with a build of this test's own as dist/.
  for (const name of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "test/fixtures", "cli", "docs"])
    cpSync(join(repositoryRoot, name), join(staging, name), { recursive: true });
  cpSync(buildFolder(), join(staging, "dist"), { recursive: true });
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], {
    cwd: staging,
  });
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  test("holds the program, the browser side, the sample and the licence, and neither tests nor sources", () => {
    const names = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
    for (const name of [
      "LICENSE",
      "README.md",
      "dist/cli/main.js",
      "dist/wire/code-book.json",
      "dist/analytics/sql/migrations/0001-evidence.sql",
      "dist/policy/policy.default.json",
      "dist/policy/policy.schema.json",
      "dist/live-agent/agent/agent.schema.json",
      "dist/live-agent/service/tattle-agent.service",
      "dist/live-agent/service/tattle-agent.openwrt",
      "dist/dashboard/browser/main.js",
      "dist/dashboard/browser/index.html",
      "test/fixtures/small-company.pcapng",
      "test/fixtures/small-company-border.pcap",
    ]) {
      expect(names).toContain(`package/${name}`);
    }
    expect(names.filter((name) => /\.ts$|bench|^package\/(cli|docs)\//.test(name))).toEqual([]);
  });

  test("explains itself before a single dependency is there: help loads nothing", () => {
    const bare = join(folder, "bare");
    mkdirSync(bare);
    execFileSync("tar", ["-xzf", tarball, "-C", bare]);
    const main = join(bare, "package", "dist", "cli", "main.js");
    for (const args of [
      ["--help"],
      ["rank", "--help"],
      ["serve", "--help"],
      ["agent", "--help"],
      ["codes"],
      ["--version"],
    ]) {
      const run = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
      expect([args, run.status, run.stderr]).toEqual([args, 0, ""]);
    }
  });

  test("installs into an empty folder, ingests and ranks its own sample there", () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    // Told where, because npm looks for a package.json in the folders above first.
    const where = ["--prefix", empty];
    execFileSync(
      "npm",
      ["install", ...where, "--prefer-offline", "--no-audit", "--no-fund", "--silent", tarball],
      {
        cwd: empty,
      },
    );
    const installed = join(empty, "node_modules", "tattle");
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as {
      version: string;
    };
    const run = (...args: string[]): string =>
      execFileSync(join(empty, "node_modules", ".bin", "tattle"), args, { cwd: empty, encoding: "utf8" });
    expect(run("--version")).toBe(`${manifest.version}\n`);
    const samples = join(installed, "test", "fixtures");
    expect(run("ingest", "--database", "evidence.duckdb", samples)).toMatch(
      /small-company\.pcapng +complete/,
    );
    expect(existsSync(join(empty, "evidence.duckdb"))).toBe(true);
    expect(run("rank", "--database", "evidence.duckdb")).toMatch(/^As of .*\n\n# +Score/);
  }, 180_000);
});
