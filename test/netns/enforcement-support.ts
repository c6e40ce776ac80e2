/** An enforcement point on the router of a topology. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { shippedObject } from "../../live-agent/enforcement/alter.ts";
import type { EnforcementPoint } from "../../live-agent/enforcement/enforcement.ts";
import type { Backend } from "../../live-agent/enforcement/iptables.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Topology } from "../support/netns.ts";

const buildScript = fileURLToPath(new URL("../../live-agent/kernel/build.mjs", import.meta.url));

export function pointOn(topology: Topology, backend: Backend, policy: Policy): EnforcementPoint {
  return {
    policy,
    hooks: ["FORWARD"],
    markShift: 22,
    log: { group: 7 },
    leaseSeconds: 60,
    iptables: { backend, run: topology.runner("router"), lockWaitSeconds: 5 },
    families: [4, 6],
    allowMixedBackends: false,
    alter: { object: shippedObject },
  };
}

/** Compiles the kernel's programs; what went wrong if it did. */
export function buildKernelPrograms(): string {
  return spawnSync(process.execPath, [buildScript], { encoding: "utf8" }).stderr;
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
