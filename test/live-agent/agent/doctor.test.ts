import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAgentConfig } from "../../../live-agent/agent/agent-config.ts";
import { examineActions } from "../../../live-agent/agent/doctor/examine-actions.ts";
import {
  examineBackends,
  examineGroups,
  examineInterfaces,
  examineRules,
} from "../../../live-agent/agent/doctor/examine-kernel.ts";
import { examine } from "../../../live-agent/agent/doctor/examine.ts";
import { examineLegacyLock } from "../../../live-agent/agent/doctor/examine-locks.ts";
import {
  examineCgroup,
  examineIptables,
  examinePrivileges,
  examineTcpdump,
} from "../../../live-agent/agent/doctor/examine-programs.ts";
import { enforcementPoint } from "../../../live-agent/agent/enforcement-point.ts";
import { KernelError } from "../../../live-agent/enforcement/kernel-error.ts";
import type { CommandResult, RunCommand } from "../../../live-agent/enforcement/run-command.ts";
import type { EnforcementPoint } from "../../../live-agent/enforcement/enforcement.ts";
import type { Policy } from "../../../policy/policy.ts";
import { codeBook, policyOf } from "../../policy/policy-support.ts";

/** Programs that say what the test wants; others are not installed. */
function machine(programs: Readonly<Record<string, Partial<CommandResult>>>): RunCommand {
  return async (command, args) => {
    const line = [command, ...args].join(" ");
    const found = Object.entries(programs).find(([beginning]) => line.startsWith(beginning))?.[1];
    if (!found) throw new KernelError(`cannot run ${command}`, `spawn ${command} ENOENT`);
    return Promise.resolve({ status: 0, stdout: "", stderr: "", ...found });
  };
}

async function pointOn(
  run: RunCommand,
  config: object = {},
  policy: Policy = policyOf([{ name: "leaks", action: "drop" }]),
): Promise<EnforcementPoint> {
  const content = { version: 1, policy: "policy.json", backend: "nft", ...config };
  return enforcementPoint(
    parseAgentConfig(content, "agent.json"),
    { policy, book: codeBook, digest: "" },
    run,
  );
}

test("privileges that are missing are named", () => {
  expect(examinePrivileges("CapEff:\t000001ffffffffff\n")).toMatchObject({ health: "well" });
  expect(examinePrivileges("CapEff:\t0000000000001000\n")).toMatchObject({
    health: "ill",
    found: "CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_NET_RAW missing",
  });
});

test("a program that is not there is named with what installs it", async () => {
  const run = machine({ "iptables-nft-save": { stdout: "iptables-nft-save v1.8.9 (nf_tables)\n" } });
  expect(await examineIptables(run, "nft", [4])).toEqual([
    { subject: "iptables-nft-save", health: "well", found: "iptables-nft-save v1.8.9 (nf_tables)" },
    { subject: "iptables-nft-restore", health: "ill", found: "not found", mend: "apt-get install iptables" },
  ]);
  expect(await examineTcpdump(run)).toMatchObject({ health: "ill", mend: "apt-get install tcpdump" });
});

test("a tcpdump that knows no NFLOG is of no use", async () => {
  const version = { stdout: "tcpdump version 4.99.3\n" };
  const list = (stdout: string) => machine({ "tcpdump --version": version, "tcpdump -D": { stdout } });
  expect(await examineTcpdump(list("1.eth0\n7.nflog (Linux netfilter log)\n"))).toMatchObject({
    health: "well",
  });
  expect(await examineTcpdump(list("1.eth0\n"))).toMatchObject({ health: "ill" });
});

test("rules of the other backend are ill, unless they are allowed", async () => {
  const rules = { stdout: "-A FORWARD -j ACCEPT\n-A INPUT -j ACCEPT\n" };
  const run = machine({ "iptables-legacy-save": rules, "ip6tables-legacy-save": {} });
  expect(await examineBackends(await pointOn(run))).toEqual({
    subject: "backend",
    health: "ill",
    found: "nft, and the legacy backend holds 2 rules: both act",
    mend: '"backend": "legacy", or "allowMixedBackends": true',
  });
  const allowed = await pointOn(run, { allowMixedBackends: true });
  expect(await examineBackends(allowed)).toMatchObject({ health: "hint" });
  expect(await examineBackends(await pointOn(machine({})))).toMatchObject({ health: "well" });
});

test("rules that the kernel does not take are told in its words, and tried in a namespace of their own", async () => {
  const run = machine({
    "unshare --net iptables-nft-save": {},
    "unshare --net iptables-nft-restore": { status: 4, stderr: "RULE_APPEND failed (No such file): bpf\n" },
  });
  const [ipv4] = await examineRules(await pointOn(run, { families: ["ipv4"] }), 1_777_896_000);
  expect(ipv4).toMatchObject({ subject: "rules for IPv4", health: "ill" });
  expect(ipv4?.found).toContain("RULE_APPEND failed (No such file): bpf");
  expect(ipv4?.mend).toContain("modprobe -a xt_bpf");
});

describe("altering at an end host", () => {
  const policy = policyOf([{ name: "zero", action: "alter", mirror: true }], {
    mirrorTo: { ipv4: "192.0.2.7" },
  });
  const programs = {
    "tc -V": { stdout: "tc utility, iproute2-6.1.0\n" },
    "ip -V": { stdout: "ip utility, iproute2-6.1.0\n" },
    "unshare --net tc -batch -": {},
    "unshare --net ip -batch -": {},
    "ip -4 -j route get 192.0.2.7": { stdout: '[{"dst":"192.0.2.7","dev":"eth1"}]' },
  };
  const found = async (differences: Readonly<Record<string, Partial<CommandResult>>>, without = "") => {
    const all = Object.entries({ ...programs, ...differences }).filter(([line]) => line !== without);
    const point = await pointOn(machine(Object.fromEntries(all)), { chains: ["INPUT"] }, policy);
    const findings = await examineActions(point, true);
    return findings.filter(({ subject }) => subject !== "alter program");
  };

  test("needs ip, tc, veth and the kernel's consent to the program", async () => {
    expect((await found({})).map(({ subject, health }) => `${subject}: ${health}`)).toEqual([
      "tc: well",
      "alter at this host: well",
      "ip: well",
      "veth: well",
      "analysis host, IPv4: well",
    ]);
  });

  test.each([
    ["no ip", {}, "ip -V", "ip", "apt-get install iproute2"],
    ["no tc", {}, "tc -V", "tc", "apt-get install iproute2"],
    [
      "no veth",
      { "unshare --net ip -batch -": { status: 1, stderr: "Error: Unknown device type.\n" } },
      "",
      "veth",
      "modprobe veth",
    ],
    [
      "no clsact",
      { "unshare --net tc -batch -": { status: 1, stderr: "Error: Specified qdisc kind is unknown.\n" } },
      "",
      "alter at this host",
      "modprobe -a sch_ingress cls_bpf; or a kernel with both",
    ],
    [
      "an analysis host behind a router",
      { "ip -4 -j route get 192.0.2.7": { stdout: '[{"dst":"192.0.2.7","gateway":"10.0.0.1"}]' } },
      "",
      "analysis host, IPv4",
      "choose one of a directly connected network",
    ],
  ])("%s is ill, and named with what mends it", async (_what, differences, without, subject, mend) => {
    const ill = (await found(differences, without)).filter(({ health }) => health === "ill");
    expect(ill).toMatchObject([{ subject, mend }]);
  });
});

test("an NFLOG group that somebody else reads is ill; the agent's own is not", () => {
  const listeners = "    5  23573     0 2 65531    100  1\n 7254  4711     0 2 65531    100  1\n";
  expect(examineGroups([7253, 7254], undefined, listeners)).toMatchObject({
    health: "ill",
    found: "group 7254 is read already, by netlink port 4711",
  });
  expect(examineGroups([7253, 7254], 99, listeners)).toMatchObject({ health: "well" });
  expect(examineGroups([7253], undefined, listeners)).toMatchObject({ health: "well" });
});

test("who holds the lock of the legacy programs is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "tattle-doctor-"));
  const lock = join(folder, "xtables.lock");
  writeFileSync(lock, "");
  const { ino } = statSync(lock);
  const held = `1: FLOCK  ADVISORY  WRITE 4711 08:01:${ino} 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 99 08:01:${ino} 0 EOF\n`;
  expect(examineLegacyLock(lock, held)).toMatchObject({ health: "hint", found: "held by process 4711" });
  expect(examineLegacyLock(lock, held.replaceAll(String(ino), "1"))).toMatchObject({ health: "well" });
  rmSync(folder, { recursive: true });
});

test("an outside interface that is not there is named", () => {
  const devices = "Inter-|   Receive\n face |bytes\n    lo:  100 1\n  wan0: 200 2\n";
  expect(examineInterfaces(["wan0", "wan1"], devices)).toMatchObject([
    { found: "there is no interface wan1" },
  ]);
});

test("cgroup2 is found where it is mounted", () => {
  expect(examineCgroup("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")).toMatchObject({
    found: "at /sys/fs/cgroup",
  });
  expect(examineCgroup("")).toMatchObject({ health: "hint" });
});

describe("keys that cannot be read", () => {
  const content = { version: 1, policy: "policy.json", backend: "nft", stateFolder: tmpdir() };
  const loaded = {
    policy: policyOf([{ name: "leaks", action: "drop", notify: true }]),
    book: codeBook,
    digest: "",
  };
  const findingsFor = async (markKeys: string) => {
    const config = parseAgentConfig({ ...content, markKeys }, "agent.json");
    return examine(config, loaded, { run: machine({}), lockFolder: tmpdir() }, 1_700_000_000);
  };

  test("are named as what they are, and everything else is looked at all the same", async () => {
    const findings = await findingsFor("/nonexistent/readers.json");
    expect(findings.find(({ subject }) => subject === "mark keys")).toMatchObject({
      health: "ill",
      found: expect.stringContaining("/nonexistent/readers.json") as string,
      mend: expect.stringContaining("tattle key new") as string,
    });
    expect(findings.filter(({ found }) => found.includes("markKeys"))).toEqual([]);
    expect(findings.map(({ subject }) => subject)).toEqual(expect.arrayContaining(["backend", "NFLOG"]));
  });

  test("may be open to others, which a chmod mends", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tattle-doctor-keys-"));
    try {
      const file = join(folder, "readers.json");
      writeFileSync(file, JSON.stringify({ keys: [{ id: 0, key: "00".repeat(16) }] }), { mode: 0o644 });
      const found = (await findingsFor(file)).find(({ subject }) => subject === "mark keys");
      expect(found).toMatchObject({ health: "ill", mend: expect.stringContaining("chmod 600") as string });
      chmodSync(file, 0o600);
      const read = (await findingsFor(file)).find(({ subject }) => subject === "mark keys");
      expect(read).toMatchObject({ health: "well", found: `${file}: 1 key` });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a rule of which people will not hear is named", async () => {
    const findings = await findingsFor("/nonexistent/readers.json");
    expect(findings.find(({ subject }) => subject === "notices")).toMatchObject({
      health: "hint",
      found: expect.stringContaining("rule leaks stops connections") as string,
    });
  });
});
