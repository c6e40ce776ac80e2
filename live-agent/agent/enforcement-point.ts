/** From the configuration to the place where its policy is enforced. */
import { createHash } from "node:crypto";
import { formatNetwork } from "../../policy/network.ts";
import type { TagKey } from "../../policy/check-tag.ts";
import type { LoadedPolicy } from "../../policy/load-policy.ts";
import { shippedObject } from "../enforcement/alter.ts";
import { defaultLeaseSeconds } from "../enforcement/elapsed-plan.ts";
import type { EnforcementPoint } from "../enforcement/enforcement.ts";
import { detectBackend } from "../enforcement/iptables.ts";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";
import { defaultPinFolder, shippedTagProgram } from "../enforcement/tag-checking.ts";
import type { TagChecking } from "../enforcement/tag-checking.ts";
import { readClocks } from "../marker/boot-clock.ts";
import { readReaderKeys } from "../marker/reader-keys.ts";
import type { AgentConfig } from "./agent-config.ts";

/** @throws KernelError if the backend cannot be told. */
export async function enforcementPoint(
  config: AgentConfig,
  { policy }: LoadedPolicy,
  run: RunCommand,
): Promise<EnforcementPoint> {
  const backend = config.backend === "auto" ? await detectBackend(run) : config.backend;
  return {
    policy: { ...policy, neverBlock: [...policy.neverBlock, ...config.neverBlock] },
    hooks: config.hooks,
    markShift: config.markShift,
    log: config.log,
    leaseSeconds: defaultLeaseSeconds,
    iptables: { backend, run, lockWaitSeconds: config.lockWaitSeconds },
    families: config.families,
    allowMixedBackends: config.allowMixedBackends,
    alter: { object: shippedObject },
    ...(config.markKeys === undefined ? {} : { tagChecking: tagCheckingOf(config.markKeys) }),
  };
}

function tagCheckingOf(keyFile: string): TagChecking {
  return {
    keys: readTagKeys(keyFile),
    object: shippedTagProgram,
    pinFolder: defaultPinFolder(),
    bootedAt: () => {
      const { now, sinceBoot } = readClocks(Date.now() / 1000);
      return now - sinceBoot;
    },
  };
}

/** @throws KernelError that never shows a key */
function readTagKeys(path: string): readonly TagKey[] {
  try {
    return readReaderKeys(path);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new KernelError("the keys of markKeys cannot be read", problem);
  }
}

/** The same if and only if the rules are made from the same: SHA-256, 64 hexadecimal digits. */
export function changeDigest({ digest }: LoadedPolicy, point: EnforcementPoint): string {
  const { policy, hooks, markShift, log, iptables, families } = point;
  const neverBlock = policy.neverBlock.map(formatNetwork);
  const parts = [digest, neverBlock, hooks, markShift, log, iptables.backend, families];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
