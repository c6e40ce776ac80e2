/** The header of a gzip member (RFC 1952 section 2.3). */

const flags = { headerChecksum: 2, extra: 4, name: 8, comment: 16 };

/** Octets of the header that begins `octets[start, end)`; 0 if more octets are needed to tell, -1 if it is none. */
export function gzipHeaderLength(octets: Uint8Array, start: number, end: number): number {
  const present = end - start;
  const magic = [0x1f, 0x8b, 8];
  if (magic.some((octet, index) => index < present && octets[start + index] !== octet)) return -1;
  if (present < 10) return 0;
  const set = octets[start + 3] ?? 0;
  let at = start + 10;
  if ((set & flags.extra) !== 0) at += 2 + (octets[at] ?? 0) + ((octets[at + 1] ?? 0) << 8);
  if ((set & flags.name) !== 0) at = behindZero(octets, at, end);
  if ((set & flags.comment) !== 0) at = behindZero(octets, at, end);
  if ((set & flags.headerChecksum) !== 0) at += 2;
  return at <= end ? at - start : 0;
}

function behindZero(octets: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && octets[at] !== 0) at++;
  return at + 1;
}
