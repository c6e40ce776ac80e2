/** What `alter`, `mirror` and rules about tags need beyond rules: programs, kernel programs, ways to the analysis host. */
import { existsSync } from "node:fs";
import type { Policy } from "../../../policy/policy.ts";
import { returnInterface } from "../../enforcement/alter-at-host.ts";
import { runTc, shippedObject, zeroingPrograms } from "../../enforcement/alter.ts";
import type { EnforcementPoint } from "../../enforcement/enforcement.ts";
import { KernelError } from "../../enforcement/kernel-error.ts";
import type { RunCommand } from "../../enforcement/run-command.ts";
import { asksForTags, shippedTagProgram } from "../../enforcement/tag-checking.ts";
import { describeError } from "../agent-log.ts";
import { versionOf } from "./examine-programs.ts";
import { ill, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

const build = "npm run build:bpf (needs clang and libbpf-dev)";

/** `mayTry`: whether namespaces may be made, in which the kernel is asked. */
export async function examineActions(
  { policy, hooks, iptables: { run } }: EnforcementPoint,
  mayTry: boolean,
): Promise<Finding[]> {
  const alters = policy.rules.some(({ action }) => action === "alter");
  const checksTags = asksForTags(policy);
  return [
    ...(alters || checksTags ? [await examineProgram(run, "tc", "-V", "iproute2")] : []),
    ...(alters ? examineObject("alter program", shippedObject) : []),
    ...(alters && mayTry ? await examineZeroing(run, hooks) : []),
    ...(alters && hooks.includes("INPUT") ? await examineReturns(run, policy, mayTry) : []),
    ...(checksTags ? await examineTagChecks(run) : []),
    ...(await examineMirror(run, policy)),
  ];
}

async function examineProgram(
  run: RunCommand,
  program: string,
  argument: string,
  packageName: string,
): Promise<Finding> {
  const version = await versionOf(run, program, [argument]);
  if (version === undefined) return ill(program, "not found", `apt-get install ${packageName}`);
  return well(program, version);
}

function examineObject(subject: string, path: string): Finding[] {
  return [existsSync(path) ? well(subject, path) : ill(subject, `${path} is missing`, build)];
}

/** The kernel is given the program, in a network namespace that exists only for that: its loopback is an interface. */
async function examineZeroing(run: RunCommand, hooks: EnforcementPoint["hooks"]): Promise<Finding[]> {
  if (!existsSync(shippedObject)) return [];
  const apart: RunCommand = async (command, args, input) =>
    run("unshare", ["--net", command, ...args], input);
  const findings: Finding[] = [];
  for (const hook of hooks) {
    const subject = hook === "FORWARD" ? "alter at a router" : "alter at this host";
    const section = zeroingPrograms[hook];
    const filter = "filter add dev lo egress prio 49 handle 0x7a protocol all bpf direct-action object-file";
    try {
      await runTc(
        apart,
        ["-batch", "-"],
        `qdisc add dev lo clsact\n${filter} ${shippedObject} section ${section}\n`,
      );
      findings.push(well(subject, "the kernel takes the program (tried in a namespace of its own)"));
    } catch (error) {
      findings.push(
        ill(subject, describeError(error), "modprobe -a sch_ingress cls_bpf; or a kernel with both"),
      );
    }
  }
  return findings;
}

/** At an end host copies come back through a pair of interfaces. */
async function examineReturns(run: RunCommand, policy: Policy, mayTry: boolean): Promise<Finding[]> {
  const ip = await examineProgram(run, "ip", "-V", "iproute2");
  if (ip.health !== "well" || !mayTry) return [ip];
  const own = returnInterface(policy.outside.length);
  const pair = `link add ${own} type veth peer name tattle-end\n`;
  const { status, stderr } = await run("unshare", ["--net", "ip", "-batch", "-"], pair);
  return [
    ip,
    status === 0
      ? well("veth", "pairs of interfaces can be made")
      : ill("veth", stderr.trim().split("\n")[0] ?? "refused", "modprobe veth"),
  ];
}

async function examineTagChecks(run: RunCommand): Promise<Finding[]> {
  return [
    await examineProgram(run, "bpftool", "version", "bpftool"),
    ...examineObject("tag program", shippedTagProgram),
  ];
}

/** TEE hands copies to a neighbour; behind a router they would go astray. */
async function examineMirror(run: RunCommand, policy: Policy): Promise<Finding[]> {
  if (!policy.rules.some(({ mirror }) => mirror)) return [];
  const findings: Finding[] = [];
  for (const [family, address] of [
    ["4", policy.mirrorTo.ipv4],
    ["6", policy.mirrorTo.ipv6],
  ] as const) {
    if (address !== undefined) findings.push(await examineGateway(run, family, address));
  }
  return findings;
}

async function examineGateway(run: RunCommand, family: "4" | "6", address: string): Promise<Finding> {
  const subject = `analysis host, IPv${family}`;
  const mend = "choose one of a directly connected network";
  try {
    const { status, stdout, stderr } = await run("ip", [`-${family}`, "-j", "route", "get", address]);
    if (status !== 0) return ill(subject, `${address}: ${stderr.trim()}`, mend);
    const [route] = JSON.parse(stdout) as { readonly gateway?: string; readonly dev?: string }[];
    if (route?.gateway === undefined) return well(subject, `${address} by ${route?.dev ?? "an interface"}`);
    return ill(subject, `${address} is behind ${route.gateway}`, mend);
  } catch (error) {
    if (error instanceof KernelError)
      return ill(subject, "unknown: ip is not installed", "apt-get install iproute2");
    throw error;
  }
}
