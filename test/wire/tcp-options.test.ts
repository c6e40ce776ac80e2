import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMark } from "../../wire/mark.ts";
import { addMark, freeOctets, listOptions } from "../../wire/tcp-options.ts";
import { hexOctets, joinOctets, synOptions, timestampsOption } from "../support/segment.ts";

describe("the option list", () => {
  test("skips unknown kinds by their length", () => {
    expect(listOptions(hexOctets("020405b4 01 c8 05 aabbcc 00 fd"))).toEqual([
      { kind: 2, offset: 0, length: 4 },
      { kind: 1, offset: 4, length: 1 },
      { kind: 200, offset: 5, length: 5 },
    ]);
  });

  test.each([
    ["0204", 1, "length is 4, but 2 octets are left in the header"],
    ["01 08", 1, "option 8 has no length octet"],
    ["fd 00", 1, "length is 0, but an option takes at least 2 octets"],
  ])("%s is malformed", (text, offset, problem) => {
    expect(() => listOptions(hexOctets(text))).toThrow(expect.objectContaining({ offset, problem }));
  });
});

test.each([
  ["nothing", new Uint8Array(), 40],
  ["a Linux SYN", synOptions(), 21],
  ["timestamps", timestampsOption(1, 1), 30],
])("%s leaves %i octets: padding counts as free", (_name, options, free) => {
  expect(freeOctets(options)).toBe(free);
});

const records = fc.array(
  fc.record({
    detectedAt: fc.integer({ min: 0, max: 0xffffffff }),
    category: fc.integer({ min: 0, max: 255 }),
    activity: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Options of others: any kind that is no padding and no mark, with any content. */
const foreign = fc
  .array(fc.tuple(fc.integer({ min: 2, max: 252 }), fc.uint8Array({ maxLength: 10 })), { maxLength: 4 })
  .map((options) => joinOctets(...options.map(([kind, value]) => [kind, value.length + 2, ...value])))
  .filter((options) => options.length <= 40);

describe("adding a mark", () => {
  test("keeps every other option, in whole words, within 40 octets", () => {
    fc.assert(
      fc.property(foreign, records, (options, wanted) => {
        const marked = addMark(options, { kind: 253, records: wanted });
        expect(marked.length).toBeLessThanOrEqual(40);
        if (marked === options) return;
        expect(marked.length % 4).toBe(0);
        expect(marked.subarray(0, options.length)).toEqual(options);
      }),
    );
  });

  test("carries as many records as fit, the first ones first", () => {
    fc.assert(
      fc.property(foreign, records, (options, wanted) => {
        const marked = addMark(options, { kind: 253, records: wanted });
        const fitting = Math.min(wanted.length, Math.max(0, Math.floor((40 - options.length - 3) / 6)));
        const found = listOptions(marked).find((option) => option.kind === 253);
        if (fitting === 0) {
          expect(marked).toBe(options);
          return;
        }
        const view = new DataView(marked.buffer, found?.offset, found?.length);
        expect(decodeMark(view, 0)?.records).toEqual(wanted.slice(0, fitting));
      }),
    );
  });
});
