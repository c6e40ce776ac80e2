/**
 * Who can end a mark: nobody without privileges, and root not without a word. Also several detectors at once, and what a
 * reboot leaves. By the command as it is built.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { programPin } from "../../live-agent/marker/kernel-marks.ts";
import { buildFolder, resultOf, startTattle, tattle, useBuiltCommand } from "../support/built-command.ts";
import { endProcess, Topology, waitUntil } from "../support/netns.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { MarkedHost, whyNoMarkedHost } from "./marked-host.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`nobody tries to silence a mark: ${reason}`);
  test(`nobody tries to silence a mark: ${reason}`, () => undefined);
}
const once = reason === undefined ? [{}] : [];

// Before the command is built, which takes them along.
beforeAll(() => {
  if (reason === undefined) expect(buildKernelPrograms()).toBe("");
});
useBuiltCommand();

let topology: Topology;
let host: MarkedHost;

beforeAll(async () => {
  if (reason !== undefined) return;
  topology = await Topology.open();
  host = new MarkedHost(topology, "silencing");
});
afterEach(async () => {
  if (reason === undefined) await tattle(["mark", "clear", "--settings", host.settingsFile]);
});
afterAll(async () => {
  if (reason !== undefined) return;
  await host.close();
  await topology.close();
});

interface Status {
  readonly attached: boolean;
  readonly marking: boolean;
  readonly records: readonly { readonly category: number; readonly activity: number }[];
  readonly problems: readonly string[];
}

async function mark(
  ...words: readonly string[]
): Promise<{ exitCode: number | null; out: string; err: string }> {
  return tattle(["mark", ...words, "--settings", host.settingsFile]);
}

async function readStatus(): Promise<Status> {
  return JSON.parse((await mark("status", "--json")).out) as Status;
}

const program = (): string => programPin(host.marker.settings.pinFolder);
const stateFile = (): string => join(host.marker.settings.stateFolder, "mark.json");

/** Runs a program as nobody; its status, which is not 0. */
function asNobody(command: string, ...commandArguments: readonly string[]): number | null {
  const privileges = ["--reuid=65534", "--regid=65534", "--clear-groups", command];
  return spawnSync("setpriv", [...privileges, ...commandArguments]).status;
}

test.each(once)("without privileges nobody can clear, detach, or write state and map", async () => {
  expect((await mark("add", "leak/sharing-folder")).exitCode).toBe(0);
  const map = join(host.marker.settings.pinFolder, "tattle_marks");
  expect(asNobody("bpftool", "map", "delete", "pinned", map, "key", "0", "0", "0", "0")).not.toBe(0);
  expect(asNobody("bpftool", "cgroup", "detach", host.cgroup, "sock_ops", "pinned", program())).not.toBe(0);
  expect(asNobody("rm", map)).not.toBe(0);
  expect(asNobody("cat", stateFile())).not.toBe(0);
  expect(asNobody("cp", "/dev/null", stateFile())).not.toBe(0);
  expect(asNobody("rm", "-r", host.marker.settings.stateFolder)).not.toBe(0);
  expect(statSync(stateFile()).mode & 0o777).toBe(0o600);
  expect(statSync(host.marker.settings.stateFolder).mode & 0o777).toBe(0o700);

  const child = spawn(
    process.execPath,
    [...nobodysTattle(), "mark", "clear", "--settings", host.settingsFile],
    {
      uid: 65_534,
      gid: 65_534,
    },
  );
  const refused = await resultOf(child);
  expect([refused.exitCode, refused.err]).toEqual([
    2,
    "tattle: mark: permission denied; only root may say what this host is marked with\n",
  ]);
  expect((await readStatus()).records).toMatchObject([{ category: 2, activity: 1 }]);
});

/** Arguments that run the built command from where nobody may read it. */
function nobodysTattle(): readonly string[] {
  return [join(buildFolder(), "cli", "main.js")];
}

test.each(once)("a root that detaches the program is seen by status, and restore puts it back", async () => {
  await mark("add", "1/1");
  spawnSync("bpftool", ["cgroup", "detach", host.cgroup, "sock_ops", "pinned", program()]);
  const { exitCode, out } = await mark("status");
  expect(exitCode).toBe(3);
  expect(out).toContain(`problem: no marking program is attached to ${host.cgroup}`);
  expect((await mark("restore")).exitCode).toBe(0);
  expect(await readStatus()).toMatchObject({ attached: true, problems: [] });
});

test.each(once)(
  "a root that empties the map, or removes the pins, is seen by the watchdog, which repairs it",
  async () => {
    await mark("add", "1/1");
    const watchdog = startTattle(["mark", "watch", "--every", "1", "--settings", host.settingsFile]);
    let said = "";
    watchdog.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    try {
      await waitUntil("it watches", () => said.includes("the marker is in place, and is watched"));
      const map = join(host.marker.settings.pinFolder, "tattle_marks");
      spawnSync("bpftool", ["map", "delete", "pinned", map, "key", "0", "0", "0", "0"]);
      await waitUntil("it says so", () =>
        said.includes("the kernel writes other records than are kept; put right"),
      );
      for (const pin of [map, program()]) rmSync(pin);
      await waitUntil("it says so", () => said.includes("no marking program is attached"));
      await waitUntil("the program is back", async () => (await readStatus()).problems.length === 0);
    } finally {
      await endProcess(watchdog);
    }
    const attached = spawnSync("bpftool", ["-j", "cgroup", "show", host.cgroup], { encoding: "utf8" }).stdout;
    expect(attached.match(/tattle_mark/g)).toHaveLength(1);
  },
);

test.each(once)("detectors that speak at once are all heard", async () => {
  const activities = ["1/1", "1/2", "2/1", "2/2", "3/1", "4/1"];
  const results = await Promise.all(activities.map(async (activity) => mark("add", activity)));
  expect(results.map(({ exitCode, err }) => [exitCode, err])).toEqual(activities.map(() => [0, ""]));
  const { records, problems } = await readStatus();
  expect(records.map(({ category, activity }) => `${category}/${activity}`).toSorted()).toEqual(activities);
  expect(problems).toEqual([]);
});

test.each(once)("after a reboot restore brings back what was said, except what has ended", async () => {
  await mark("add", "1/1");
  await mark("add", "2/1", "--ttl", "1h");
  // What a reboot does: no program, no map, and only the file is left.
  await mark("detach");
  const state = JSON.parse(readFileSync(stateFile(), "utf8")) as { records: { until?: number }[] };
  for (const record of state.records) if (record.until !== undefined) record.until -= 7200;
  writeFileSync(stateFile(), JSON.stringify(state));
  expect((await mark("restore")).exitCode).toBe(0);
  expect(await readStatus()).toMatchObject({
    attached: true,
    records: [{ category: 1, activity: 1 }],
    problems: [],
  });
});

test.each(once)("a program of another version gives way to ours", async () => {
  await mark("detach");
  const map = join(host.marker.settings.pinFolder, "tattle_marks");
  const sizes = "type hash key 4 value 40 entries 1 name tattle_marks".split(" ");
  for (const pin of [map, program()]) spawnSync("bpftool", ["map", "create", pin, ...sizes]);
  expect([map, program()].map((pin) => existsSync(pin))).toEqual([true, true]);
  expect((await mark("add", "1/1")).exitCode).toBe(0);
  expect(await readStatus()).toMatchObject({ attached: true, problems: [] });
});

test.each(once)(
  "off keeps what was said, clear forgets it, and detach leaves nothing in the kernel",
  async () => {
    await mark("add", "1/1");
    expect((await mark("off")).out).toBe("off; what detectors said is kept\n");
    expect((await mark("add", "2/1")).out).toContain("marking is off, so no packet carries it");
    expect(await readStatus()).toMatchObject({ marking: false, problems: [], records: [{}, {}] });
    expect((await mark("on")).exitCode).toBe(0);
    expect((await mark("remove", "leak")).out).toBe("removed: 1\n");
    expect((await mark("remove", "leak")).out).toBe("nothing to remove\n");
    expect((await mark("clear")).exitCode).toBe(0);
    expect((await readStatus()).records).toEqual([]);
    expect((await mark("detach")).exitCode).toBe(0);
    expect(existsSync(program())).toBe(false);
    const shown = spawnSync("bpftool", ["-j", "cgroup", "show", host.cgroup], { encoding: "utf8" }).stdout;
    expect(shown).not.toContain("tattle_mark");
  },
);

test.each(once)("a state file that is damaged is named, and cleared by clear", async () => {
  await mark("add", "1/1");
  writeFileSync(stateFile(), '{"version": 1, "mark');
  const refused = await mark("add", "2/1");
  expect([refused.exitCode, refused.err]).toEqual([
    2,
    `tattle: ${stateFile()}: not a state of the marker; tattle mark clear makes a new one\n`,
  ]);
  expect((await mark("clear")).exitCode).toBe(0);
  expect((await readStatus()).problems).toEqual([]);
});
