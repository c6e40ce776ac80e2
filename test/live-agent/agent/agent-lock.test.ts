import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acquireLock, AgentRunsError, lockHolder } from "../../../live-agent/agent/agent-lock.ts";
import { endProcess } from "../../support/netns.ts";

let folder = "";
const reason = process.platform === "linux" ? "" : "not run, the lock is Linux's: ";
if (reason !== "") console.warn(`${reason}the agent's lock`);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test(`${reason}a lock is held once, and free when it was released`, () => {
  if (reason !== "") return;
  const path = join(folder, "state", "agent.lock");
  const lock = acquireLock(path);
  expect(lockHolder(path)).toBe(pid);
  expect(() => acquireLock(path)).toThrow(AgentRunsError);
  expect(() => acquireLock(path)).toThrow(`an agent runs already: process ${pid}, says ${path}`);
  lock.release();
  expect(lockHolder(path)).toBeUndefined();
  acquireLock(path).release();
  expect(readdirSync(join(folder, "state"))).toEqual([]);
});

test(`${reason}the lock of a killed process is taken over`, async () => {
  if (reason !== "") return;
  const path = join(folder, "agent.lock");
  const script = `
    const { acquireLock } = await import(process.argv[1]);
    acquireLock(process.argv[2]);
    console.log("held");
    setInterval(() => undefined, 1000);`;
  const module = new URL("../../../live-agent/agent/agent-lock.ts", import.meta.url).href;
  const args = ["--import", "tsx", "--input-type=module", "-e", script, module, path];
  const holder = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  expect(lockHolder(path)).toBe(holder.pid);
  expect(() => acquireLock(path)).toThrow(AgentRunsError);
  await endProcess(holder, "SIGKILL");
  expect(lockHolder(path)).toBeUndefined();
  acquireLock(path).release();
});

test(`${reason}another process of the same number is not the holder, and what a crash left half-done is no obstacle`, () => {
  if (reason !== "") return;
  const path = join(folder, "agent.lock");
  writeFileSync(path, `${pid} another-boot 1`);
  mkdirSync(`${path}.takeover`);
  acquireLock(path).release();
});
