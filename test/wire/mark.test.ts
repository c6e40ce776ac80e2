import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedError } from "../../wire/malformed-error.ts";
import {
  countRecords,
  decodeMark,
  encodeMark,
  firstRecord,
  fittingRecords,
  foreignOption,
  isPlausible,
  malformedOption,
  markLength,
} from "../../wire/mark.ts";
import type { DetectionRecord, Mark } from "../../wire/mark.ts";
import {
  markHeader,
  markHeaderWithExid,
  markRecord,
  maximumOptionOctets,
  recordOctets,
} from "../../wire/mark-format.ts";
import { hexOctets } from "../support/segment.ts";

const octet = fc.integer({ min: 0, max: 255 });
const record: fc.Arbitrary<DetectionRecord> = fc.record({
  detectedAt: fc.integer({ min: 0, max: 0xffffffff }),
  category: octet,
  activity: octet,
});
const mark: fc.Arbitrary<Mark> = fc.oneof(
  fc.record({ kind: octet, records: fc.array(record, { minLength: 1, maxLength: 6 }) }),
  fc.record({
    kind: octet,
    exid: fc.constant(0x4d4b),
    records: fc.array(record, { minLength: 1, maxLength: 5 }),
  }),
);

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}

describe("encode", () => {
  test("writes the paper's layout", () => {
    const octets = new Uint8Array(15).fill(0xa5);
    const records = [
      { detectedAt: 0x65000000, category: 2, activity: 3 },
      { detectedAt: 0xffffffff, category: 255, activity: 0 },
    ];
    expect(encodeMark({ kind: 253, records }, viewOf(octets), 0)).toBe(15);
    expect(octets).toEqual(hexOctets("fd 0f 02  65000000 02 03  ffffffff ff 00"));
  });

  test("writes the experiment identifier behind the length", () => {
    const octets = new Uint8Array(11).fill(0xa5);
    encodeMark(
      { kind: 254, exid: 0x4d4b, records: [{ detectedAt: 1, category: 2, activity: 3 }] },
      viewOf(octets),
      0,
    );
    expect(octets).toEqual(hexOctets("fe 0b 4d4b 01  00000001 02 03"));
  });

  test("writes every octet of the mark and none beside it", () => {
    fc.assert(
      fc.property(mark, octet, (value, fill) => {
        const buffers = [0xa5, fill].map((filling) => {
          const octets = new Uint8Array(64).fill(filling);
          encodeMark(value, viewOf(octets), 8);
          return octets;
        });
        const [one, other] = buffers as [Uint8Array, Uint8Array];
        const end = 8 + markLength(value.records.length, value.exid);
        expect(one.subarray(8, end)).toEqual(other.subarray(8, end));
        expect(one.subarray(0, 8).every((untouched) => untouched === 0xa5)).toBe(true);
        expect(one.subarray(end).every((untouched) => untouched === 0xa5)).toBe(true);
      }),
    );
  });

  test.each([
    ["no records", { kind: 253, records: [] }, "a mark holds 1 to 6 records, got 0"],
    [
      "seven records",
      { kind: 253, records: Array.from({ length: 7 }, () => ({ detectedAt: 0, category: 0, activity: 0 })) },
      "a mark holds 1 to 6 records, got 7",
    ],
    [
      "a time before 1970",
      { kind: 253, records: [{ detectedAt: -1, category: 0, activity: 0 }] },
      "detected-at is -1, expected a whole number from 0 to 4294967295",
    ],
    [
      "a category of 9 bits",
      { kind: 253, records: [{ detectedAt: 0, category: 256, activity: 0 }] },
      "category is 256, expected a whole number from 0 to 255",
    ],
    [
      "a kind of 9 bits",
      { kind: 256, records: [{ detectedAt: 0, category: 0, activity: 0 }] },
      "kind is 256",
    ],
  ])("refuses %s", (_name, value, message) => {
    expect(() => encodeMark(value, new DataView(new ArrayBuffer(64)), 0)).toThrow(message);
  });
});

describe("decode", () => {
  test("gives back what was encoded, anywhere in a buffer", () => {
    fc.assert(
      fc.property(mark, fc.integer({ min: 0, max: 20 }), (value, offset) => {
        const length = markLength(value.records.length, value.exid);
        const octets = new Uint8Array(offset + length).fill(0xa5);
        encodeMark(value, viewOf(octets), offset);
        expect(decodeMark(viewOf(octets), offset, 0x4d4b)).toEqual(value);
      }),
    );
  });

  test.each([
    ["one octet", "fd", 0, "an option takes at least 2 octets, but 1 are present"],
    ["length 1", "fd 01 01", 1, "length is 1, but an option takes at least 2 octets"],
    ["length past the end", "fd 09 01 65000000 02", 1, "length is 9, but 8 octets are left in the header"],
    ["count 0", "fd 03 00", 2, "count is 0, expected 1 to 6"],
    [
      "length of one record, count 2",
      "fd 09 02 65000000 02 03",
      1,
      "length is 9, but 2 records take 15 octets",
    ],
    [
      "length of two records, count 1",
      "fd 0a 01 65000000 02 03 00",
      1,
      "length is 10, but 1 record takes 9 octets",
    ],
  ])("%s is malformed, and says where", (_name, text, offset, problem) => {
    const caught = (): MalformedError => {
      try {
        decodeMark(viewOf(hexOctets(text)), 0);
      } catch (error) {
        if (error instanceof MalformedError) return error;
      }
      throw new Error("no MalformedError");
    };
    expect(caught()).toMatchObject({ offset, problem, message: `malformed at octet ${offset}: ${problem}` });
  });

  test("never reads anything but a MalformedError or a mark out of any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 48 }), (octets) => {
        try {
          const decoded = decodeMark(viewOf(octets), 0, 0x4d4b);
          if (decoded) expect(octets[1]).toBe(markLength(decoded.records.length, decoded.exid));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
          expect((error as MalformedError).offset).toBeLessThanOrEqual(octets.length);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the strict rule", () => {
  test("length and count decide, for every pair of them", () => {
    for (let length = 3; length <= maximumOptionOctets; length++) {
      for (let count = 0; count <= 255; count++) {
        const octets = new Uint8Array(40).fill(0xff);
        octets.set([253, length, count]);
        const fits = count >= 1 && count <= 6 && length === 3 + 6 * count;
        const otherwise = count <= 6 ? malformedOption : foreignOption;
        expect(countRecords(octets, 0, length, undefined)).toBe(fits ? count : otherwise);
      }
    }
  });

  test.each([
    ["fe 04 f989", "TCP Fast Open"],
    ["fe 0d acc0 00000100000100000100 00", "AccECN"],
    ["fe 04 00ac", "TARR, whose first octet looks like a count"],
    ["fe 06 0348 0000", "ExID 0348, whose first octet looks like a count"],
    ["fe 02", "kind and length only"],
  ])("%s is somebody else's: %s", (text) => {
    const octets = hexOctets(text);
    expect(countRecords(octets, 0, octets.length, undefined)).toBe(foreignOption);
  });
});

describe("the layout as data says what the codec does", () => {
  const sum = (fields: readonly { readonly octets: number }[]): number =>
    fields.reduce((total, field) => total + field.octets, 0);

  test.each([
    ["v1", markHeader, undefined],
    ["v1 with ExID", markHeaderWithExid, 0x4d4b],
  ])("%s", (_name, header, exid) => {
    for (let count = 1; count <= 5; count++) {
      const length = sum(header) + count * sum(markRecord);
      expect(markLength(count, exid)).toBe(length);
      expect(firstRecord(0, length, count)).toBe(sum(header));
    }
    const distinct = { kind: 0x11, records: [{ detectedAt: 0x22334455, category: 0x66, activity: 0x77 }] };
    const octets = new Uint8Array(sum(header) + recordOctets);
    encodeMark({ ...distinct, ...(exid === undefined ? {} : { exid }) }, viewOf(octets), 0);
    const values: Record<string, number> = {
      kind: 0x11,
      length: octets.length,
      exid: 0x4d4b,
      count: 1,
      detected_at: 0x22334455,
      category: 0x66,
      activity: 0x77,
    };
    let at = 0;
    for (const field of [...header, ...markRecord]) {
      const read = {
        1: viewOf(octets).getUint8(at),
        2: at + 2 <= octets.length ? viewOf(octets).getUint16(at) : 0,
      };
      const value = field.octets === 4 ? viewOf(octets).getUint32(at) : read[field.octets as 1 | 2];
      expect(value, field.name).toBe(values[field.name]);
      at += field.octets;
    }
    expect(at).toBe(octets.length);
  });
});

test.each([
  [0, 0],
  [8, 0],
  [9, 1],
  [14, 1],
  [15, 2],
  [20, 2],
  [39, 6],
  [40, 6],
])("%i free octets hold %i records", (free, records) => {
  expect(fittingRecords(free)).toBe(records);
});

test.each([
  ["detected when the packet was seen", 0, true],
  ["300 s after it: clocks differ", 300, true],
  ["301 s after it", 301, false],
  ["ten years before it", -315_576_000, true],
  ["more than ten years before it", -315_576_001, false],
])("%s: %i s", (_name, seconds, plausible) => {
  expect(isPlausible(1_773_738_000 + seconds, 1_773_738_000)).toBe(plausible);
});
