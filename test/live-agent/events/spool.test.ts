import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultSpool, Spool } from "../../../live-agent/events/spool.ts";
import type { SpoolSettings } from "../../../live-agent/events/spool.ts";
import { eventsFrom, parseLines, tallyOf } from "./spool-event.ts";
import type { NumberedEvent } from "./spool-event.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-spool-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (fields: Partial<SpoolSettings> = {}) =>
  new Spool<NumberedEvent>(folder, { ...defaultSpool, ...fields }, tallyOf);

/** Takes everything that waits, in batches of so many, and acknowledges it. */
function drain(spool: Spool<NumberedEvent>, most = 1000): NumberedEvent[] {
  const events: NumberedEvent[] = [];
  for (let batch = spool.next(most, 1_000_000); batch; batch = spool.next(most, 1_000_000)) {
    events.push(...parseLines(batch.lines));
    spool.acknowledge(batch);
  }
  return events;
}

const numbers = (events: readonly NumberedEvent[]): number[] => events.map(({ number }) => number);
const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);
const segments = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".events"))
    .toSorted();

test("events come out in order, each under an id of its own", () => {
  const spool = open();
  expect(spool.append(eventsFrom(1, 3))).toBe(true);
  spool.append(eventsFrom(4, 2));
  expect(spool.waiting).toBe(5);
  const events = drain(spool, 2);
  spool.close();
  expect(numbers(events)).toEqual([1, 2, 3, 4, 5]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(5);
  expect(events[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}-1$/);
});

test("what was not acknowledged comes again after a restart, under the same ids", () => {
  const before = open();
  before.append(eventsFrom(1, 10));
  const first = before.next(4, 1_000_000)!;
  before.acknowledge(first);
  const unanswered = parseLines(before.next(3, 1_000_000)!.lines);
  before.close();
  const after = open();
  const again = drain(after);
  after.close();
  expect(numbers(again)).toEqual([5, 6, 7, 8, 9, 10]);
  expect(again.slice(0, 3)).toEqual(unanswered);
});

test("ids go on after a restart, and after everything was acknowledged", () => {
  const before = open();
  before.append(eventsFrom(1, 2));
  const [first] = drain(before);
  before.close();
  const after = open();
  after.append(eventsFrom(3, 1));
  const [third] = drain(after);
  after.close();
  expect(third?.id).toBe(first?.id.replace(/-1$/, "-3"));
});

test("folder and files are for their owner alone", () => {
  const inner = join(folder, "inner");
  const spool = new Spool<NumberedEvent>(inner, defaultSpool, tallyOf);
  spool.append(eventsFrom(1, 1));
  drain(spool);
  spool.close();
  expect(statSync(inner).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(inner)) expect(statSync(join(inner, name)).mode & 0o777).toBe(0o600);
});

describe("segments", () => {
  const settings = { segmentOctets: 2000 };

  test("are begun when one is full, and removed when all of one is acknowledged", () => {
    const spool = open(settings);
    for (let index = 0; index < 30; index++) spool.append(eventsFrom(1 + index * 3, 3));
    expect(segments().length).toBeGreaterThan(3);
    expect(numbers(drain(spool, 7))).toEqual(range(1, 90));
    expect(segments()).toHaveLength(1);
    spool.append(eventsFrom(91, 50));
    spool.append(eventsFrom(141, 50));
    expect(numbers(drain(spool, 7))).toEqual(range(91, 100));
    spool.close();
  });

  test("keep the tallies of all that was ever taken, also of what is gone", () => {
    const before = open(settings);
    for (let index = 0; index < 30; index++) before.append(eventsFrom(1 + index * 3, 3));
    drain(before);
    before.append(eventsFrom(91, 1));
    before.close();
    const after = open(settings);
    expect([after.tally("drop"), after.tally("accept"), after.tally("other")]).toEqual([30, 61, 0]);
    after.close();
  });

  test("without a header, as a crash leaves one that was just made, never held an event", () => {
    const before = open(settings);
    before.append(eventsFrom(1, 2));
    before.close();
    writeFileSync(join(folder, "0000000000000003.events"), '1234abcd {"tal');
    const after = open(settings);
    after.append(eventsFrom(3, 1));
    expect(numbers(drain(after))).toEqual([1, 2, 3]);
    after.close();
  });
});

describe("the bound", () => {
  test("refuses what is new, and never loses what was taken", () => {
    const spool = open({ maximumOctets: 20_000 });
    let taken = 0;
    while (spool.append(eventsFrom(taken + 1, 5))) taken += 5;
    expect(taken).toBeGreaterThan(100);
    expect(spool.octets).toBeLessThanOrEqual(20_000);
    expect(spool.tally("drop") + spool.tally("accept")).toBe(taken);
    expect(numbers(drain(spool))).toEqual(range(1, taken));
    expect(spool.append(eventsFrom(taken + 1, 5))).toBe(true);
    expect(numbers(drain(spool))).toEqual(range(taken + 1, 5));
    spool.close();
  });
});

describe("damage", () => {
  test("a line that fails its check is counted and left out; the others come, and the numbers go on", () => {
    const before = open();
    before.append(eventsFrom(1, 5));
    before.close();
    const [name = ""] = segments();
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, "utf8").replace('"number":3', '"number":8'));
    const after = open();
    expect(after.damagedLines).toBe(1);
    after.append(eventsFrom(6, 1));
    const events = drain(after);
    after.close();
    expect(numbers(events)).toEqual([1, 2, 4, 5, 6]);
    expect(events.at(-1)?.id).toMatch(/-6$/);
    expect(after.tally("drop") + after.tally("accept")).toBe(5);
  });

  test("an older segment that is cut short does not stop those behind it", () => {
    const before = open({ segmentOctets: 500 });
    for (let index = 0; index < 20; index++) before.append(eventsFrom(1 + index, 1));
    before.close();
    const [oldest = ""] = segments();
    truncateSync(join(folder, oldest), statSync(join(folder, oldest)).size - 10);
    const after = open({ segmentOctets: 500 });
    const got = numbers(drain(after));
    after.close();
    expect(got).toEqual(range(1, 20).filter((number) => got.includes(number)));
    expect(got).toHaveLength(19);
    expect(got.at(-1)).toBe(20);
  });

  test("an acknowledgment that a power cut emptied: everything that is left comes again, under the same ids", () => {
    const before = open();
    before.append(eventsFrom(1, 3));
    const events = drain(before);
    before.close();
    writeFileSync(join(folder, "acknowledged"), "");
    const after = open();
    expect(drain(after)).toEqual(events);
    after.close();
  });

  test("events that the dashboard has and a power cut took: their ids are not given to others", () => {
    const before = open();
    before.append(eventsFrom(1, 1));
    before.append(eventsFrom(2, 4));
    drain(before);
    before.close();
    const [name = ""] = segments();
    const content = readFileSync(join(folder, name), "utf8").split("\n");
    writeFileSync(join(folder, name), `${content.slice(0, 2).join("\n")}\n`);
    const after = open();
    after.append(eventsFrom(6, 1));
    const [event] = drain(after);
    after.close();
    expect(event).toMatchObject({ number: 6, id: expect.stringMatching(/-6$/) });
  });
});

test("cut anywhere behind what was sent, the spool gives every event before the cut, once, and goes on", () => {
  const step = fc.oneof(
    fc.record({ append: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ acknowledge: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ cut: fc.integer({ min: 0, max: 400 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      rmSync(folder, { recursive: true });
      let spool = open({ segmentOctets: 700 });
      const received: NumberedEvent[] = [];
      const kept: number[] = [];
      let written = 0;
      let synced = 0;
      for (const each of steps) {
        if ("append" in each) {
          const before = segments().length;
          spool.append(eventsFrom(written + 1, each.append));
          kept.push(...range(written + 1, each.append));
          written += each.append;
          if (segments().length !== before) synced = 0;
        } else if ("acknowledge" in each) {
          const batch = spool.next(each.acknowledge, 1_000_000);
          if (!batch) continue;
          synced = statSync(newest()).size;
          received.push(...parseLines(batch.lines));
          spool.acknowledge(batch);
        } else {
          spool.close();
          kept.splice(kept.length - cutTail(each.cut, synced));
          spool = open({ segmentOctets: 700 });
        }
      }
      received.push(...drain(spool));
      const total = spool.tally("drop") + spool.tally("accept");
      spool.close();
      expect(numbers(received)).toEqual(kept);
      expect(new Set(received.map(({ id }) => id)).size).toBe(received.length);
      expect(total).toBe(kept.length);
    }),
    { numRuns: 200 },
  );
});

const newest = (): string => join(folder, segments().at(-1) ?? "");

/** Takes octets from the end of the newest segment, as far as they were not on the disk; how many events that takes. */
function cutTail(octets: number, synced: number): number {
  const lines = (): number => readFileSync(newest(), "utf8").split("\n").length;
  const header = readFileSync(newest()).indexOf(10) + 1;
  const before = lines();
  truncateSync(newest(), Math.max(header, synced, statSync(newest()).size - octets));
  return before - lines();
}

test("waiting for events ends with the first one, or with the signal", async () => {
  const spool = open();
  const stopping = new AbortController();
  const waiting = spool.waitForEvents(stopping.signal);
  spool.append(eventsFrom(1, 1));
  await waiting;
  drain(spool);
  const stopped = spool.waitForEvents(stopping.signal);
  stopping.abort();
  await stopped;
  spool.close();
});
