/** Why the experiment cannot run here; undefined if it can. */
import { spawnSync } from "node:child_process";
import { canAdopt, whyNoMarkedHost } from "../netns/marked-host.ts";

export function whyNoExperiment(): string | undefined {
  const reason = whyNoMarkedHost();
  if (reason !== undefined) return reason;
  if (!canAdopt()) return "this kernel cannot mark connections that are open already (Linux 6.12 can)";
  for (const program of ["ip", "nsenter", "iptables", "tc", "tee"])
    if (spawnSync("which", [program]).status !== 0) return `${program} is missing`;
  return undefined;
}
