import { expect, test } from "vitest";
import { encodeMarkValue, markValueOctets, saysTheSame } from "../../../live-agent/marker/mark-value.ts";

const settings = { kind: 253, loopback: false, authenticatedExid: 0x4d4b } as const;
const clocks = { now: 1_700_000_000, sinceBoot: 500 };
const leak = { detectedAt: 0x6553f100, category: 2, activity: 1 };

test("the value holds what struct mark of live-agent/kernel/mark.bpf.h reads", () => {
  const records = [
    { ...leak, until: clocks.now + 2 },
    { ...leak, activity: 9 },
  ];
  const value = encodeMarkValue(
    records,
    { kind: 254, exid: 0x1234, loopback: true, authenticatedExid: 0x4d4b },
    clocks,
  );
  expect(value).toHaveLength(152);
  // until[0]: 502 s since boot in nanoseconds, until[1]: for ever, until[2]: no record
  expect([...value.subarray(0, 8)]).toEqual([0, 0x1c, 0x88, 0xe1, 0x74, 0, 0, 0]);
  expect([...value.subarray(8, 16)]).toEqual([255, 255, 255, 255, 255, 255, 255, 0x7f]);
  expect([...value.subarray(16, 24)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  // records[0] and records[1]: detected-at, category, activity, two unused octets
  expect([...value.subarray(64, 72)]).toEqual([0x65, 0x53, 0xf1, 0, 2, 1, 0, 0]);
  expect([...value.subarray(72, 80)]).toEqual([0x65, 0x53, 0xf1, 0, 2, 9, 0, 0]);
  // kind, has_exid, exid, on_loopback, unused, authenticated_exid
  expect([...value.subarray(128, 136)]).toEqual([254, 1, 0x12, 0x34, 1, 0, 0x4d, 0x4b]);
  // booted_at: 1,699,999,500 s since 1970 in nanoseconds
  expect(new DataView(value.buffer).getBigUint64(136, true)).toBe(1_699_999_500_000_000_000n);
});

test("a deadline that has passed stays one: 0 stands where there is no record", () => {
  const value = encodeMarkValue([{ ...leak, until: clocks.now - 10_000 }], settings, clocks);
  expect(new DataView(value.buffer).getBigUint64(0, true)).toBe(1_000_000n);
});

test("values are the same though their deadlines were computed at two moments", () => {
  const records = [
    { ...leak, until: clocks.now + 60 },
    { ...leak, activity: 2 },
  ];
  const earlier = encodeMarkValue(records, settings, clocks);
  const later = encodeMarkValue(records, settings, { now: clocks.now + 7.004, sinceBoot: 507 });
  expect(saysTheSame(later, earlier, clocks)).toBe(true);
});

test("a record that has ended in between makes no difference", () => {
  const records = [
    { ...leak, until: clocks.now + 60 },
    { ...leak, activity: 2 },
  ];
  const before = encodeMarkValue(records, settings, clocks);
  const now = { now: clocks.now + 61, sinceBoot: 561 };
  expect(saysTheSame(encodeMarkValue(records.slice(1), settings, now), before, now)).toBe(true);
});

test("a clock that was set since is a difference: tags would be in the wrong window", () => {
  const before = encodeMarkValue([leak], settings, clocks);
  const now = { now: clocks.now + 3600, sinceBoot: 500 };
  expect(saysTheSame(encodeMarkValue([leak], settings, now), before, now)).toBe(false);
});

test.each([
  ["another kind", [leak], { ...settings, kind: 254 }],
  ["an ExID", [leak], { ...settings, exid: 1 }],
  ["another activity", [{ ...leak, activity: 2 }], settings],
  ["one more record", [leak, { ...leak, activity: 2 }], settings],
  ["a deadline", [{ ...leak, until: clocks.now + 60 }], settings],
])("%s is a difference", (_, records, other) => {
  const value = encodeMarkValue([leak], settings, clocks);
  expect(saysTheSame(encodeMarkValue(records, other, clocks), value, clocks)).toBe(false);
  expect(saysTheSame(value, new Uint8Array(markValueOctets - 1), clocks)).toBe(false);
});
