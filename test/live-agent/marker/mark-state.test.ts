import { describe, expect, test } from "vitest";
import {
  addRecord,
  emptyState,
  formatState,
  liveRecords,
  mostKept,
  parseState,
  removeRecords,
} from "../../../live-agent/marker/mark-state.ts";
import type { KeptRecord } from "../../../live-agent/marker/mark-state.ts";

const leak: KeptRecord = { detectedAt: 1000, category: 2, activity: 1 };
const malware: KeptRecord = { detectedAt: 900, category: 1, activity: 1 };

describe("the state of a marked host", () => {
  test("keeps records newest first, whatever the order in which detectors speak", () => {
    const state = [malware, leak].reduce((before, record) => addRecord(before, record, 1000), emptyState);
    expect(state.records).toEqual([leak, malware]);
  });

  test("an activity that is reported again takes the later time and no second place", () => {
    const state = addRecord(addRecord(emptyState, leak, 1000), { ...leak, detectedAt: 1200 }, 1200);
    expect(state.records).toEqual([{ detectedAt: 1200, category: 2, activity: 1 }]);
    expect(addRecord(state, leak, 1201).records).toEqual(state.records);
  });

  test.each([
    { earlier: 2000, later: 1500, until: 2000 },
    { earlier: 1500, later: 2000, until: 2000 },
    { earlier: undefined, later: 2000, until: undefined },
    { earlier: 2000, later: undefined, until: undefined },
  ])("a report never shortens what another said: $earlier, then $later", ({ earlier, later, until }) => {
    const before = addRecord(emptyState, { ...leak, until: earlier }, 1000);
    expect(addRecord(before, { ...leak, until: later }, 1000).records[0]?.until).toBe(until);
  });

  test("a record that has ended is gone, and does not come back with its old time", () => {
    const state = addRecord(emptyState, { ...leak, until: 1100 }, 1000);
    expect(liveRecords(state, 1099)).toHaveLength(1);
    expect(liveRecords(state, 1100)).toEqual([]);
    const again = { ...leak, detectedAt: 500 };
    expect(addRecord(state, again, 1200).records).toEqual([again]);
  });

  test("the oldest goes when there are more than it keeps", () => {
    const many = Array.from({ length: mostKept + 1 }, (_, activity) => ({
      detectedAt: 1000 + activity,
      category: 9,
      activity,
    }));
    const { records } = many.reduce((before, record) => addRecord(before, record, 2000), emptyState);
    expect(records).toHaveLength(mostKept);
    expect(records.at(-1)?.activity).toBe(1);
  });

  test("an activity is removed alone, a category with all of its activities", () => {
    const other = { ...leak, activity: 2 };
    const state = [leak, other, malware].reduce(
      (before, record) => addRecord(before, record, 1000),
      emptyState,
    );
    expect(removeRecords(state, { category: 2, activity: 1 }).records).toEqual([other, malware]);
    expect(removeRecords(state, { category: 2, activity: undefined }).records).toEqual([malware]);
  });

  test("comes back from its file as it was", () => {
    const state = { marking: false, cgroup: "/sys/fs/cgroup", records: [{ ...leak, until: 2000 }, malware] };
    expect(parseState(formatState(state))).toEqual(state);
  });

  test.each([
    ["half a file", '{"version": 1, "mark'],
    ["another version", '{"version": 2, "marking": true, "records": []}'],
    [
      "a category of 256",
      '{"version":1,"marking":true,"records":[{"detectedAt":1,"category":256,"activity":1}]}',
    ],
    [
      "a time after 2106",
      '{"version":1,"marking":true,"records":[{"detectedAt":4294967296,"category":1,"activity":1}]}',
    ],
    ["something else", '"mark"'],
  ])("%s is no state", (_, text) => {
    expect(parseState(text)).toBeUndefined();
  });
});
