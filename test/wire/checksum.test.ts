import { expect, test } from "vitest";
import { addChecksum, internetChecksum, transportChecksum } from "../../wire/checksum.ts";
import { dataPacket, pairOf, pairOfVersion6 } from "../support/samples.ts";
import { hexOctets } from "../support/segment.ts";

test("the example of RFC 1071 section 3", () => {
  expect(addChecksum(hexOctets("0001 f203 f4f5 f6f7"), 0, 8)).toBe(0xddf2);
  expect(internetChecksum(hexOctets("0001 f203 f4f5 f6f7"), 0, 8)).toBe(0x220d);
});

test("an odd last octet counts as if a zero followed, whatever does", () => {
  expect(internetChecksum(hexOctets("0102 03ff"), 0, 3)).toBe(internetChecksum(hexOctets("0102 0300"), 0, 4));
});

test("over a header with its checksum in place the sum is all ones", () => {
  expect(addChecksum(dataPacket(pairOf(1), new Uint8Array()), 0, 20)).toBe(0xffff);
});

test.each([
  ["IPv4", pairOf(1), 20, [12, 16, 20]],
  ["IPv6", pairOfVersion6(1), 40, [8, 24, 40]],
] as const)(
  "a segment over %s sums to zero with its pseudo header",
  (_name, ip, header, [from, middle, to]) => {
    const packet = dataPacket(ip, new Uint8Array());
    const [source, destination] = [packet.subarray(from, middle), packet.subarray(middle, to)];
    expect(transportChecksum(packet, header, packet.length, 6, source, destination)).toBe(0);
  },
);
