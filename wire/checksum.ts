/** The Internet checksum (RFC 1071), and the pseudo header that TCP adds to it (RFC 9293 section 3.1, RFC 8200 section 8.1). */

/** One's-complement sum of 16-bit words over `octets[start, end)`, folded to 16 bits, on top of `sum`. */
export function addChecksum(octets: Uint8Array, start: number, end: number, sum = 0): number {
  for (let at = start; at < end; at += 2)
    sum += ((octets[at] ?? 0) << 8) | (at + 1 < end ? (octets[at + 1] ?? 0) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The checksum to write into a header whose checksum field is zero. */
export function internetChecksum(octets: Uint8Array, start: number, end: number): number {
  return ~addChecksum(octets, start, end) & 0xffff;
}

/** Checksum of the transport segment `octets[start, end)` between two addresses of 4 or 16 octets. */
export function transportChecksum(
  octets: Uint8Array,
  start: number,
  end: number,
  protocol: number,
  source: Uint8Array,
  destination: Uint8Array,
): number {
  let sum = addChecksum(source, 0, source.length);
  sum = addChecksum(destination, 0, destination.length, sum);
  return ~addChecksum(octets, start, end, sum + protocol + (end - start)) & 0xffff;
}
