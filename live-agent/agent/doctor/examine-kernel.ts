/** Whether this kernel takes the rules, and what else acts on the packets. */
import { existsSync, readFileSync } from "node:fs";
import { countOtherRules, readTables, restore } from "../../enforcement/iptables.ts";
import type { Iptables } from "../../enforcement/iptables.ts";
import { KernelError } from "../../enforcement/kernel-error.ts";
import type { EnforcementPoint } from "../../enforcement/enforcement.ts";
import { correct } from "../../enforcement/restore-text.ts";
import { rulesetFor } from "../../enforcement/ruleset.ts";
import type { RunCommand } from "../../enforcement/run-command.ts";
import { describeError } from "../agent-log.ts";
import { hint, ill, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** The rules of the policy, given to the kernel in a network namespace that exists only for that. */
export async function examineRules(point: EnforcementPoint, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const family of point.families) {
    const subject = `rules for IPv${family}`;
    try {
      const iptables = apart(point.iptables);
      const wanted = rulesetFor(point.policy, point, family, now);
      await restore(iptables, family, correct(wanted, await readTables(iptables, family)).text);
      findings.push(well(subject, "the kernel takes them (tried in a namespace of their own)"));
    } catch (error) {
      const mend =
        "modprobe -a xt_bpf xt_mark xt_conntrack xt_time xt_hashlimit xt_NFLOG xt_TCPOPTSTRIP xt_TEE";
      findings.push(ill(subject, describeError(error), mend));
    }
  }
  return findings;
}

function apart(iptables: Iptables): Iptables {
  const run: RunCommand = async (command, args, input) =>
    iptables.run("unshare", ["--net", command, ...args], input);
  return { ...iptables, run };
}

/** Rules of both backends act on each packet, in an order that nobody chose. */
export async function examineBackends(point: EnforcementPoint): Promise<Finding> {
  const { backend } = point.iptables;
  const other = backend === "nft" ? "legacy" : "nft";
  let rules = 0;
  for (const family of point.families) rules += await countOtherRules(point.iptables, family);
  if (rules === 0) return well("backend", `${backend}; the other one holds no rules`);
  const found = `${backend}, and the ${other} backend holds ${rules} rules: both act`;
  if (point.allowMixedBackends) return hint("backend", found);
  return ill("backend", found, `"backend": "${other}", or "allowMixedBackends": true`);
}

/** Packets of offloaded flows never meet the chains. */
export async function examineFlowtables(run: RunCommand): Promise<Finding> {
  const subject = "flow offload";
  try {
    const { stdout } = await run("nft", ["list", "flowtables"]);
    if (!/flowtable /.test(stdout)) return well(subject, "none");
    return ill(
      subject,
      "an nftables flowtable passes packets by the chains",
      "remove its flow add rules; nft list ruleset shows them",
    );
  } catch (error) {
    if (error instanceof KernelError) return hint(subject, "unknown: nft is not installed");
    throw error;
  }
}

/** Another reader of an NFLOG group keeps the agent's away. */
export function examineGroups(
  groups: readonly number[],
  agent: number | undefined,
  listeners: string = readIfThere("/proc/net/netfilter/nfnetlink_log"),
): Finding {
  const taken = listeners
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([group]) => group !== undefined && groups.includes(group));
  if (taken.length === 0) return well("NFLOG", `groups ${groups.join(" and ")} are free`);
  if (agent !== undefined) return well("NFLOG", `groups ${groups.join(" and ")} are read`);
  const [[group = 0, port = 0] = []] = taken;
  return ill("NFLOG", `group ${group} is read already, by netlink port ${port}`, "choose other nflog groups");
}

/** What the packets of these chains depend on. */
export function examineForwarding(point: EnforcementPoint): Finding[] {
  if (!point.hooks.includes("FORWARD")) return [];
  const switches = [
    ["/proc/sys/net/ipv4/ip_forward", 4, "net.ipv4.ip_forward"],
    ["/proc/sys/net/ipv6/conf/all/forwarding", 6, "net.ipv6.conf.all.forwarding"],
  ] as const;
  return switches
    .filter(([, family]) => point.families.includes(family))
    .map(([path, family, name]) =>
      readIfThere(path).trim() === "1"
        ? well(`IPv${family} forwarding`, "on")
        : hint(`IPv${family} forwarding`, "off: nothing passes FORWARD", `sysctl -w ${name}=1`),
    );
}

/** By /proc/net/dev, which is of this network namespace; /sys may be of another. */
export function examineInterfaces(
  outside: readonly string[],
  devices: string = readIfThere("/proc/net/dev"),
): Finding[] {
  const names = new Set([...devices.matchAll(/^\s*(\S+):/gm)].map(([, name]) => name));
  return outside
    .filter((name) => !names.has(name))
    .map((name) => ill("outside", `there is no interface ${name}`, "ip -brief link shows their names"));
}

/** A table that is full makes connections fail, and conntrack is used unless trackConnections is false. */
export function examineConntrack(isUsed: boolean): Finding[] {
  if (!isUsed) return [];
  const [count, most] = ["count", "max"].map((what) =>
    Number(readIfThere(`/proc/sys/net/netfilter/nf_conntrack_${what}`)),
  );
  if (count === undefined || most === undefined || most === 0) {
    return [hint("conntrack", "not in use yet; the agent's rules start it")];
  }
  const found = `${count} of ${most} connections`;
  if (count < most * 0.9) return [well("conntrack", found)];
  return [ill("conntrack", found, `sysctl -w net.netfilter.nf_conntrack_max=${most * 4}`)];
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
