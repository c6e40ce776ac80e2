/** The programs that the agent runs, and the privileges that they need. */
import { readFileSync } from "node:fs";
import { programName } from "../../enforcement/iptables.ts";
import type { Backend } from "../../enforcement/iptables.ts";
import { KernelError } from "../../enforcement/kernel-error.ts";
import type { Family } from "../../enforcement/packet-place.ts";
import type { RunCommand } from "../../enforcement/run-command.ts";
import { hint, ill, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** What every agent needs of what the unit gives (live-agent/service/tattle-agent.service); linux/capability.h. */
const neededCapabilities = [
  { name: "CAP_KILL", bit: 5 },
  { name: "CAP_SETGID", bit: 6 },
  { name: "CAP_SETUID", bit: 7 },
  { name: "CAP_NET_ADMIN", bit: 12 },
  { name: "CAP_NET_RAW", bit: 13 },
] as const;

/** Of the process that examines: whoever runs the agent runs the doctor. */
export function examinePrivileges(status: string = readFileSync("/proc/self/status", "utf8")): Finding {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const missing = neededCapabilities.filter(({ bit }) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return well("privileges", "enough");
  const names = missing.map(({ name }) => name).join(", ");
  return ill(
    "privileges",
    `${names} missing`,
    "sudo tattle agent doctor, or the systemd unit's capabilities",
  );
}

/** The two programs for each family and what they say of themselves. */
export async function examineIptables(
  run: RunCommand,
  backend: Backend,
  families: readonly Family[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const family of families) {
    for (const verb of ["save", "restore"] as const) {
      const program = programName(backend, family, verb);
      const version = await versionOf(run, program, ["--version"]);
      if (version === undefined) findings.push(ill(program, "not found", "apt-get install iptables"));
      else findings.push(well(program, version));
    }
  }
  return findings;
}

export async function examineTcpdump(run: RunCommand): Promise<Finding> {
  const version = await versionOf(run, "tcpdump", ["--version"]);
  if (version === undefined) return ill("tcpdump", "not found", "apt-get install tcpdump");
  const { stdout } = await run("tcpdump", ["-D"]);
  if (/\bnflog\b/.test(stdout)) return well("tcpdump", `${version}, reads NFLOG`);
  return ill(
    "tcpdump",
    `${version} does not list nflog`,
    "use a libpcap that was built with netlink support",
  );
}

/** Marking connections needs it (tattle mark); the agent does not. */
export function examineCgroup(mounts: string = readFileSync("/proc/mounts", "utf8")): Finding {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (mount !== undefined) return well("cgroup2", `at ${mount}`);
  return hint(
    "cgroup2",
    "not mounted; only tattle mark needs it",
    "mount -t cgroup2 none /sys/fs/cgroup/unified",
  );
}

/** The first line of what a program says of itself; undefined if there is none. */
export async function versionOf(
  run: RunCommand,
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, args);
    const [line = ""] = `${stdout}${stderr}`.trim().split("\n");
    return line.slice(0, 100);
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
}
