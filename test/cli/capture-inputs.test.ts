import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCaptures, withCapture } from "../../cli/capture-inputs.ts";

let folder = "";
const pcapMagic = Buffer.from("d4c3b2a1", "hex");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-inputs-"));
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  writeFileSync(join(folder, "b.pcap"), pcapMagic);
  writeFileSync(join(folder, "a.pcapng.gz"), "");
  writeFileSync(join(folder, "notes.txt"), "nothing to see");
  writeFileSync(join(folder, "deep", "er", "no-extension"), pcapMagic);
  writeFileSync(join(folder, "deep", "ring.pcap3"), "");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = (...typed: string[]): string[] =>
  findCaptures(typed.map((name) => (name === "-" ? name : join(folder, name)))).map((capture) => {
    const name = capture.name.replace(`${folder}/`, "");
    return "problem" in capture ? `${name}: ${capture.problem}` : name;
  });

describe("what was typed", () => {
  test("a folder gives the captures below it, by name or by magic number, and passes the rest over", () => {
    expect(names(".")).toEqual(["a.pcapng.gz", "b.pcap", "deep/er/no-extension", "deep/ring.pcap3"]);
  });

  test("a named file is taken whatever it is", () => {
    expect(names("notes.txt")).toEqual(["notes.txt"]);
  });

  test("a pattern works where the shell has not expanded it", () => {
    expect(names("*.pcap*")).toEqual(["a.pcapng.gz", "b.pcap"]);
    expect(names("?.pcap")).toEqual(["b.pcap"]);
    expect(names("**/*.pcap*")).toEqual(["a.pcapng.gz", "b.pcap", "deep/ring.pcap3"]);
    expect(names("deep/*.pcap?")).toEqual(["deep/ring.pcap3"]);
  });

  test("what leads nowhere is told, and the rest still counts", () => {
    expect(names("missing.pcap", "b.pcap", "empty", "*.snoop")).toEqual([
      "missing.pcap: no such file or folder",
      "b.pcap",
      "empty: no capture in this folder",
      "*.snoop: no file matches this pattern",
    ]);
  });

  test("- is standard input", () => {
    expect(names("-")).toEqual(["standard input"]);
  });
});

test("a name that is no UTF-8 cannot be opened, and the reason says so", async () => {
  mkdirSync(join(folder, "odd"));
  const name = Buffer.concat([
    Buffer.from(join(folder, "odd", "bad")),
    Buffer.of(0xff),
    Buffer.from(".pcap"),
  ]);
  writeFileSync(name, pcapMagic);
  const [capture] = findCaptures([join(folder, "odd")]);
  if (!capture || "problem" in capture || "standardInput" in capture) throw new Error("expected the file");
  const opening = withCapture(capture, { stdin: process.stdin }, async () => Promise.resolve(0));
  await expect(opening).rejects.toThrow("the name is not UTF-8; hand the capture over as standard input");
});
