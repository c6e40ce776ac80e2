import { expect, test } from "vitest";
import { HostNotices } from "../../../live-agent/agent/host-notices.ts";
import type { LoggedEvent } from "../../../live-agent/events/nflog-events.ts";
import { HostWatch } from "../../../live-agent/notify/host-watch.ts";
import type { Notice } from "../../../live-agent/notify/notice.ts";
import { codeBook, policyOf } from "../../policy/policy-support.ts";

const policy = policyOf([
  { name: "told", category: ["leak"], action: "drop", notify: true },
  { name: "silent", action: "accept" },
]);

function noticesOf(...events: readonly Partial<LoggedEvent>[]): string[] {
  const notices: Notice[] = [];
  const watch = new HostWatch(codeBook, { repeatSeconds: 3600, maximumHosts: 100 });
  const hosts = new HostNotices(policy, watch, (notice) => void notices.push(notice));
  for (const event of events) {
    hosts.take({
      type: "enforcement",
      agent: "border-1",
      time: 10_000,
      host: "10.1.0.2",
      peer: "192.0.2.1",
      protocol: 6,
      hostPort: 40_000,
      peerPort: 80,
      verdict: "drop",
      rule: "told",
      trust: "established",
      detections: [{ detectedAt: 9990, category: 2, activity: 1 }],
      length: 60,
      ...event,
    });
  }
  return notices.map((notice) => notice.kind);
}

test("a rule that notifies tells of a host once", () => {
  expect(noticesOf({}, {}, {})).toEqual(["flagged", "contained"]);
});

test("a lone packet, which anybody can forge, never notifies", () => {
  expect(noticesOf({ trust: "lone" })).toEqual([]);
  expect(noticesOf({ trust: "invalid" })).toEqual([]);
});

test("a rule that does not notify tells nothing", () => {
  expect(noticesOf({ rule: "silent", verdict: "accept" })).toEqual([]);
});

test("a contained host that gets through by any rule is told of", () => {
  const passed = { rule: "silent", verdict: "accept" } as const;
  expect(noticesOf({}, passed, passed)).toEqual(["flagged", "contained", "blocked-but-seen"]);
});

test("a host that is known from a silent rule is still news to one that notifies", () => {
  expect(noticesOf({ rule: "silent", verdict: "accept" }, {})).toEqual(["flagged", "contained"]);
});
