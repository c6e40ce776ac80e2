import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultGrouping, Grouping } from "../../../live-agent/notify/grouping.ts";
import type { Batch } from "../../../live-agent/notify/grouping.ts";
import { hostNoticeKinds } from "../../../live-agent/notify/notice.ts";
import { severities } from "../../../wire/code-book.ts";
import { agentNotice, hostNotice, noon } from "./sample-notice.ts";

const kindsOf = (batch: Batch | undefined): string[] => (batch?.notices ?? []).map(({ kind }) => kind);

describe("one host and category", () => {
  test("is told of 30 s after its first notice, all that came until then in one message", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.accept(hostNotice({ kind: "contained" }), noon + 10);
    expect(grouping.nextDue()).toBe(noon + 30);
    expect(grouping.tick(noon + 29)).toEqual([]);
    const batches = grouping.tick(noon + 30);
    expect(batches).toHaveLength(1);
    expect(kindsOf(batches[0])).toEqual(["flagged", "contained"]);
    expect(batches[0]).toMatchObject({ name: "10.2.0.25 2", first: true });
  });

  test("is told of again 300 s after its last message, not sooner", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.tick(noon + 30);
    grouping.accept(hostNotice({ kind: "severity-up", severity: "critical" }), noon + 40);
    expect(grouping.nextDue()).toBe(noon + 330);
    const [batch] = grouping.tick(noon + 330);
    expect(kindsOf(batch)).toEqual(["severity-up"]);
    expect(batch?.first).toBe(false);
  });

  test("a change long after the last message waits 30 s like the first", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.tick(noon + 30);
    grouping.accept(hostNotice({ kind: "contained" }), noon + 1000);
    expect(grouping.nextDue()).toBe(noon + 1030);
  });

  test("another category is another group", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.accept(hostNotice({ category: 3 }), noon);
    expect(grouping.tick(noon + 30).map(({ name }) => name)).toEqual(["10.2.0.25 2", "10.2.0.25 3"]);
  });
});

describe("repeats", () => {
  test("the same is told again after 4 h, not before: a restarted agent flags the host anew", () => {
    const grouping = new Grouping(defaultGrouping);
    expect(grouping.accept(hostNotice(), noon)).toBe("news");
    expect(grouping.accept(hostNotice(), noon + 14_399)).toBe("repeat");
    expect(grouping.accept(hostNotice({ kind: "still-seen" }), noon + 14_399)).toBe("repeat");
    expect(grouping.accept(hostNotice({ kind: "still-seen" }), noon + 14_400)).toBe("news");
  });

  test("a graver severity is no repeat", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice({ severity: "low" }), noon);
    expect(grouping.accept(hostNotice({ severity: "critical" }), noon + 1)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "severity-up", severity: "high" }), noon + 2)).toBe("repeat");
  });

  test("containment that changes is no repeat", () => {
    const grouping = new Grouping(defaultGrouping);
    expect(grouping.accept(hostNotice({ kind: "contained" }), noon)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "contained" }), noon + 1)).toBe("repeat");
    expect(grouping.accept(hostNotice({ kind: "blocked-but-seen" }), noon + 2)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "contained" }), noon + 3)).toBe("news");
  });

  test("after its release everything about a host is news", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.accept(hostNotice({ kind: "contained" }), noon);
    grouping.accept(hostNotice({ kind: "released" }), noon + 1);
    expect(grouping.accept(hostNotice(), noon + 2)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "contained" }), noon + 2)).toBe("news");
  });

  test("a jump that is flushed every minute is told of once in 4 h", () => {
    const grouping = new Grouping(defaultGrouping);
    const receptions = Array.from({ length: 60 }, (_, minute) =>
      grouping.accept(agentNotice(), noon + minute * 60),
    );
    expect(receptions.filter((reception) => reception === "news")).toHaveLength(1);
  });
});

describe("inhibition", () => {
  test("a contained host mutes that it is still seen, for as long as it goes on", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice(), noon);
    grouping.accept(hostNotice({ kind: "contained" }), noon);
    for (let hours = 4; hours <= 48; hours += 4) {
      expect(grouping.accept(hostNotice({ kind: "still-seen" }), noon + hours * 3600)).toBe("inhibited");
      grouping.tick(noon + hours * 3600 + 1);
    }
  });

  test("a packet that passed ends it", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.accept(hostNotice({ kind: "contained" }), noon);
    grouping.accept(hostNotice({ kind: "blocked-but-seen" }), noon + 1);
    expect(grouping.accept(hostNotice({ kind: "still-seen" }), noon + 14_400)).toBe("news");
  });
});

describe("a silence", () => {
  const silence = {
    id: "s1",
    author: "kim",
    reason: "lab test",
    from: noon,
    until: noon + 3600,
    network: "10.2.0.0/16",
  };

  test("keeps back what it covers and sums it up at its end, under its author's name", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.silence(silence);
    expect(grouping.accept(hostNotice(), noon + 5)).toBe("silenced");
    expect(grouping.accept(hostNotice({ host: "10.3.0.1" }), noon + 5)).toBe("news");
    expect(grouping.tick(noon + 35).map(({ name }) => name)).toEqual(["10.3.0.1 2"]);
    const [batch] = grouping.tick(noon + 3600);
    expect(batch).toMatchObject({ reason: "silence-ended", name: "s1", silence: { author: "kim" } });
    expect(batch?.notices).toEqual([hostNotice()]);
    expect(grouping.accept(hostNotice({ kind: "contained" }), noon + 3601)).toBe("news");
  });

  test("does not hold before its beginning, for other categories, for other kinds", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.silence({ ...silence, category: 7, kind: "contained" });
    expect(grouping.accept(hostNotice({ kind: "contained", category: 7 }), noon - 1)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "contained", category: 8 }), noon)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "released", category: 7 }), noon)).toBe("news");
    expect(grouping.accept(hostNotice({ kind: "contained", category: 7 }), noon)).toBe("silenced");
    expect(grouping.accept(agentNotice(), noon)).toBe("news");
  });

  test("that kept nothing back ends in silence", () => {
    const grouping = new Grouping(defaultGrouping);
    grouping.silence(silence);
    expect(grouping.tick(noon + 3600)).toEqual([]);
    expect(grouping.nextDue()).toBeUndefined();
  });
});

describe("the hourly cap", () => {
  const settings = { ...defaultGrouping, hourlyCap: 3 };

  test("lets so many messages out, and tells the rest in one digest", () => {
    const grouping = new Grouping(settings);
    for (let host = 1; host <= 10; host++) grouping.accept(hostNotice({ host: `10.0.0.${host}` }), noon);
    expect(grouping.tick(noon + 30)).toHaveLength(3);
    expect(grouping.nextDue()).toBe(noon + 3630);
    const [digest, ...rest] = grouping.tick(noon + 3630);
    expect(rest).toEqual([]);
    expect(digest).toMatchObject({ reason: "digest", more: 0 });
    expect(digest?.notices).toHaveLength(7);
  });

  test("is for any hour, not for the hour of the clock", () => {
    const grouping = new Grouping(settings);
    for (const [index, at] of [0, 1000, 2000, 3590].entries()) {
      grouping.accept(hostNotice({ host: `10.0.0.${index}` }), noon + at);
      grouping.tick(noon + at + 30);
    }
    expect(grouping.state.digest.notices).toHaveLength(1);
    grouping.accept(hostNotice({ host: "10.0.0.9" }), noon + 3610);
    expect(grouping.tick(noon + 3640)).toHaveLength(1);
  });
});

test("however many notices come, whatever is taken comes out: in a message, a digest or a silence's sum, or as a count", () => {
  const step = fc.record({
    host: fc.integer({ min: 1, max: 400 }),
    category: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom(...hostNoticeKinds),
    severity: fc.constantFrom(...severities),
    wait: fc.integer({ min: 0, max: 900 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 5 }), (steps, hourlyCap) => {
      const grouping = new Grouping({ ...defaultGrouping, hourlyCap });
      grouping.silence({ id: "s", author: "a", reason: "", from: noon, until: noon + 5000, category: 3 });
      const out: Batch[] = [];
      let now = noon;
      let taken = 0;
      for (const { host, wait, ...fields } of steps) {
        now += wait;
        out.push(...grouping.tick(now));
        const reception = grouping.accept(
          hostNotice({ ...fields, host: `10.0.${host >> 8}.${host & 255}` }),
          now,
        );
        if (reception === "news" || reception === "silenced") taken++;
      }
      for (let due = grouping.nextDue(); due !== undefined; due = grouping.nextDue())
        out.push(...grouping.tick(due));
      expect(out.reduce((sum, { notices, more }) => sum + notices.length + more, 0)).toBe(taken);
    }),
    { numRuns: 100 },
  );
});

test("a state that went through JSON goes on as if nothing had happened", () => {
  const whole = new Grouping(defaultGrouping);
  whole.accept(hostNotice(), noon);
  whole.accept(hostNotice({ kind: "contained", host: "10.2.0.26" }), noon + 4);
  const half = new Grouping(defaultGrouping, JSON.parse(JSON.stringify(whole.state)));
  expect(half.tick(noon + 60)).toEqual(whole.tick(noon + 60));
  expect(half.state).toEqual(whole.state);
});

test("a flood of hosts fills the digest's counter, not the memory", () => {
  const grouping = new Grouping(defaultGrouping);
  for (let host = 0; host < 5000; host++) {
    grouping.accept(hostNotice({ host: `10.1.${host >> 8}.${host & 255}` }), noon);
  }
  const batches = grouping.tick(noon + 30);
  expect(batches).toHaveLength(30);
  const digest = grouping.tick(noon + 3700).find(({ reason }) => reason === "digest");
  expect((digest?.notices.length ?? 0) + (digest?.more ?? 0)).toBe(4970);
  expect(digest?.notices).toHaveLength(200);
});
