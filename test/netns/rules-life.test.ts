/** How rules come, stay, are found changed, and go: the real programs in a namespace. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { confirmCommit } from "../../live-agent/enforcement/commit-confirm.ts";
import {
  applyPolicy,
  describeChanges,
  readDrift,
  removeRules,
  renewTimes,
} from "../../live-agent/enforcement/enforcement.ts";
import type { EnforcementPoint } from "../../live-agent/enforcement/enforcement.ts";
import { backends, programName, restore } from "../../live-agent/enforcement/iptables.ts";
import type { Backend } from "../../live-agent/enforcement/iptables.ts";
import { KernelError } from "../../live-agent/enforcement/kernel-error.ts";
import { policyOf } from "../policy/policy-support.ts";
import { endProcess, Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { buildKernelPrograms, nowSeconds, pointOn } from "./enforcement-support.ts";

const reason = whyNoNamespaces();
if (reason !== undefined) console.warn(`no rules are applied: ${reason}`);
const cases = reason === undefined ? backends.map((backend) => ({ backend })) : [];

let topology: Topology;
const folder = mkdtempSync(join(tmpdir(), "tattle-rules-"));
beforeAll(async () => {
  if (reason === undefined) topology = await Topology.open();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason === undefined) await topology.close();
});
beforeEach(async () => {
  for (const { backend } of cases) await removeRules(leaksPoint(backend));
});

const rules = [
  { name: "leaks", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop" },
  { name: "others", severity: ["critical"], action: "reject" },
];

function leaksPoint(backend: Backend): EnforcementPoint {
  const settings = { neverBlock: ["10.1.0.3", "fd01::3"], stripAtEgress: true };
  const point = pointOn(topology, backend, policyOf(rules, settings));
  return { ...point, log: { group: 7, perSource: { rate: 10, burst: 20 } } };
}

/** All rules of a backend, without comments and the counters of built-in chains. */
async function allRules(backend: Backend): Promise<string[]> {
  const texts: string[] = [];
  for (const family of [4, 6] as const) {
    const { stdout } = await topology.runner("router")(programName(backend, family, "save"), []);
    texts.push(stdout);
  }
  const lines = texts.join("").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(/\[\d+:\d+\]/, ""));
}

async function iptables(backend: Backend, line: string): Promise<void> {
  await topology.run("router", `iptables-${backend} ${line}`);
}

test.each(cases)("applying twice changes nothing the second time ($backend)", async ({ backend }) => {
  const point = leaksPoint(backend);
  const now = nowSeconds();
  expect((await applyPolicy(point, now)).count).toBeGreaterThan(10);
  const first = await allRules(backend);
  expect(await applyPolicy(point, now)).toEqual({ count: 0, differences: [], lostJumps: 0 });
  expect(await allRules(backend)).toEqual(first);
});

test.each(cases)(
  "removal leaves not one rule, and what others made stays ($backend)",
  async ({ backend }) => {
    await iptables(backend, "-t mangle -A FORWARD -p udp -j ACCEPT");
    // A backend lists a table once it was used; removing nothing uses both.
    await removeRules(leaksPoint(backend));
    const before = await allRules(backend);
    await applyPolicy(leaksPoint(backend), nowSeconds());
    expect(await allRules(backend)).not.toEqual(before);
    await removeRules(leaksPoint(backend));
    expect(await allRules(backend)).toEqual(before);
    await iptables(backend, "-t mangle -D FORWARD -p udp -j ACCEPT");
  },
);

test.each(cases)("a text with one bad line applies nothing ($backend)", async ({ backend }) => {
  const point = leaksPoint(backend);
  await applyPolicy(point, nowSeconds());
  const before = await allRules(backend);
  const text =
    "*mangle\n:TATTLE-V0 - [0:0]\n-A TATTLE-V0 -j DROP\n-A TATTLE-V0 -m nonsense -j DROP\nCOMMIT\n";
  const failure = await restore(point.iptables, 4, text).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(KernelError);
  expect((failure as KernelError).message).toContain("changed nothing");
  expect((failure as KernelError).cause).toContain("nonsense");
  expect(await allRules(backend)).toEqual(before);
});

test.each(cases)(
  "a flushed jump is found, put back to the first place, and counted ($backend)",
  async ({ backend }) => {
    const point = leaksPoint(backend);
    const now = nowSeconds();
    await applyPolicy(point, now);
    await iptables(backend, "-t mangle -F FORWARD");
    expect(await readDrift(point, now)).toMatchObject({
      count: 1,
      lostJumps: 1,
      differences: ["IPv4 mangle FORWARD: jump missing"],
    });
    await applyPolicy(point, now);
    await iptables(backend, "-t mangle -I FORWARD -p tcp -j ACCEPT");
    expect(await readDrift(point, now)).toMatchObject({ count: 1, lostJumps: 1 });
    expect((await applyPolicy(point, now)).lostJumps).toBe(1);
    expect(await readDrift(point, now)).toEqual({ count: 0, differences: [], lostJumps: 0 });
    await iptables(backend, "-t mangle -D FORWARD -p tcp -j ACCEPT");
  },
);

test.each(cases)("a rule that somebody changed is one line of drift ($backend)", async ({ backend }) => {
  const point = leaksPoint(backend);
  const now = nowSeconds();
  await applyPolicy(point, now);
  await iptables(backend, "-t mangle -D TATTLE-V0 -j DROP");
  const drift = await readDrift(point, now);
  expect(drift.differences).toEqual(["IPv4 mangle TATTLE-V0 rule 3: is nothing, wanted -j DROP"]);
});

test.each(cases)(
  "renewal moves the time constants and leaves counters alone ($backend)",
  async ({ backend }) => {
    const point = leaksPoint(backend);
    const now = nowSeconds();
    await applyPolicy(point, now);
    const counter = '-m comment --comment "tattle:drop:leaks"';
    const set = `*mangle\n:TATTLE-V0 - [0:0]\n[7:700] -A TATTLE-V0 ${counter} -j MARK --set-xmark 0x0/0xffc00000\nCOMMIT\n`;
    const { run } = point.iptables;
    expect(await run(programName(backend, 4, "restore"), ["--noflush", "--counters"], set)).toMatchObject({
      status: 0,
    });
    expect(await renewTimes(point, now + 60)).toBe(true);
    const { stdout } = await run(programName(backend, 4, "save"), ["-c", "-t", "mangle"]);
    expect(stdout).toContain(`[7:700] -A TATTLE-V0 ${counter}`);
    // The first detection that is younger than 600 s, in the programs of the rule.
    expect(stdout).toContain(` ${now + 60 - 599},`);
    expect(stdout).not.toContain(` ${now - 599},`);
  },
);

test.each(cases)("another policy replaces the chains of the last one ($backend)", async ({ backend }) => {
  await applyPolicy(leaksPoint(backend), nowSeconds());
  const point = pointOn(topology, backend, policyOf([]));
  await applyPolicy(point, nowSeconds());
  expect((await readDrift(point, nowSeconds())).count).toBe(0);
  expect((await allRules(backend)).filter((line) => /TATTLE-(V0|V1|REJECT|FOREIGN)/.test(line))).toEqual([]);
});

test.each(cases)("a dry run tells the text, and applies nothing ($backend)", async ({ backend }) => {
  const point = leaksPoint(backend);
  const before = await allRules(backend);
  const text = await describeChanges(point, nowSeconds());
  const [ipv4 = ""] = text.split("# ip6tables");
  expect(text).toContain(`# iptables-${backend}-restore --noflush -w 5\n*mangle\n:TATTLE - [0:0]\n`);
  expect(text).toContain("-I FORWARD 1 -p tcp -j TATTLE\n");
  expect(await allRules(backend)).toEqual(before);
  expect(
    await topology.runner("router")(programName(backend, 4, "restore"), ["--noflush", "--test"], ipv4),
  ).toMatchObject({ status: 0 });
});

test.each(cases)("the text of a dry run is what is applied ($backend)", async ({ backend }) => {
  const point = leaksPoint(backend);
  const now = nowSeconds();
  const [, ...texts] = (await describeChanges(point, now)).split(/^# .*-restore .*\n/m);
  for (const [index, text] of texts.entries()) await restore(point.iptables, index === 0 ? 4 : 6, text);
  expect(texts).toHaveLength(2);
  expect(await readDrift(point, now)).toEqual({ count: 0, differences: [], lostJumps: 0 });
  expect(await applyPolicy(point, now)).toMatchObject({ count: 0 });
});

test.each(cases)(
  "tables that another program replaced whole, as firewalld does, are filled again ($backend)",
  async ({ backend }) => {
    const point = leaksPoint(backend);
    const now = nowSeconds();
    await applyPolicy(point, now);
    const wanted = await allRules(backend);
    const { run } = point.iptables;
    const empty = "*mangle\nCOMMIT\n*filter\nCOMMIT\n";
    for (const family of [4, 6] as const) await run(programName(backend, family, "restore"), [], empty);
    expect(await readDrift(point, now)).toMatchObject({ lostJumps: 6 });
    expect((await applyPolicy(point, now)).count).toBeGreaterThan(20);
    expect((await allRules(backend)).toSorted()).toEqual(wanted.toSorted());
  },
);

test.each(cases)(
  "a router that is an end host, too, alters at both places, and removal leaves neither ($backend)",
  async ({ backend }) => {
    expect(buildKernelPrograms()).toBe("");
    const before = await topology.run("router", "ip -o link show");
    const policy = policyOf([{ name: "blank", action: "alter" }]);
    const point = { ...pointOn(topology, backend, policy), hooks: ["FORWARD", "INPUT"] as const };
    const now = nowSeconds();
    expect(await describeChanges(point, now)).toContain("# put right before the rules come: tattle-zero0:");
    await applyPolicy(point, now);
    expect(await readDrift(point, now)).toEqual({ count: 0, differences: [], lostJumps: 0 });
    await removeRules(point);
    expect(await topology.run("router", "ip -o link show")).toBe(before);
    expect(await topology.run("router", "tc qdisc show")).not.toContain("clsact");
  },
);

test.each(cases)(
  "rules of the other backend are refused unless they are allowed ($backend)",
  async ({ backend }) => {
    const other = backend === "nft" ? "legacy" : "nft";
    await iptables(other, "-A FORWARD -p udp -j ACCEPT");
    const point = leaksPoint(backend);
    await expect(applyPolicy(point, nowSeconds())).rejects.toThrow(
      `the ${other} backend holds 1 IPv4 rules, and this is the ${backend} backend: both would act`,
    );
    await applyPolicy({ ...point, allowMixedBackends: true }, nowSeconds());
    await iptables(other, "-D FORWARD -p udp -j ACCEPT");
  },
);

test(`a lock that another program holds is waited for, and no longer than was asked${reason === undefined ? "" : ": not run"}`, async () => {
  if (reason !== undefined) return;
  const lock = join(folder, "xtables.lock");
  // Without a fork, so that ending it ends all of it.
  const holder = spawn("flock", ["--no-fork", lock, "sleep", "60"], { stdio: "ignore" });
  await waitUntil("the lock is held", () => spawnSync("flock", ["--nonblock", lock, "true"]).status === 1);
  try {
    const run = topology.runner("router");
    const point = leaksPoint("legacy");
    const locked = {
      backend: "legacy" as const,
      lockWaitSeconds: 1,
      run: (command: string, rest: readonly string[], input?: string) =>
        run("env", [`XTABLES_LOCKFILE=${lock}`, command, ...rest], input),
    };
    await expect(applyPolicy({ ...point, iptables: locked }, nowSeconds())).rejects.toThrow(
      "iptables-legacy-restore changed nothing: another program held the lock for 1 s",
    );
  } finally {
    await endProcess(holder, "SIGKILL");
  }
});

test(`a program that cannot be compiled here is named with what makes it${reason === undefined ? "" : ": not run"}`, async () => {
  if (reason !== undefined) return;
  const policy = policyOf([{ name: "blank", action: "alter" }]);
  const point = { ...pointOn(topology, "nft", policy), alter: { object: join(folder, "none.o") } };
  const failure = await applyPolicy(point, nowSeconds()).catch((error: unknown) => error);
  expect((failure as KernelError).message).toBe(
    `alter needs ${join(folder, "none.o")}, which does not exist`,
  );
  expect((failure as KernelError).cause).toContain("npm run build:bpf");
});

test(`the program that zeroes payloads is missed where it is gone, and removed with the rules${reason === undefined ? "" : ": not run"}`, async () => {
  if (reason !== undefined) return;
  expect(buildKernelPrograms()).toBe("");
  const point = pointOn(topology, "nft", policyOf([{ name: "blank", action: "alter" }]));
  const now = nowSeconds();
  await applyPolicy(point, now);
  expect((await readDrift(point, now)).count).toBe(0);
  await topology.run("router", "tc qdisc del dev wan0 clsact");
  expect((await readDrift(point, now)).differences).toEqual(["wan0: no program zeroes payloads at egress"]);
  await applyPolicy(point, now);
  await removeRules(point);
  expect(await topology.run("router", "tc qdisc show dev wan0")).not.toContain("clsact");
});

test.each(cases)(
  "rules go back unless confirmed, also when the agent is killed ($backend)",
  async ({ backend }) => {
    await applyPolicy(leaksPoint(backend), nowSeconds());
    const before = await allRules(backend);
    const state = join(folder, `commit-${backend}`);
    await killedAgent(backend, state, 1);
    expect(await allRules(backend)).not.toEqual(before);
    await waitUntil(
      "the guard is done",
      () => !existsSync(join(state, "pending.json")) && !existsSync(join(state, "reverting.json")),
    );
    expect(await allRules(backend)).toEqual(before);
    expect(confirmCommit(state)).toBe(false);
  },
);

test.each(cases)("confirmed rules stay ($backend)", async ({ backend }) => {
  const state = join(folder, `confirmed-${backend}`);
  const guard = await killedAgent(backend, state, 1);
  const applied = await allRules(backend);
  expect(confirmCommit(state)).toBe(true);
  await waitUntil("the guard has ended", () => !existsSync(`/proc/${guard}/exe`));
  expect(await allRules(backend)).toEqual(applied);
});

/** An agent that applied other rules and was killed before anybody confirmed; the process id of its guard. */
async function killedAgent(backend: Backend, state: string, seconds: number): Promise<number> {
  const script = fileURLToPath(new URL("committing-agent.ts", import.meta.url));
  const agent = spawn(
    process.execPath,
    ["--import", "tsx", script, state, backend, topology.path("router"), String(seconds)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const said = await new Promise<Buffer>((resolve) => agent.stdout.once("data", resolve));
  await endProcess(agent, "SIGKILL");
  return Number(said.toString());
}
