/**
 * What a router did to the traffic of one node, told from captures on both of its sides: packets that went in and did not
 * come out, and the connection attempts that they belong to.
 */
import { tcpFlags } from "./captured-segments.ts";
import type { CapturedSegment } from "./captured-segments.ts";

export interface BorderTraffic {
  /** Marked packets of the node that came to the router. */
  readonly marked: number;
  /** Those of them that did not leave it. */
  readonly stopped: readonly CapturedSegment[];
  /** Packets that left the router with a mark. */
  readonly markedBeyond: number;
  /** Connection attempts (5-tuple and initial sequence number) with at least one packet stopped. */
  readonly cut: readonly CutCommunication[];
}

export interface CutCommunication {
  readonly peer: string;
  readonly openedBy: "node" | "peer";
  /** Whether it was attempted before its node was marked. */
  readonly isOlder: boolean;
  /** When the first packet was stopped, seconds since 1970. */
  readonly at: number;
}

/** `inner` is what was captured on the side of the node, `outer` on the other. */
export function compareSides(
  inner: readonly CapturedSegment[],
  outer: readonly CapturedSegment[],
  node: string,
): BorderTraffic {
  const beyond = new Map<string, number>();
  const sent = outer.filter(({ source }) => source === node);
  for (const segment of sent) beyond.set(identity(segment), (beyond.get(identity(segment)) ?? 0) + 1);
  const marked = inner.filter(({ source, isMarked }) => source === node && isMarked);
  const unmarked = inner.filter(({ source, isMarked }) => source === node && !isMarked);
  // An unmarked twin, as of a retransmission that began before the mark, accounts for its own packet beyond.
  for (const segment of unmarked) take(beyond, segment);
  const stopped = marked.filter((segment) => !take(beyond, segment));
  return {
    marked: marked.length,
    stopped,
    markedBeyond: sent.filter(({ isMarked }) => isMarked).length,
    cut: findCut(inner, stopped, node),
  };
}

function take(counts: Map<string, number>, segment: CapturedSegment): boolean {
  const left = counts.get(identity(segment)) ?? 0;
  if (left > 0) counts.set(identity(segment), left - 1);
  return left > 0;
}

/** What stays the same when a router forwards a segment, whatever it does to options and payload. */
function identity(segment: CapturedSegment): string {
  const { source, destination, sourcePort, destinationPort, sequence, acknowledgment } = segment;
  const { flags, identification, payloadOctets } = segment;
  const numbers = [
    sourcePort,
    destinationPort,
    sequence,
    acknowledgment,
    flags,
    identification,
    payloadOctets,
  ];
  return `${source} ${destination} ${numbers.join(" ")}`;
}

interface Attempt {
  readonly key: string;
  readonly openedBy: CutCommunication["openedBy"];
  readonly at: number;
}

function findCut(
  inner: readonly CapturedSegment[],
  stopped: readonly CapturedSegment[],
  node: string,
): CutCommunication[] {
  const isStopped = new Set(stopped);
  const firstMark = inner.find(({ isMarked, source }) => isMarked && source === node)?.time ?? Infinity;
  const attempts = new Map<string, Attempt>();
  const cut = new Map<string, CutCommunication>();
  for (const segment of inner) {
    const isOwn = segment.source === node;
    const peer = isOwn ? segment.destination : segment.source;
    const tuple = isOwn
      ? `${peer} ${segment.sourcePort} ${segment.destinationPort}`
      : `${peer} ${segment.destinationPort} ${segment.sourcePort}`;
    if ((segment.flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn)
      attempts.set(tuple, openedAttempt(tuple, segment, isOwn ? "node" : "peer", attempts.get(tuple)));
    if (!isStopped.has(segment)) continue;
    const attempt = attempts.get(tuple) ?? { key: `${tuple} before`, openedBy: "node", at: -Infinity };
    if (cut.has(attempt.key)) continue;
    const { openedBy } = attempt;
    cut.set(attempt.key, { peer, openedBy, isOlder: attempt.at < firstMark, at: segment.time });
  }
  return [...cut.values()];
}

/** A SYN with another sequence number is another attempt, one with the same is the same again. */
function openedAttempt(
  tuple: string,
  { sequence, time }: CapturedSegment,
  openedBy: Attempt["openedBy"],
  before: Attempt | undefined,
): Attempt {
  const key = `${tuple} ${sequence}`;
  return before?.key === key ? before : { key, openedBy, at: time };
}
