/** What is wrong with an agent, as its last heartbeat tells. */
import { describe, expect, test } from "vitest";
import { alarmsOf } from "../../analytics/agents/agent-alarms.ts";
import type { AgentReport } from "../../analytics/store.ts";
import type { Heartbeat } from "../../policy/agent-report.ts";
import { heartbeatOf } from "../support/heartbeat.ts";

const agent = "1d0a1f63-3f0e-4c0a-9f0f-6a1b2c3d4e5f";
const now = Date.UTC(2026, 2, 18, 12) / 1000;

const heartbeat = heartbeatOf(agent, now);

describe("alarms", () => {
  const report = (fields: Partial<AgentReport> = {}, beats: Partial<Heartbeat> = {}): AgentReport => ({
    agent,
    token: "border-1",
    heardAt: now,
    heartbeat: { ...heartbeat, ...beats },
    events: 0,
    gapPackets: 0,
    ...fields,
  });
  const kinds = (one: AgentReport, at = now): string[] => alarmsOf(one, at).map(({ kind }) => kind);

  test("none while all is well", () => {
    expect(kinds(report())).toEqual([]);
  });

  test.each<[string, AgentReport]>([
    ["drift", report({}, { drift: { count: 1, differences: ["a rule is missing"] } })],
    ["refused", report({}, { refused: 1 })],
    ["gaps", report({ gapPackets: 3 })],
    ["lag", report({}, { lagSeconds: 61, spooled: 9 })],
    ["put back", report({}, { reinserted: 2 })],
    ["unconfirmed", report({}, { awaitsConfirmation: true })],
    ["in clear", report({}, { insecureHttp: true })],
    ["clock", report({}, { time: now - 301 })],
  ])("%s", (kind, one) => {
    expect(kinds(one)).toEqual([kind]);
  });

  test("an agent that misses three heartbeats is silent", () => {
    expect(kinds(report(), now + 30)).toEqual([]);
    expect(kinds(report(), now + 31)).toEqual(["silent"]);
  });
});
