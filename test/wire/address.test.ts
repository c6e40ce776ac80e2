import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAddress, formatIpv4, parseAddress } from "../../wire/address.ts";
import { MalformedError } from "../../wire/malformed-error.ts";

function format(octets: Uint8Array): string {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return formatAddress(view, 0, octets.length === 4 ? 4 : 6);
}

test.each([
  [0, "0.0.0.0"],
  [0x0a140017, "10.20.0.23"],
  [0xffffffff, "255.255.255.255"],
])("IPv4 address %i is %s", (number, text) => {
  expect(formatIpv4(number)).toBe(text);
});

describe("IPv6 addresses are written as RFC 5952 says", () => {
  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["FD20::00AB", "fd20::ab"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
  ])("%s is %s", (long, short) => {
    expect(format(parseAddress(long))).toBe(short);
  });
});

test("any address in octets comes back from its text", () => {
  const octets = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), sparse);
  fc.assert(
    fc.property(octets, (address) => {
      expect(parseAddress(format(address))).toEqual(address);
    }),
  );
});

/** 16 octets with many zeros, so that runs of them occur. */
const sparse = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 255 })), {
    minLength: 16,
    maxLength: 16,
  })
  .map((octets) => Uint8Array.from(octets));

test.each([
  "",
  "10.0.0",
  "10.0.0.256",
  "10.0.0.01",
  "10.0.0.0.1",
  " 10.0.0.1",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  "1.2.3.4::",
  "1:1.2.3.4::1",
  "::1.2.3",
  "fe80::1%eth0",
])("%j is no address", (text) => {
  expect(() => parseAddress(text)).toThrow(MalformedError);
});
