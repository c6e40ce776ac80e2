/** Who holds what the agent needs: the lock of the legacy programs, and the agent's own. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { lockHolder, namespaceLock } from "../agent-lock.ts";
import { hint, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

const legacyLock = "/run/xtables.lock";

/** The process of the agent that runs here, if one does. */
export function runningAgent(stateFolder: string, lockFolder: string): number | undefined {
  return lockHolder(join(stateFolder, "agent.lock")) ?? lockHolder(namespaceLock(lockFolder));
}

export function examineAgent(agent: number | undefined): Finding {
  return agent === undefined ? hint("agent", "none runs") : well("agent", `runs as process ${agent}`);
}

/** A program that holds the lock for long keeps rules from being put right. */
export function examineLegacyLock(
  path: string = legacyLock,
  locks: string = readFileSync("/proc/locks", "utf8"),
): Finding {
  const holder = existsSync(path) ? findHolder(locks, statSync(path).ino) : undefined;
  if (holder === undefined) return well("xtables lock", "free");
  return hint(
    "xtables lock",
    `held by process ${holder}`,
    `cat /proc/${holder}/cmdline; try again when it has ended`,
  );
}

/** proc(5): `1: FLOCK  ADVISORY  WRITE 123 08:01:4711 0 EOF`; lines with -> wait. */
function findHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split("\n")) {
    const [, processId, place = ""] = /^\d+: \S+\s+\S+\s+\S+ (-?\d+) \S+:(\d+) /.exec(line) ?? [];
    if (Number(place) === inode && place !== "") return Number(processId);
  }
  return undefined;
}
