import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventRecorder } from "../../../live-agent/events/event-recorder.ts";
import { GapAccount, packetsOf, parseLabel } from "../../../live-agent/events/gap-account.ts";
import type { GapSettings } from "../../../live-agent/events/gap-account.ts";
import type { LoggedEvent } from "../../../live-agent/events/nflog-events.ts";
import { defaultSpool, Spool } from "../../../live-agent/events/spool.ts";
import { agentEventSchema } from "../../../policy/event.ts";
import type { AgentEvent } from "../../../policy/event.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-gap-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const leaks = "tattle:drop:leaks";
const settings: GapSettings = { agent: "border-1", settleSeconds: 5, isSampled: false };

function logged(time: number, rule = "leaks"): LoggedEvent {
  return {
    type: "enforcement",
    agent: "border-1",
    time,
    host: "10.2.0.25",
    peer: "192.0.2.1",
    protocol: 6,
    hostPort: 40_000,
    peerPort: 80,
    verdict: "drop",
    trust: "lone",
    rule,
    detections: [{ detectedAt: 1000, category: 1, activity: 1 }],
    length: 60,
  };
}

interface Run {
  now: number;
  readonly spool: Spool<AgentEvent>;
  readonly recorder: EventRecorder;
  readonly complaints: string[];
  take(...times: number[]): void;
  read(packets: number, label?: string): void;
  /** The gap events so far. */
  gaps(): { packets: number; reason: string; rule?: string }[];
}

/** A life of the agent: what the kernel's counters say at its start, and which epoch they belong to. */
function start(
  packets: number,
  options: Partial<GapSettings> & { epoch?: string; maximumOctets?: number } = {},
): Run {
  const { epoch = "boot-1", maximumOctets = defaultSpool.maximumOctets, ...fields } = options;
  const spool = new Spool<AgentEvent>(join(folder, "spool"), { ...defaultSpool, maximumOctets }, packetsOf);
  const counters = new Map([[leaks, packets]]);
  const account = new GapAccount(
    join(folder, "counters.json"),
    { ...settings, ...fields },
    spool,
    epoch,
    counters,
  );
  const complaints: string[] = [];
  const gaps: { packets: number; reason: string; rule?: string }[] = [];
  const recorder = new EventRecorder(spool, account, {
    now: () => run.now,
    complain: (problem) => void complaints.push(problem),
  });
  const run: Run = {
    now: 1000,
    spool,
    recorder,
    complaints,
    take: (...times) => {
      for (const time of times) recorder.take(logged(time));
      recorder.flush();
    },
    read: (count, label = leaks) => recorder.readCounters(new Map([[label, count]]), run.now),
    gaps: () => {
      for (let batch = spool.next(1000, 100_000); batch; batch = spool.next(1000, 100_000)) {
        for (const line of batch.lines.split("\n").slice(0, -1)) {
          const event = agentEventSchema.parse(JSON.parse(line));
          if (event.type !== "gap") continue;
          const { packets, reason, rule } = event;
          gaps.push({ packets, reason, ...(rule === undefined ? {} : { rule }) });
        }
        spool.acknowledge(batch);
      }
      return gaps;
    },
  };
  return run;
}

test("a label is the verdict and the rule, as in the log prefix", () => {
  expect(parseLabel("tattle:drop:leaks")).toEqual({ verdict: "drop", rule: "leaks" });
  expect(parseLabel("tattle:accept")).toEqual({ verdict: "accept" });
  for (const text of ["drop:leaks", "tattle:explode:leaks", "tattle:drop:Leaks!", "tattle:drop:", ""]) {
    expect(parseLabel(text)).toBeUndefined();
  }
});

test("as many events as the counter says: no gap", () => {
  const run = start(0);
  run.take(999, 999.5);
  run.read(2);
  run.take(1001);
  expect(run.gaps()).toEqual([]);
  run.spool.close();
});

describe("packets without an event", () => {
  test("are told to the packet once a later event shows that all earlier ones are in", () => {
    const run = start(0);
    run.take(998, 999);
    run.read(7);
    expect(run.gaps()).toEqual([]);
    // Stamped by a tcpdump that is behind, this one may itself be older than the reading.
    run.take(1000.1);
    expect(run.gaps()).toEqual([]);
    run.take(1005.1);
    expect(run.gaps()).toEqual([{ packets: 4, reason: "unread", rule: "leaks" }]);
    run.spool.close();
  });

  test("are told when it has been quiet for five seconds", () => {
    const run = start(0);
    run.take(999);
    run.read(3);
    run.now = 1004.9;
    run.recorder.tick();
    expect(run.gaps()).toEqual([]);
    run.now = 1005;
    run.recorder.tick();
    expect(run.gaps()).toMatchObject([{ packets: 2 }]);
    run.spool.close();
  });

  test("are told once: what was told counts as told", () => {
    const run = start(0);
    run.read(3);
    run.now = 1005;
    run.recorder.tick();
    run.read(3);
    run.now = 1010;
    run.recorder.tick();
    run.read(4);
    run.now = 1015;
    run.recorder.tick();
    expect(run.gaps().map(({ packets }) => packets)).toEqual([3, 1]);
    run.spool.close();
  });

  test("on their way while the counters are read are no gap: late events count when they come", () => {
    const run = start(0);
    run.read(10);
    run.take(...Array.from({ length: 10 }, (_, index) => 999 + index / 10));
    run.take(1000.5);
    expect(run.gaps()).toEqual([]);
    run.spool.close();
  });

  test("are `sampled` where the rules log only so many", () => {
    const run = start(0, { isSampled: true });
    run.read(3);
    run.now = 1005;
    run.recorder.tick();
    expect(run.gaps()).toMatchObject([{ packets: 3, reason: "sampled" }]);
    run.spool.close();
  });
});

describe("after the agent was killed", () => {
  test("what was in flight or came meanwhile is a gap", () => {
    const before = start(0);
    before.take(999, 999.5);
    before.spool.close();
    const after = start(9);
    after.read(9);
    after.now = 1005;
    after.recorder.tick();
    expect(after.gaps()).toMatchObject([{ packets: 7 }]);
    after.spool.close();
  });

  test("and the machine started anew, counters begin at zero, and nothing is told twice", () => {
    const before = start(0);
    before.take(...Array.from({ length: 50 }, () => 999));
    before.spool.close();
    const after = start(4, { epoch: "boot-2" });
    after.take(999.9);
    after.read(6);
    after.now = 1005;
    after.recorder.tick();
    expect(after.gaps()).toMatchObject([{ packets: 5 }]);
    after.spool.close();
  });
});

test("chains that somebody made anew begin at zero: no gap is invented, and later ones are exact", () => {
  const run = start(0);
  run.take(...Array.from({ length: 20 }, () => 999));
  run.read(20);
  run.now = 1005;
  run.recorder.tick();
  run.read(3);
  run.now = 1010;
  run.recorder.tick();
  run.read(8);
  run.now = 1015;
  run.recorder.tick();
  expect(run.gaps().map(({ packets }) => packets)).toEqual([5]);
  run.spool.close();
});

test("rules that come back under a name of an earlier boot count from zero", () => {
  const before = start(3);
  before.take(998, 999, 999.5);
  before.spool.close();
  // After the boot there are no chains until the agent makes them, and none of its own counters.
  const spool = new Spool<AgentEvent>(join(folder, "spool"), defaultSpool, packetsOf);
  const account = new GapAccount(join(folder, "counters.json"), settings, spool, "boot-2", new Map());
  account.beforeRestart();
  account.restart(new Map([[leaks, 0]]));
  account.read(new Map([[leaks, 4]]), 1000);
  expect(account.settle(1010)).toMatchObject([{ packets: 4, reason: "unread" }]);
  spool.close();
});

test("chains that the agent made anew begin at zero, and what they hold is told once", () => {
  const run = start(0);
  run.take(998, 999);
  run.read(2);
  run.spool.close();
  const spool = new Spool<AgentEvent>(join(folder, "spool"), defaultSpool, packetsOf);
  const account = new GapAccount(
    join(folder, "counters.json"),
    settings,
    spool,
    "boot-1",
    new Map([[leaks, 2]]),
  );
  account.beforeRestart();
  // One packet of the new chain is told before the counters are read again.
  spool.append([logged(1000)]);
  account.restart(new Map([[leaks, 1]]));
  account.read(new Map([[leaks, 3]]), 1000);
  expect(account.settle(1010)).toMatchObject([{ packets: 2, reason: "unread" }]);
  spool.close();
});

test("events that found no room are in a gap of their own reason, when there is room again", () => {
  const run = start(0, { maximumOctets: 12_000 });
  let taken = 0;
  while (run.recorder.refused === 0) {
    run.take(999);
    taken++;
  }
  run.take(999, 999);
  for (let batch = run.spool.next(1000, 100_000); batch; batch = run.spool.next(1000, 100_000)) {
    run.spool.acknowledge(batch);
  }
  run.take(999);
  run.read(taken + 3 + 2);
  run.now = 1005;
  run.recorder.tick();
  expect(run.gaps()).toMatchObject([
    { packets: 3, reason: "spool full" },
    { packets: 2, reason: "unread" },
  ]);
  expect(run.spool.tally(leaks)).toBe(taken + 3 + 2);
  run.spool.close();
});

test("spool that fails is a complaint and a gap, not the end of the agent", () => {
  const run = start(0);
  run.spool.close();
  run.take(999);
  expect(run.complaints[0]).toMatch(/^spool: .*EBADF/);
  expect(run.recorder.refused).toBe(1);
});

test("whatever is lost, whenever the agent is killed: events and gaps together never exceed the counter, and meet it", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("seen" as const, "lost" as const) },
    { weight: 2, arbitrary: fc.constantFrom("read" as const, "quiet" as const) },
    { weight: 1, arbitrary: fc.constant("killed" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      rmSync(folder, { recursive: true, force: true });
      let counter = 0;
      let time = 1000;
      let run = start(0);
      for (const each of steps) {
        time += 0.1;
        run.now = time;
        switch (each) {
          case "seen":
            counter++;
            run.take(time);
            break;
          case "lost":
            counter++;
            break;
          case "read":
            run.read(counter);
            break;
          case "quiet":
            time += 6;
            run.now = time;
            run.recorder.tick();
            break;
          case "killed":
            run.spool.close();
            run = start(counter);
            break;
        }
        expect(run.spool.tally(leaks)).toBeLessThanOrEqual(counter);
      }
      for (let round = 0; round < 2; round++) {
        run.read(counter);
        time += 6;
        run.now = time;
        run.recorder.tick();
      }
      expect(run.spool.tally(leaks)).toBe(counter);
      run.spool.close();
    }),
    { numRuns: 100 },
  );
  expect(existsSync(join(folder, "counters.json"))).toBe(true);
});
