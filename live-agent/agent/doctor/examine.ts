/** Everything that the doctor looks at, in the order in which an operator would mend it. Changes nothing. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { quietRules } from "../../../policy/quiet-rules.ts";
import type { Policy } from "../../../policy/policy.ts";
import type { LoadedPolicy } from "../../../policy/load-policy.ts";
import { KernelError } from "../../enforcement/kernel-error.ts";
import type { AgentConfig } from "../agent-config.ts";
import type { AgentWorld } from "../agent-world.ts";
import { enforcementPoint } from "../enforcement-point.ts";
import {
  examineBackends,
  examineConntrack,
  examineFlowtables,
  examineForwarding,
  examineGroups,
  examineInterfaces,
  examineRules,
} from "./examine-kernel.ts";
import { examineAgent, examineLegacyLock, runningAgent } from "./examine-locks.ts";
import { examineActions } from "./examine-actions.ts";
import { examineKeys } from "./examine-keys.ts";
import { examineCgroup, examineIptables, examinePrivileges, examineTcpdump } from "./examine-programs.ts";
import { hint, ill, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** `now`: whole seconds since 1970. */
export async function examine(
  config: AgentConfig,
  loaded: LoadedPolicy,
  { run, lockFolder }: Pick<AgentWorld, "run" | "lockFolder">,
  now: number,
): Promise<Finding[]> {
  const privileges = examinePrivileges();
  const agent = runningAgent(config.stateFolder, lockFolder);
  const keys = examineKeys(config);
  const findings = [privileges, examineAgent(agent), await examineTcpdump(run), ...keys];
  // Keys that cannot be read have been named; everything else is looked at all the same.
  const { markKeys: _, ...withoutKeys } = config;
  const readable = keys.some(({ health }) => health === "ill") ? withoutKeys : config;
  try {
    const point = await enforcementPoint(readable, loaded, run);
    const { group, establishedGroup } = config.log;
    const groups = establishedGroup === undefined ? [group] : [group, establishedGroup];
    findings.push(
      ...(await examineIptables(run, point.iptables.backend, point.families)),
      await examineBackends(point),
      examineLegacyLock(),
      // Making a namespace is root's; the service runs with less.
      ...(privileges.health === "well" ? await examineRules(point, now) : []),
      await examineFlowtables(run),
      examineGroups(groups, agent),
      ...examineConntrack(config.trackConnections),
      ...examineForwarding(point),
      ...(await examineActions(point, privileges.health === "well")),
    );
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    findings.push(ill("iptables", error.message, "apt-get install iptables"));
  }
  return [
    ...findings,
    ...examineInterfaces(loaded.policy.outside),
    ...examineNotices(loaded.policy),
    examineCgroup(),
    examineState(config.stateFolder),
    ...examineToken(config),
  ];
}

function examineState(folder: string): Finding {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    accessSync(at, constants.W_OK);
    return well("state folder", folder);
  } catch {
    return ill("state folder", `${at} cannot be written to`, `install -d -m 700 ${folder}`);
  }
}

function examineNotices(policy: Policy): Finding[] {
  return quietRules(policy).map(({ name }) =>
    hint(
      "notices",
      `rule ${name} stops connections from their first packet on, which is lone and tells people nothing`,
      `"trust": "established" in ${name}, or in a rule behind it (docs/how-to/border-router.md)`,
    ),
  );
}

function examineToken({ server }: AgentConfig): Finding[] {
  if (!server) return [hint("dashboard", "none is configured: events stay on this machine", '"server": {…}')];
  if (!existsSync(server.tokenFile)) {
    const mend = "put the agent's token there (docs/how-to/border-router.md)";
    return [ill("token", `${server.tokenFile} does not exist`, mend)];
  }
  const isForOthers = (statSync(server.tokenFile).mode & 0o077) !== 0;
  return [
    isForOthers
      ? hint("token", "others may read it", `chmod 600 ${server.tokenFile}`)
      : well("token", server.tokenFile),
  ];
}
