/**
 * A notice: something changed in the state of a host or of the agent, so that a person may have to act. Marked packets
 * as such are no notices: a flagged host sends thousands, and people turn off what cries without end.
 */
import type { Severity } from "../../wire/code-book.ts";

export const hostNoticeKinds = [
  "flagged",
  "severity-up",
  "still-seen",
  "contained",
  "blocked-but-seen",
  "unmarked",
  "released",
] as const;
export type HostNoticeKind = (typeof hostNoticeKinds)[number];

export const agentNoticeKinds = ["agent-down", "jump-flushed", "jump-reinserted"] as const;
export type AgentNoticeKind = (typeof agentNoticeKinds)[number];

export type NoticeKind = HostNoticeKind | AgentNoticeKind;
export const noticeKinds: readonly NoticeKind[] = [...hostNoticeKinds, ...agentNoticeKinds];

export interface HostNotice {
  readonly kind: HostNoticeKind;
  /** Seconds since 1970. */
  readonly at: number;
  /** Address as in wire/address.ts. */
  readonly host: string;
  readonly category: number;
  readonly activity: number;
  /** Of the activity, from the code book. */
  readonly title: string;
  readonly severity: Severity;
  /** Seconds since 1970, by the marking host's clock. */
  readonly detectedAt: number;
  /** The rule that decided about the packet that brought the change. */
  readonly rule?: string;
}

export interface AgentNotice {
  readonly kind: AgentNoticeKind;
  /** Seconds since 1970. */
  readonly at: number;
  readonly agent: string;
  readonly detail: string;
}

export type Notice = HostNotice | AgentNotice;

/** What is told together: the notices of one host and category, or of one agent. */
export function groupOf(notice: Notice): string {
  return "host" in notice ? `${notice.host} ${notice.category}` : `agent ${notice.agent}`;
}

export function severityOf(notice: Notice): Severity {
  if ("host" in notice) return notice.severity;
  switch (notice.kind) {
    case "agent-down":
    case "jump-flushed":
      return "high";
    case "jump-reinserted":
      return "info";
  }
}

/** One sentence for people. Times are UTC. */
export function describeNotice(notice: Notice): string {
  const when = new Date(notice.at * 1000).toISOString().slice(0, 19).replace("T", " ");
  return `${when} UTC: ${"host" in notice ? describeHost(notice) : describeAgent(notice)}`;
}

function describeHost(notice: HostNotice): string {
  const { host, title, severity } = notice;
  const rule = notice.rule === undefined ? "" : ` (rule ${notice.rule})`;
  switch (notice.kind) {
    case "flagged":
      return `${host} says of itself: ${title} (${severity}), detected ${elapsed(notice)} before`;
    case "severity-up":
      return `${host} is worse than before: ${title} (${severity}), detected ${elapsed(notice)} before`;
    case "still-seen":
      return `${host} is still flagged and not contained: ${title} (${severity})`;
    case "contained":
      return `${host} is contained: its packets are stopped${rule}`;
    case "blocked-but-seen":
      return `${host} was contained, and a packet of it passed${rule}`;
    case "unmarked":
      return `${host} was flagged (${title}) and now sends packets without a mark`;
    case "released":
      return `${host} was released (${title})`;
  }
}

function describeAgent(notice: AgentNotice): string {
  const { agent, detail } = notice;
  switch (notice.kind) {
    case "agent-down":
      return `agent ${agent} is down: ${detail}`;
    case "jump-flushed":
      return `agent ${agent}: the jump to its chains was removed: ${detail}`;
    case "jump-reinserted":
      return `agent ${agent}: the jump to its chains is back: ${detail}`;
  }
}

function elapsed(notice: HostNotice): string {
  const seconds = Math.max(0, Math.round(notice.at - notice.detectedAt));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
