/**
 * An agent that changes the rules and waits to be told that they may stay, for the test that kills it.
 * `committing-agent.ts FOLDER BACKEND NAMESPACE SECONDS`
 */
import { fileURLToPath } from "node:url";
import { shippedObject } from "../../live-agent/enforcement/alter.ts";
import { armRevert } from "../../live-agent/enforcement/commit-confirm.ts";
import { applyPolicy } from "../../live-agent/enforcement/enforcement.ts";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";
import { policyOf } from "../policy/policy-support.ts";
import { nowSeconds } from "./enforcement-support.ts";

const [folder = "", backend, namespace = "", seconds] = process.argv.slice(2);
const enter = `--net=${namespace}`;
const guard = fileURLToPath(new URL("revert-guard.ts", import.meta.url));
const point = {
  policy: policyOf([{ name: "everything", action: "drop" }]),
  hooks: ["FORWARD"] as const,
  markShift: 22,
  log: { group: 7 },
  leaseSeconds: 60,
  iptables: {
    backend: backend === "nft" ? ("nft" as const) : ("legacy" as const),
    run: (command: string, rest: readonly string[], input?: string) =>
      runCommand("nsenter", [enter, command, ...rest], input),
    lockWaitSeconds: 5,
  },
  families: [4, 6] as const,
  allowMixedBackends: false,
  alter: { object: shippedObject },
};
const guardCommand = ["nsenter", enter, process.execPath, "--import", "tsx", guard];
const pid = await armRevert(point, { folder, seconds: Number(seconds), guardCommand });
await applyPolicy(point, nowSeconds());
process.stdout.write(`${pid}\n`);
setInterval(() => undefined, 60_000);
