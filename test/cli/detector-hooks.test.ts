/** The hooks of docs/how-to/mark-a-host.md: each says an activity that exists, and those a shell can run are run. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCodeBook } from "../../cli/code-book-file.ts";
import { resolveActivity } from "../../wire/code-book.ts";

const page = readFileSync(new URL("../../docs/how-to/mark-a-host.md", import.meta.url), "utf8");
const book = readCodeBook(undefined);
const folder = mkdtempSync(join(tmpdir(), "tattle-hooks-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Stands in the place of tattle, and writes down what it was told. */
const told = join(folder, "told");
const stub = join(folder, "tattle");
writeFileSync(stub, `#!/bin/sh\necho "$*" >> ${told}\n`);
chmodSync(stub, 0o755);

function blockWith(words: string): string {
  const block = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
  return (block.find((text) => text.includes(words)) ?? "").replaceAll("/usr/local/bin/tattle", stub);
}

function run(script: string, input = ""): void {
  writeFileSync(told, "");
  spawnSync("sh", ["-c", script], { input, env: { PATH: `${folder}:${process.env.PATH ?? ""}` } });
}

test("every activity that the page names is in the code book", () => {
  const named = [...page.matchAll(/mark (?:add|remove) ([a-z-]+\/[a-z-]+)|"activity": "([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(6);
  for (const [, name, said] of named)
    expect(resolveActivity(book, name ?? said ?? ""), name ?? said).toBeDefined();
});

test("Wazuh's active response adds and removes", () => {
  const script = blockWith('"command":"add"');
  const message = (command: string): string =>
    `{"version":1,"origin":{"name":"node01","module":"wazuh-execd"},"command":"${command}","parameters":{"extra_args":[]}}\n`;
  run(script, message("add"));
  expect(readFileSync(told, "utf8")).toBe("mark add suspicious/unknown-program --ttl 1d\n");
  run(script, message("delete"));
  expect(readFileSync(told, "utf8")).toBe("mark remove suspicious/unknown-program\n");
  run(script, message("continue"));
  expect(readFileSync(told, "utf8")).toBe("");
});

test("a shell one-liner says what a detector found, and nothing where it found nothing", () => {
  const [, line = ""] = /`(some-detector && [^`]+)`/.exec(page) ?? [];
  run(line.replace("some-detector", "true"));
  expect(readFileSync(told, "utf8")).toBe("mark add malware/ran\n");
  run(line.replace("some-detector", "false"));
  expect(readFileSync(told, "utf8")).toBe("");
});

test("events of inotify and of the audit log become marks", () => {
  const stand = (name: string, output: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf '${output}'\n`);
    chmodSync(join(folder, name), 0o755);
  };
  stand("inotifywait", "/srv/share/ CLOSE_WRITE,CLOSE one\\n/srv/share/ MOVED_TO two\\n");
  run(blockWith("inotifywait"));
  expect(readFileSync(told, "utf8")).toBe("mark add leak/sharing-folder --ttl 1d\n".repeat(2));
  stand("auditctl", "");
  stand("ausearch", "type=SYSCALL key=tattle-leak\\n");
  run(blockWith("ausearch"));
  expect(readFileSync(told, "utf8")).toBe("mark add leak/sharing-folder --ttl 1d\n");
  stand("ausearch", "");
  run(blockWith("ausearch"));
  expect(readFileSync(told, "utf8")).toBe("");
});
