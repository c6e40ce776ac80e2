import { expect, test } from "vitest";
import { heartbeatSchema } from "../../policy/agent-report.ts";
import type { Heartbeat } from "../../policy/agent-report.ts";

const heartbeat: Heartbeat = {
  agent: "6f1e1f0a-5c0e-4c4e-9c51-0d9f6b6f6f01",
  time: 1_777_896_010.5,
  startedAt: 1_777_896_000,
  hostName: "border-1",
  version: "0.1.0",
  policy: { name: "leaks stay inside", digest: "a5".repeat(32) },
  hooks: ["FORWARD"],
  backend: "nft",
  counters: [{ verdict: "drop", rule: "leaks", packets: 3, octets: 180 }],
  drift: { count: 1, differences: ["IPv4 mangle FORWARD: jump missing"] },
  reinserted: 1,
  lagSeconds: 0.2,
  spooled: 2,
  refused: 0,
  gapPackets: 17,
  renewedAt: 1_777_896_005,
  awaitsConfirmation: false,
  insecureHttp: false,
};

test("a heartbeat survives JSON", () => {
  expect(heartbeatSchema.parse(JSON.parse(JSON.stringify(heartbeat)))).toEqual(heartbeat);
});

test.each([
  ["an agent that is not named by a UUID", { agent: "border-1" }],
  ["no chain", { hooks: [] }],
  ["another backend", { backend: "pf" }],
  ["a policy without its digest", { policy: { name: "leaks stay inside", digest: "" } }],
  ["a field nobody knows", { colour: "red" }],
])("%s is refused", (_, difference) => {
  expect(heartbeatSchema.safeParse({ ...heartbeat, ...difference }).success).toBe(false);
});
