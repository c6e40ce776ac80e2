/**
 * From marked packets to changes of a host's state. Bounded: beyond the limit the host seen longest ago is forgotten,
 * and tells itself anew when it comes back; repeats of what was told are left out later, in grouping.ts.
 */
import { describeActivity, findActivity, severities, unknownSeverity } from "../../wire/code-book.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { futureToleranceSeconds, oldestPlausibleSeconds } from "../../wire/mark-format.ts";
import type { HostNotice, HostNoticeKind } from "./notice.ts";

/** A marked packet on which the agent acted. */
export interface Observation {
  readonly host: string;
  /** Time of the packet, seconds since 1970. */
  readonly at: number;
  readonly trust: "lone" | "established" | "verified" | "invalid";
  readonly records: readonly DetectionRecord[];
  readonly verdict: "accept" | "drop" | "reject" | "alter" | "strip";
  readonly rule?: string;
}

export interface HostWatchSettings {
  /** A host that goes on is told of again after this, seconds. */
  readonly repeatSeconds: number;
  readonly maximumHosts: number;
}

/** Contained: at least one packet stopped and none passed for this long, seconds (design: the last hour). */
const containmentSeconds = 3600;

interface Watched {
  /** By category: the gravest notice, and when the category was last told of. */
  readonly categories: Map<number, { readonly gravest: HostNotice; readonly toldAt: number }>;
  contained: boolean;
  /** When a packet last passed, seconds since 1970. */
  passedAt: number;
  /** Whether it was told that its packets carry no mark any more. */
  unmarked: boolean;
}

export class HostWatch {
  readonly #book: CodeBook;
  readonly #settings: HostWatchSettings;
  /** In the order in which they were last seen. */
  readonly #hosts = new Map<string, Watched>();

  constructor(book: CodeBook, settings: HostWatchSettings) {
    this.#book = book;
    this.#settings = settings;
  }

  /** Changes that a marked packet brings. A lone packet can be anybody's forgery: it never notifies. */
  observe(seen: Observation): HostNotice[] {
    if (seen.trust === "lone" || seen.trust === "invalid") return [];
    const records = seen.records.filter(
      ({ detectedAt }) =>
        detectedAt <= seen.at + futureToleranceSeconds && detectedAt >= seen.at - oldestPlausibleSeconds,
    );
    if (records.length === 0) return [];
    const host = this.#touch(seen.host);
    host.unmarked = false;
    const notices = records.flatMap((record) => this.#detected(host, seen, record));
    return [...notices, ...this.#judged(host, seen)];
  }

  /** Whether a packet changes the containment of a host that is known, and nothing else about it. */
  judge(seen: Observation): HostNotice[] {
    const host = this.#hosts.get(seen.host);
    if (!host || seen.trust === "lone" || seen.trust === "invalid") return [];
    return this.#judged(host, seen);
  }

  /** A flagged host sent a packet without a mark: cleaned, or silenced by what runs on it. */
  unmarked(address: string, at: number): HostNotice[] {
    const host = this.#hosts.get(address);
    if (!host || host.unmarked) return [];
    host.unmarked = true;
    return leading(host, "unmarked", at);
  }

  /** Somebody released the host: what it says of itself is news again. */
  released(address: string, at: number): HostNotice[] {
    const host = this.#hosts.get(address);
    if (!host) return [];
    this.#hosts.delete(address);
    return leading(host, "released", at);
  }

  #touch(address: string): Watched {
    const known = this.#hosts.get(address);
    const host = known ?? { categories: new Map(), contained: false, passedAt: -Infinity, unmarked: false };
    this.#hosts.delete(address);
    this.#hosts.set(address, host);
    if (this.#hosts.size > this.#settings.maximumHosts) {
      const [oldest] = this.#hosts.keys();
      if (oldest !== undefined) this.#hosts.delete(oldest);
    }
    return host;
  }

  #detected(host: Watched, seen: Observation, record: DetectionRecord): HostNotice[] {
    const told = host.categories.get(record.category);
    const notice = this.#notice("flagged", seen, record);
    const isGraver = !told || rank(notice) > rank(told.gravest);
    if (!isGraver && seen.at - told.toldAt < this.#settings.repeatSeconds) return [];
    const gravest = isGraver ? notice : told.gravest;
    host.categories.set(record.category, { gravest, toldAt: seen.at });
    if (isGraver) return [told ? { ...notice, kind: "severity-up" } : notice];
    return [{ ...gravest, kind: "still-seen", at: seen.at }];
  }

  #notice(kind: HostNoticeKind, seen: Observation, record: DetectionRecord): HostNotice {
    const { category, activity, detectedAt } = record;
    return {
      kind,
      at: seen.at,
      host: seen.host,
      category,
      activity,
      title: describeActivity(this.#book, category, activity),
      severity: findActivity(this.#book, category, activity)?.severity ?? unknownSeverity,
      detectedAt,
      ...(seen.rule === undefined ? {} : { rule: seen.rule }),
    };
  }

  #judged(host: Watched, seen: Observation): HostNotice[] {
    switch (seen.verdict) {
      case "accept":
      case "strip": {
        const wasContained = host.contained;
        host.contained = false;
        host.passedAt = seen.at;
        return wasContained ? leading(host, "blocked-but-seen", seen.at, seen.rule) : [];
      }
      case "drop":
      case "reject":
        if (host.contained || seen.at - host.passedAt < containmentSeconds) return [];
        host.contained = true;
        return leading(host, "contained", seen.at, seen.rule);
      case "alter":
        // Neither passed nor stopped: the peer gets zeros, and the connection goes on.
        return [];
    }
  }
}

function rank(notice: HostNotice): number {
  return severities.indexOf(notice.severity);
}

/** A notice about the host as a whole, told under its gravest category. */
function leading(host: Watched, kind: HostNoticeKind, at: number, rule?: string): HostNotice[] {
  let leader: HostNotice | undefined;
  for (const { gravest } of host.categories.values()) {
    if (!leader || rank(gravest) > rank(leader)) leader = gravest;
  }
  if (!leader) return [];
  const { rule: _, ...rest } = leader;
  return [{ ...rest, kind, at, ...(rule === undefined ? {} : { rule }) }];
}
