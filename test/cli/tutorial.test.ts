/** The tutorial prints what the command really prints. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryRoot } from "../support/build-command.ts";
import { tattle, useBuiltCommand } from "../support/built-command.ts";

const tutorial = readFileSync(join(repositoryRoot, "docs/tutorials/first-capture.md"), "utf8");

/** Blocks of a `$ npx tattle` command with what it prints. serve never ends; what dissector says depends on the machine. */
const steps = [
  ...tutorial.matchAll(/^```console\n\$ npx tattle ((?:ingest|rank|host) .*)\n([^]*?)^```$/gm),
].map(([, args = "", printed = ""]) => ({ args, printed }));

let folder = "";

useBuiltCommand();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-tutorial-"));
  symlinkSync(join(repositoryRoot, "test"), join(folder, "test"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("has four such steps", () => {
  expect(steps.map((step) => step.args.split(" ")[0])).toEqual(["ingest", "rank", "host", "rank"]);
});

test.each(steps)("tattle $args", async ({ args, printed }) => {
  const { exitCode, out, err } = await tattle(args.split(" "), { cwd: folder });
  expect([exitCode, err]).toEqual([0, ""]);
  if (printed !== "") expect(out).toBe(printed);
});
