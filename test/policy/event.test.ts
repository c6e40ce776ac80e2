import { expect, test } from "vitest";
import { agentEventSchema } from "../../policy/event.ts";

const common = { id: "router-1:1700000000:42", agent: "router-1", time: 1_700_000_000.25 };
const enforcement = {
  type: "enforcement",
  ...common,
  host: "10.1.0.2",
  peer: "192.0.2.9",
  protocol: 6,
  hostPort: 51_000,
  peerPort: 443,
  verdict: "drop",
  trust: "established",
  rule: "leaks",
  option: "fd09016553f1000201",
  detections: [{ detectedAt: 1_700_000_000, category: 2, activity: 1 }],
  length: 72,
};

test("events and gaps survive a line of JSON", () => {
  const events = [
    enforcement,
    { type: "gap", ...common, verdict: "drop", rule: "leaks", packets: 17, reason: "sampled" },
  ];
  for (const event of events)
    expect(agentEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
});

test.each([
  ["another verdict", { verdict: "explode" }],
  ["a port beyond 65535", { hostPort: 65_536 }],
  ["more than six detections", { detections: Array.from({ length: 7 }, () => enforcement.detections[0]) }],
  ["an option that is not hexadecimal", { option: "<script>" }],
  ["a field nobody knows", { colour: "red" }],
  ["a time before 1970", { time: -1 }],
])("%s is refused", (_, difference) => {
  expect(agentEventSchema.safeParse({ ...enforcement, ...difference }).success).toBe(false);
});
