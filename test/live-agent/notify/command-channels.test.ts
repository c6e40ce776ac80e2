import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Sound } from "../../../live-agent/notify/sound.ts";
import { Wall } from "../../../live-agent/notify/wall.ts";
import { hostNotice, messageOf } from "./sample-notice.ts";

const signal = new AbortController().signal;
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-command-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program that notes its arguments and its input. */
function program(text = 'printf "%s\\n" "$@" > "$0.args"; cat > "$0.input"'): string {
  const path = join(folder, "program");
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o700);
  return path;
}

const hostile = hostNotice({
  title: "\u001b]0;owned\u0007 \u009b31m red \r\n$(touch owned) `touch owned` ; touch owned \u202e",
});

describe("a wall message", () => {
  test("reaches the program's input, one line a notice, without control characters", async () => {
    const path = program();
    const wall = new Wall({ name: "terminals", command: [path, "-n"], timeoutMs: 5000 });
    await wall.deliver(messageOf([hostile]), signal);
    const input = readFileSync(`${path}.input`, "utf8");
    expect(input).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(input.split("\n")).toHaveLength(4);
    expect(input.replaceAll(/ +/g, " ")).toContain(
      "]0;owned 31m red $(touch owned) `touch owned` ; touch owned",
    );
    expect(readFileSync(`${path}.args`, "utf8")).toBe("-n\n");
    expect(existsSync(join(folder, "owned"))).toBe(false);
  });

  test("has at most 13 lines", async () => {
    const path = program();
    const notices = Array.from({ length: 40 }, (_, index) => hostNotice({ at: index }));
    await new Wall({ name: "terminals", command: [path], timeoutMs: 5000 }).deliver(
      messageOf(notices),
      signal,
    );
    const lines = readFileSync(`${path}.input`, "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(13);
    expect(lines.at(-1)).toBe("and 30 more lines");
  });

  test.runIf(existsSync("/usr/bin/wall"))(
    "is taken by the real wall(1), here for the terminals of nobody",
    async () => {
      const wall = new Wall({
        name: "terminals",
        command: ["/usr/bin/wall", "-g", "nogroup"],
        timeoutMs: 5000,
      });
      await expect(wall.deliver(messageOf([hostile]), signal)).resolves.toBeUndefined();
    },
  );
});

describe("a sound", () => {
  test("is a program with its arguments, run without a shell", async () => {
    const path = program();
    const command = [path, "alarm file.wav", "$(touch owned)", ";", "touch owned"];
    await new Sound({ name: "alarm", command, timeoutMs: 5000 }).deliver(messageOf(), signal);
    expect(readFileSync(`${path}.args`, "utf8")).toBe("alarm file.wav\n$(touch owned)\n;\ntouch owned\n");
  });

  test("is heard once a group", () => {
    const sound = new Sound({ name: "alarm", command: ["aplay"], timeoutMs: 5000 });
    expect(sound.wants(messageOf([hostNotice()], { first: true }))).toBe(true);
    expect(sound.wants(messageOf([hostNotice()], { first: false }))).toBe(false);
  });
});

describe("a program", () => {
  test.each([
    ["that is not there", ["/nonexistent/program"], /^\/nonexistent\/program: .*ENOENT/],
    ["that fails", ["/bin/sh", "-c", "exit 3"], /^\/bin\/sh: ended with 3$/],
    ["that a signal ends", ["/bin/sh", "-c", "kill -TERM $$"], /^\/bin\/sh: ended with SIGTERM$/],
    ["that hangs is killed; it", ["/bin/sleep", "600"], /^\/bin\/sleep: not done after 200 ms$/],
  ])("%s is a failure for now", async (_, command, expected) => {
    const sound = new Sound({ name: "alarm", command, timeoutMs: 200 });
    await expect(sound.deliver(messageOf(), signal)).rejects.toMatchObject({
      name: "DeliveryError",
      isPermanent: false,
      message: expect.stringMatching(expected),
    });
  });

  test("that does not read its input is no failure", async () => {
    const wall = new Wall({ name: "terminals", command: ["/bin/true"], timeoutMs: 5000 });
    await expect(wall.deliver(messageOf(), signal)).resolves.toBeUndefined();
  });
});
