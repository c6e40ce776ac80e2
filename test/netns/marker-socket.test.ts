/** The socket on which programs say what they detected, and the service: by the command as it is built. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildFolder, startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";
import { endProcess, Topology, waitUntil } from "../support/netns.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { MarkedHost, whyNoMarkedHost } from "./marked-host.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`no program speaks to the marker: ${reason}`);
  test(`no program speaks to the marker: ${reason}`, () => undefined);
}
const once = reason === undefined ? [{}] : [];

// Before the command is built, which takes them along.
beforeAll(() => {
  if (reason === undefined) expect(buildKernelPrograms()).toBe("");
});
useBuiltCommand();

/** A group that nobody needs for anything else here; the number will do. */
const detectors = 54_321;
let topology: Topology;
let host: MarkedHost;
let watching: ChildProcess;
let said = "";

beforeAll(async () => {
  if (reason !== undefined) return;
  topology = await Topology.open();
  host = new MarkedHost(topology, "socket");
  await watchWith({});
});
afterAll(async () => {
  if (reason !== undefined) return;
  await endProcess(watching);
  await host.close();
  await topology.close();
});

const path = (): string => join(host.folder, "run", "mark.sock");

/** Starts the watchdog with a socket of these settings; resolves when it listens and has looked. */
async function watchWith(settings: object, prefix: readonly string[] = []): Promise<void> {
  const content = JSON.parse(readFileSync(host.settingsFile, "utf8")) as object;
  const socket = { path: path(), group: detectors, ...settings };
  writeFileSync(host.settingsFile, JSON.stringify({ ...content, socket }));
  said = "";
  const words = ["mark", "watch", "--every", "1", "--settings", host.settingsFile];
  const [command = "", ...rest] = [
    ...prefix,
    process.execPath,
    join(buildFolder(), "cli", "main.js"),
    ...words,
  ];
  watching = spawn(command, rest);
  watching.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await waitUntil(`it watches: ${said}`, () => said.includes("the marker is in place, and is watched"));
}

interface Answer {
  readonly ok: boolean;
  readonly error?: string;
  readonly records?: readonly {
    readonly category: number;
    readonly activity: number;
    readonly until: number | null;
  }[];
}

/** Says lines, ends its side, and gives the answers. */
async function say(...lines: readonly (object | string)[]): Promise<Answer[]> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(path());
    let answer = "";
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.end(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  });
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

const codes = (answer: Answer | undefined): string[] =>
  (answer?.records ?? []).map(({ category, activity }) => `${category}/${activity}`);

test.each(once)("a program adds, lists and removes, by name and number, on one connection", async () => {
  const now = Math.floor(Date.now() / 1000);
  const answers = await say(
    { do: "add", activity: "leak/sharing-folder", ttl: 600 },
    { do: "add", activity: "1/1", detectedAt: now - 60 },
    { do: "list" },
    { do: "remove", activity: "malware" },
  );
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true]);
  expect(answers.map(codes)).toEqual([["2/1"], ["2/1", "1/1"], ["2/1", "1/1"], ["2/1"]]);
  expect(answers[2]?.records).toMatchObject([
    { categoryName: "leak", activityName: "sharing-folder" },
    { detectedAt: now - 60, until: null },
  ]);
  expect(Math.abs((answers[0]?.records?.[0]?.until ?? 0) - now - 600)).toBeLessThan(30);
  // The command sees the same, and the kernel too.
  const { exitCode, out } = await tattle(["mark", "status", "--json", "--settings", host.settingsFile]);
  expect([exitCode, (JSON.parse(out) as { records: unknown[] }).records]).toMatchObject([
    0,
    [{ category: 2 }],
  ]);
});

test.each(once)("programs that speak at once, and the command, are all heard", async () => {
  const numbers = [1, 2, 3, 4, 5];
  await Promise.all([
    ...numbers.map(async (activity) => say({ do: "add", activity: `7/${activity}` })),
    tattle(["mark", "add", "6/1", "--settings", host.settingsFile]),
  ]);
  const [answer] = await say({ do: "list" });
  expect(codes(answer)).toEqual(expect.arrayContaining(["2/1", "6/1", "7/1", "7/2", "7/3", "7/4", "7/5"]));
});

test.each(once)("what is wrong with a request is said, and the next one is taken", async () => {
  const answers = await say(
    "add leak",
    { do: "clear" },
    { do: "add" },
    { do: "add", activity: "leak/nothing-known" },
    { do: "add", activity: "2/1", ttl: -1 },
    { do: "add", activity: "2/1", forever: true },
    { do: "list" },
  );
  expect(answers.map(({ error }) => error)).toEqual([
    'expected one JSON object a line, as {"do": "add", "activity": "leak/sharing-folder"}',
    "do: expected one of add, remove, list",
    "activity: expected a string, got nothing",
    "activity: not in the code book; names, or numbers up to 255/255",
    "ttl: expected at least 1, got -1",
    "unknown key; one of do, activity, detectedAt, ttl",
    undefined,
  ]);
  const long = await say(`{"do": "add", "activity": "${"x".repeat(10_000)}"}`);
  expect(long).toEqual([{ ok: false, error: "a line is longer than 4096 characters" }]);
});

/** Runs a client as an ordinary user of this group. */
function asUser(group: number, script: string): { status: number | null; stdout: string } {
  const client = `require("node:net").connect(${JSON.stringify(path())})
    .on("error", (error) => { console.log(error.code); process.exit(1); })
    .on("connect", function () { this.end(${JSON.stringify(script)}); })
    .on("data", (data) => process.stdout.write(data))`;
  const privileges = ["--reuid=65534", `--regid=${group}`, "--clear-groups", process.execPath, "-e", client];
  const { status, stdout } = spawnSync("setpriv", privileges, { encoding: "utf8" });
  return { status, stdout };
}

test.each(once)("members of the group may, others may not", () => {
  expect([statSync(path()).mode & 0o777, statSync(path()).gid]).toEqual([0o660, detectors]);
  const add = '{"do":"add","activity":"9/9"}';
  expect(asUser(65_534, add)).toEqual({ status: 1, stdout: "EACCES\n" });
  const { status, stdout } = asUser(detectors, add);
  expect([status, (JSON.parse(stdout) as Answer).ok]).toEqual([0, true]);
});

test.each(once)("a second one is refused, and what a killed one left is no hindrance", async () => {
  const second = startTattle(["mark", "watch", "--settings", host.settingsFile]);
  let words = "";
  second.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  await waitUntil("it is refused", () => words !== "");
  expect(words).toBe(`tattle: ${path()}: another process listens there\n`);
  await endProcess(watching, "SIGKILL");
  expect(existsSync(path())).toBe(true);
  await watchWith({ allow: ["add", "list"] });
  const [refused] = await say({ do: "remove", activity: "9/9" });
  expect(refused?.error).toBe("do: remove is not allowed here; the settings of the marker allow add, list");
  await endProcess(watching);
  expect(existsSync(path())).toBe(false);
});

test.each(once)(
  "a folder in which others may put a socket is refused, and a group that does not exist",
  async () => {
    const refusal = async (socket: object): Promise<string> => {
      const content = JSON.parse(readFileSync(host.settingsFile, "utf8")) as object;
      const file = join(host.folder, "other.json");
      writeFileSync(file, JSON.stringify({ ...content, socket }));
      return (await tattle(["mark", "watch", "--settings", file])).err;
    };
    expect(await refusal({ path: "/tmp/mark.sock" })).toContain(
      "/tmp: others may put a socket of theirs there",
    );
    expect(await refusal({ path: path(), group: "no-such-group" })).toContain('no group "no-such-group"');
    expect(await refusal({ path: path(), mode: "0666" })).toContain(
      "expected an octal mode that lets nobody else in",
    );
  },
);

test.each(once)("the watchdog outlives a state that somebody damaged, and says so", async () => {
  await watchWith({});
  const state = join(host.marker.settings.stateFolder, "mark.json");
  writeFileSync(state, "{");
  await waitUntil("it says so", () => said.includes("not a state of the marker"));
  expect(watching.exitCode).toBe(null);
  const [answer] = await say({ do: "add", activity: "1/1" });
  expect(answer?.error).toContain("tattle mark clear makes a new one");
  expect((await tattle(["mark", "clear", "--settings", host.settingsFile])).exitCode).toBe(0);
  expect(codes((await say({ do: "add", activity: "1/1" }))[0])).toEqual(["1/1"]);
  await endProcess(watching);
});

test.each(once)("the unit's capabilities are enough to put everything in place", async () => {
  const unit = readFileSync(
    fileURLToPath(new URL("../../live-agent/service/tattle-mark.service", import.meta.url)),
    "utf8",
  );
  const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1] ?? "";
  const set = [
    "-all",
    ...names
      .toLowerCase()
      .replaceAll("cap_", "")
      .split(" ")
      .map((name) => `+${name}`),
  ].join(",");
  await tattle(["mark", "detach", "--settings", host.settingsFile]);
  await watchWith({}, ["setpriv", "--inh-caps=-all", `--bounding-set=${set}`, "--no-new-privs"]);
  expect(codes((await say({ do: "add", activity: "1/1" }))[0])).toEqual(["1/1"]);
  const { out } = await tattle(["mark", "status", "--json", "--settings", host.settingsFile]);
  expect(JSON.parse(out)).toMatchObject({ attached: true, problems: [] });
  expect(said).not.toMatch(/failed|problem/);
  await endProcess(watching);
});
