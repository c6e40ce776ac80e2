import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../../wire/address.ts";
import { decodeAuthenticatedMark, encodeAuthenticatedMark } from "../../wire/authenticated-mark.ts";
import {
  authenticatedLength,
  defaultAuthenticatedExid,
  isWellFormed,
} from "../../wire/authenticated-format.ts";
import {
  countRecords,
  firstRecord,
  foreignOption,
  malformedOption,
  recordlessMark,
} from "../../wire/mark.ts";
import { computeTag, deriveHostKey, nearestWindow, verifyTag, windowAt } from "../../wire/mark-tag.ts";
import { sipHash } from "../../wire/siphash.ts";
import { hexOctets, joinOctets } from "../support/segment.ts";

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly time: number;
  readonly window: number;
  readonly hostKey: string;
  readonly option: string;
}

const page = readFileSync(new URL("../../docs/reference/authenticated-mark.md", import.meta.url), "utf8");
const vectors = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? "") as readonly Vector[];

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

function packetOf({
  source,
  destination,
  sourcePort,
  destinationPort,
}: Vector): Parameters<typeof verifyTag>[1] {
  return {
    source: parseAddress(source),
    destination: parseAddress(destination),
    sourcePort,
    destinationPort,
  };
}

/** SipHash-2-4 of OpenSSL; undefined where it has none. */
function opensslHash(key: string, message: Uint8Array): string | undefined {
  const options = ["-macopt", `hexkey:${key}`, "-macopt", "size:8"];
  const { status, stdout } = spawnSync("openssl", ["mac", ...options, "-in", "-", "SIPHASH"], {
    input: message,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim().toLowerCase() : undefined;
}

describe("SipHash-2-4", () => {
  // Appendix A of the paper: key 00 01 ... 0f, message 00 01 ... 0e.
  test("gives the paper's a129ca6149be45e5", () => {
    const key = Uint8Array.from({ length: 16 }, (_, index) => index);
    const into = new Uint8Array(12).fill(0xa5);
    sipHash(key, key, 15, into, 2);
    expect(hex(into)).toBe(`a5a5${"e545be4961ca29a1"}a5a5`);
  });

  const hasOpenssl = opensslHash("00".repeat(16), new Uint8Array()) !== undefined;
  if (!hasOpenssl) console.warn("SipHash has no second opinion: openssl mac SIPHASH does not run here");
  test(`agrees with OpenSSL for every length of a last block${hasOpenssl ? "" : ": not run"}`, () => {
    if (!hasOpenssl) return;
    for (let length = 0; length <= 24; length++) {
      const key = hex(Uint8Array.from({ length: 16 }, (_, index) => 255 - 7 * index));
      const message = Uint8Array.from({ length }, (_, index) => 200 + index);
      const into = new Uint8Array(8);
      sipHash(hexOctets(key), message, length, into, 0);
      expect(hex(into), String(length)).toBe(opensslHash(key, message));
    }
  });
});

describe.each(vectors)("vector: $name", (vector) => {
  const option = hexOctets(vector.option);
  const packet = packetOf(vector);
  const hostKey = hexOctets(vector.hostKey);
  const verify = (changes: Partial<typeof packet> = {}, octets = option, seconds = vector.time): string =>
    verifyTag(hostKey, { ...packet, ...changes }, octets, 0, octets.length, seconds);

  test("the host's key, the window and the option are what the page says", () => {
    expect(hex(deriveHostKey(hexOctets(vector.key), packet.source))).toBe(vector.hostKey);
    expect(windowAt(vector.time)).toBe(vector.window);
    expect(hex(computeTag(hostKey, packet, option, 0, vector.window))).toBe(vector.option.slice(-16));
  });

  test("is decoded, and encoded again to the same octets", () => {
    const mark = decodeAuthenticatedMark(new DataView(option.buffer), 0);
    const into = new Uint8Array(option.length + 2).fill(0xa5);
    expect(encodeAuthenticatedMark(mark!, new DataView(into.buffer), 1)).toBe(option.length);
    expect(hex(into)).toBe(`a5${vector.option}a5`);
  });

  test("verifies up to two windows before and after, and no further", () => {
    const windowStart = vector.window * 64;
    expect(verify()).toBe("verified");
    expect(verify({}, option, windowStart - 128)).toBe("verified");
    expect(verify({}, option, windowStart + 191)).toBe("verified");
    expect(verify({}, option, windowStart - 129)).toBe("outside-window");
    expect(verify({}, option, windowStart + 192)).toBe("outside-window");
  });

  test("replayed when the low bits come round again, it does not verify", () => {
    expect(verify({}, option, vector.time + 64 * 16)).toBe("invalid");
  });

  test("does not verify for another address or port, nor under another key", () => {
    const otherAddress = Uint8Array.from(packet.source, (octet, index) => (index === 3 ? octet ^ 1 : octet));
    expect(verify({ source: otherAddress })).toBe("invalid");
    expect(verify({ destination: otherAddress })).toBe("invalid");
    expect(verify({ sourcePort: vector.sourcePort ^ 1 })).toBe("invalid");
    expect(verify({ destinationPort: vector.destinationPort ^ 1 })).toBe("invalid");
    const otherHost = deriveHostKey(hexOctets(vector.key), otherAddress);
    expect(verifyTag(otherHost, packet, option, 0, option.length, vector.time)).toBe("invalid");
  });

  test("does not verify with any bit of shape, key id, records or tag changed", () => {
    for (let at = 4; at < option.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        // The low bits of octet 5 are the window's: they lead to another window, or to none.
        const changed = option.map((octet, index) => (index === at ? octet ^ (1 << bit) : octet));
        // Malformed now: nobody looks at its tag.
        if (!isWellFormed(changed, 0, changed.length)) continue;
        expect(verify({}, changed), `octet ${at} bit ${bit}`).not.toBe("verified");
      }
    }
  });
});

describe("the strict rule", () => {
  const records = "65000000 02 01 ".repeat(4);
  test.each([
    ["fd 14 4d4b 44 30", 1, 1],
    ["fd 14 4d4b 64 30", 1, 1],
    ["fd 26 4d4b 50 00", 4, 4],
    // Only these say something without records, and nothing about activities.
    ["fd 0e 4d4b 60 30", 0, recordlessMark],
    ["fd 0e 4d4b 42 30", 0, recordlessMark],
    ["fd 0e 4d4b 40 30", 0, malformedOption],
    ["fd 0e 4d4b 62 30", 0, malformedOption],
    ["fd 14 4d4b 46 30", 1, malformedOption],
    ["fd 14 4d4b 45 30", 1, malformedOption],
    ["fd 14 4d4b 04 30", 1, malformedOption],
    ["fd 14 4d4b 84 30", 1, malformedOption],
    ["fd 14 4d4b 48 30", 1, malformedOption],
    ["fd 0b 4d4b 01 65", 0, malformedOption],
  ])("%s and %i records: %i", (header, count, expected) => {
    const option = joinOctets(
      hexOctets(header),
      hexOctets(records).subarray(0, 6 * count),
      new Uint8Array(32),
    );
    const length = option[1] ?? 0;
    expect(countRecords(option, 0, length, undefined, defaultAuthenticatedExid)).toBe(expected);
    expect(countRecords(option, 0, length, undefined)).toBe(foreignOption);
    if (expected > 0) expect(firstRecord(0, length, expected)).toBe(6);
    const view = new DataView(option.buffer, 0, length);
    if (expected === malformedOption) expect(() => decodeAuthenticatedMark(view, 0)).toThrow();
    else expect(decodeAuthenticatedMark(view, 0)?.records).toHaveLength(count);
  });

  test("with the same ExID for both, a mark of version 1 is told by its length", () => {
    const option = hexOctets("fd 0b 4d4b 01 65000000 02 01");
    expect(countRecords(option, 0, option.length, 0x4d4b, 0x4d4b)).toBe(1);
  });

  test.each([
    ["fd 0d 4d4b 44", "length is 13, but an authenticated mark takes at least 14", 1],
    ["fd 14 4d4b 84", "version is 2, expected 1", 4],
    ["fd 14 4d4b 54", "count is 5, expected 0 to 4", 4],
    ["fd 14 4d4b 48", "length is 20, but 2 records and a tag take 26 octets", 1],
    ["fd 14 4d4b 46", "the bits 000110 of more, count and clean contradict each other", 4],
  ])("%s: %s", (header, message, offset) => {
    const option = joinOctets(hexOctets(header), new Uint8Array(20));
    const view = new DataView(option.buffer, 0, option[1]);
    expect(() => decodeAuthenticatedMark(view, 0)).toThrow(
      expect.objectContaining({ problem: message, offset }) as Error,
    );
  });

  test("any mark comes back from its octets", () => {
    const field = (maximum: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: maximum });
    const record = fc.record({ detectedAt: field(0xffffffff), category: field(255), activity: field(255) });
    const mark = fc.record({
      kind: fc.constantFrom(253, 254),
      exid: fc.constant(defaultAuthenticatedExid),
      more: fc.boolean(),
      clean: fc.constant(false),
      keyId: field(15),
      windowLow: field(15),
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
      tag: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    });
    fc.assert(
      fc.property(mark, field(9), (value, offset) => {
        const octets = new Uint8Array(64).fill(0xa5);
        const length = encodeAuthenticatedMark(value, new DataView(octets.buffer), offset);
        expect(length).toBe(authenticatedLength(value.records.length));
        const decoded = decodeAuthenticatedMark(new DataView(octets.buffer, 0, offset + length), offset);
        expect({ ...decoded, tag: [...(decoded?.tag ?? [])] }).toEqual({ ...value, tag: [...value.tag] });
      }),
    );
  });
});

test("the window of a packet is the nearest with the bits that were sent", () => {
  expect(nearestWindow(0, 16)).toBe(16);
  expect(nearestWindow(15, 16)).toBe(15);
  expect(nearestWindow(14, 16)).toBe(14);
  expect(nearestWindow(13, 16)).toBeUndefined();
  expect(nearestWindow(2, 16)).toBe(18);
  expect(nearestWindow(3, 16)).toBeUndefined();
});
