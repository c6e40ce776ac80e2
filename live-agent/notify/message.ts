/** What goes out through the channels: a batch of notices in words, with a key by which receivers know it again. */
import { createHash } from "node:crypto";
import { severities } from "../../wire/code-book.ts";
import type { Severity } from "../../wire/code-book.ts";
import type { Batch } from "./grouping.ts";
import { describeNotice, severityOf } from "./notice.ts";
import type { HostNotice, Notice } from "./notice.ts";
import { oneLine, plainLines } from "./plain-text.ts";

export interface Message {
  /** The same for every attempt, through every channel: 32 hexadecimal digits. */
  readonly key: string;
  /** Messages about one host, or one agent, are one thread. */
  readonly thread: string;
  /** When it was made, seconds since 1970. */
  readonly at: number;
  /** The gravest of its notices. */
  readonly severity: Severity;
  /** One line without control characters. */
  readonly subject: string;
  /** Lines without control characters. */
  readonly text: string;
  /** Address of the host that it is about, if it is about one. */
  readonly host?: string;
  /** Whether the group was not heard of within the repeat time. */
  readonly first: boolean;
  readonly notices: readonly Notice[];
  /** Further notices that were not kept, only counted. */
  readonly more: number;
}

/** The message for a batch; the same batch gives the same key whenever it is made. */
export function composeMessage(batch: Batch, agent: string, now: number): Message {
  const { notices, more } = batch;
  const hosts = notices.filter((notice) => "host" in notice);
  const host = batch.reason === "group" ? hosts[0]?.host : undefined;
  const severity = gravest(notices);
  return {
    key: digest(JSON.stringify([batch.reason, batch.name, notices, more])),
    thread: host ?? `${batch.reason} ${agent}`,
    at: now,
    severity,
    subject: oneLine(`[tattle] ${severity}: ${headline(batch, hosts)}`),
    text: plainLines(body(batch, agent)),
    ...(host === undefined ? {} : { host }),
    first: batch.first,
    notices,
    more,
  };
}

function gravest(notices: readonly Notice[]): Severity {
  const ranks = notices.map((notice) => severities.indexOf(severityOf(notice)));
  return severities[Math.max(0, ...ranks)] ?? "info";
}

function headline(batch: Batch, hosts: readonly HostNotice[]): string {
  const count = batch.notices.length + batch.more;
  switch (batch.reason) {
    case "group": {
      const last = batch.notices.at(-1);
      const [host] = hosts;
      if (host) return `${host.host}: ${kindsOf(hosts)}: ${host.title}`;
      return last && "agent" in last ? `agent ${last.agent}: ${last.kind}` : batch.name;
    }
    case "digest":
      return `${count} notices held back by the hourly cap, about ${distinctHosts(hosts)} hosts`;
    case "silence-ended":
      return `silence ended, ${count} notices were not told`;
  }
}

function kindsOf(notices: readonly HostNotice[]): string {
  return [...new Set(notices.map(({ kind }) => kind))].join(", ");
}

function distinctHosts(notices: readonly HostNotice[]): number {
  return new Set(notices.map(({ host }) => host)).size;
}

function body(batch: Batch, agent: string): string {
  const { silence } = batch;
  return [
    ...(silence ? [`Silence ${silence.id} of ${oneLine(silence.author)}: ${oneLine(silence.reason)}`] : []),
    // A title with a line feed in it must not pass for another notice.
    ...batch.notices.map((notice) => oneLine(describeNotice(notice), 500)),
    ...(batch.more > 0 ? [`and ${batch.more} more that were counted only`] : []),
    `Told by agent ${oneLine(agent)}.`,
  ].join("\n");
}

/** 128 bits of SHA-256 in hexadecimal digits: enough that two messages never share one. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
