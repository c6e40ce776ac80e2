/**
 * What one side of a connection has sent, in TCP's sequence numbers modulo 2^32 (RFC 9293 section 3.4): `next` is the
 * number behind the last octet seen, `span` how far it has come since the first one, no more than the window.
 */

/** The largest window there is (RFC 7323 section 2.3): nothing further back can still be acknowledged. */
export const largestWindow = 2 ** 30;

/** Sequence numbers that a segment takes: its payload, and one each for SYN and FIN. */
export function sequenceLength(payload: number, flags: number): number {
  return payload + ((flags & tcpFlags.syn) >>> 1) + (flags & tcpFlags.fin);
}

export const tcpFlags = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/**
 * How far a segment that ends at `end` takes this side beyond `next`: 0 for what was seen before (retransmitted,
 * reordered), `outside` if it lies a window away in either direction, so that it belongs to another connection.
 */
export function progress(next: number, end: number): number {
  const distance = (end - next) | 0;
  if (distance > largestWindow || distance < -largestWindow) return outside;
  return distance < 0 ? 0 : distance;
}

export const outside = -1;

/** Whether `acknowledgment` covers something of (next - span, next]: only who received it knows the number. */
export function isAcknowledged(next: number, span: number, acknowledgment: number): boolean {
  return (next - acknowledgment) >>> 0 < span;
}
