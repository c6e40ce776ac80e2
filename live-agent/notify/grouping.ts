/**
 * When people are told: notices of one group go out together (the model of Prometheus Alertmanager: group wait, group
 * interval, repeat, inhibition, silences), under a cap an hour; what the cap holds back goes into one digest. Pure: the
 * same notices at the same times give the same batches, so a state replayed from a log is the state that was.
 */
import { severities } from "../../wire/code-book.ts";
import { hold, latestTold, takeHeld, wasTold } from "./grouping-state.ts";
import type { Group, GroupingState } from "./grouping-state.ts";
import { groupOf } from "./notice.ts";
import type { Notice } from "./notice.ts";
import { isSilenced } from "./silence.ts";
import type { Silence } from "./silence.ts";

export interface GroupingSettings {
  /** From the first notice of a group to its first message, seconds. */
  readonly waitSeconds: number;
  /** Between two messages of a group, seconds. */
  readonly intervalSeconds: number;
  /** Before the same is told again, seconds. */
  readonly repeatSeconds: number;
  /** Messages an hour; the rest is told in one digest. */
  readonly hourlyCap: number;
}

export const defaultGrouping: GroupingSettings = {
  waitSeconds: 30,
  intervalSeconds: 300,
  repeatSeconds: 14_400,
  hourlyCap: 30,
};

/** Notices to be told in one message. */
export interface Batch {
  readonly reason: "group" | "digest" | "silence-ended";
  /** Group, or id of the silence. */
  readonly name: string;
  readonly notices: readonly Notice[];
  /** Further notices that were not kept, only counted. */
  readonly more: number;
  /** Whether the group was not heard of within the repeat time. */
  readonly first: boolean;
  readonly silence?: Silence;
}

/** What becomes of a notice. */
export type Reception = "news" | "repeat" | "inhibited" | "silenced";

/** Notices kept of one group; beyond that they are counted. */
const keptOfGroup = 50;
const keptOfDigest = 200;
/** Groups whose notices wait; those of further ones go into the digest. */
const mostWaiting = 2000;
/** Groups remembered for what they were told; beyond that the older half is forgotten, and may be told again. */
const mostGroups = 10_000;
const hour = 3600;

export class Grouping {
  readonly #settings: GroupingSettings;
  readonly #state: GroupingState;
  #groups = 0;
  #waiting = 0;

  /** Goes on from a state that `state` gave; it is copied. */
  constructor(settings: GroupingSettings, state?: GroupingState) {
    this.#settings = settings;
    this.#state = state
      ? structuredClone(state)
      : { groups: {}, containment: {}, silences: {}, sent: [], digest: { notices: [], more: 0 } };
    this.#count();
  }

  get state(): GroupingState {
    return this.#state;
  }

  /** What `accept` would do with the notice, without doing it. */
  judge(notice: Notice, now: number): Reception {
    if (Object.values(this.#state.silences).some(({ silence }) => isSilenced(silence, notice, now))) {
      return "silenced";
    }
    if (notice.kind === "still-seen" && this.#state.containment[notice.host] === "contained")
      return "inhibited";
    return wasTold(this.#state, notice, now - this.#settings.repeatSeconds) ? "repeat" : "news";
  }

  accept(notice: Notice, now: number): Reception {
    const reception = this.judge(notice, now);
    if (reception === "repeat") return reception;
    const group = this.#group(groupOf(notice));
    this.#remember(group, notice, now);
    if (reception === "inhibited") return reception;
    if (reception === "silenced") {
      for (const held of Object.values(this.#state.silences)) {
        if (isSilenced(held.silence, notice, now)) hold(held, notice, keptOfGroup);
      }
    } else {
      this.#holdInGroup(group, notice, now);
    }
    return reception;
  }

  #remember(group: Group, notice: Notice, now: number): void {
    group.told[notice.kind] = now;
    if (!("host" in notice)) return;
    group.rank = Math.max(group.rank, severities.indexOf(notice.severity));
    if (notice.kind === "contained") this.#state.containment[notice.host] = "contained";
    if (notice.kind === "blocked-but-seen") this.#state.containment[notice.host] = "leaking";
    if (notice.kind === "released") this.#forget(notice.host, now);
  }

  /** What the host says after its release is news, in every category. */
  #forget(host: string, now: number): void {
    const { containment, groups } = this.#state;
    delete containment[host];
    for (const [name, group] of Object.entries(groups)) {
      if (!name.startsWith(`${host} `)) continue;
      group.rank = -1;
      for (const kind of Object.keys(group.told)) delete group.told[kind];
      group.told["released"] = now;
    }
  }

  #count(): void {
    const groups = Object.values(this.#state.groups);
    this.#groups = groups.length;
    this.#waiting = groups.filter(({ dueAt }) => dueAt !== undefined).length;
  }

  #group(name: string): Group {
    const known = this.#state.groups[name];
    if (known) return known;
    if (this.#groups >= mostGroups) this.#forgetOlderHalf();
    this.#groups++;
    return (this.#state.groups[name] = { notices: [], more: 0, rank: -1, told: {} });
  }

  #forgetOlderHalf(): void {
    const { groups } = this.#state;
    const idle = Object.entries(groups).filter(([, { dueAt }]) => dueAt === undefined);
    idle.sort(([, a], [, b]) => latestTold(a) - latestTold(b));
    for (const [name] of idle.slice(0, Math.ceil(idle.length / 2))) delete groups[name];
    this.#count();
  }

  #holdInGroup(group: Group, notice: Notice, now: number): void {
    const { waitSeconds, intervalSeconds } = this.#settings;
    if (group.dueAt === undefined) {
      if (this.#waiting >= mostWaiting) {
        this.#overflow([notice], 0, now);
        return;
      }
      this.#waiting++;
      const next = group.sentAt === undefined ? -Infinity : group.sentAt + intervalSeconds;
      group.dueAt = Math.max(now + waitSeconds, next);
    }
    hold(group, notice, keptOfGroup);
  }

  #overflow(notices: readonly Notice[], more: number, now: number): void {
    const { digest } = this.#state;
    for (const notice of notices) hold(digest, notice, keptOfDigest);
    digest.more += more;
    digest.dueAt ??= now + hour;
  }

  silence(silence: Silence): void {
    this.#state.silences[silence.id] = { silence, notices: [], more: 0 };
  }

  /** When `tick` has something to do, seconds since 1970. */
  nextDue(): number | undefined {
    const { groups, silences, digest } = this.#state;
    const times = [
      ...Object.values(groups).map(({ dueAt }) => dueAt),
      ...Object.values(silences).map(({ silence }) => silence.until),
      digest.dueAt,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** The batches that are due, in the order in which they became due; they count as told. */
  tick(now: number): Batch[] {
    this.#state.sent = this.#state.sent.filter((at) => now - at < hour);
    const batches = [...this.#dueGroups(now), ...this.#endedSilences(now), ...this.#dueDigest(now)];
    this.#forgetOldGroups(now);
    return batches;
  }

  #dueGroups(now: number): Batch[] {
    const { groups, sent } = this.#state;
    const due = Object.entries(groups).filter(([, { dueAt }]) => dueAt !== undefined && dueAt <= now);
    due.sort(([, a], [, b]) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
    const batches: Batch[] = [];
    for (const [name, group] of due) {
      const { notices, more } = takeHeld(group);
      delete group.dueAt;
      if (sent.length >= this.#settings.hourlyCap) {
        this.#overflow(notices, more, now);
        continue;
      }
      const { sentAt = -Infinity } = group;
      sent.push(now);
      group.sentAt = now;
      const first = now - sentAt >= this.#settings.repeatSeconds;
      batches.push({ reason: "group", name, notices, more, first });
    }
    return batches;
  }

  /** What a silence kept back is summed up at its end. */
  #endedSilences(now: number): Batch[] {
    const { silences } = this.#state;
    const batches: Batch[] = [];
    for (const [name, { silence, notices, more }] of Object.entries(silences)) {
      if (silence.until > now) continue;
      delete silences[name];
      if (notices.length === 0) continue;
      batches.push({ reason: "silence-ended", name, notices, more, first: true, silence });
    }
    return batches;
  }

  #dueDigest(now: number): Batch[] {
    const { digest } = this.#state;
    if (digest.dueAt === undefined || digest.dueAt > now) return [];
    delete digest.dueAt;
    return [{ reason: "digest", name: "digest", ...takeHeld(digest), first: true }];
  }

  #forgetOldGroups(now: number): void {
    const { groups, containment } = this.#state;
    // A host that goes on is heard of once a repeat time; twice that long, and it has stopped.
    const longest = 2 * this.#settings.repeatSeconds;
    for (const [name, group] of Object.entries(groups)) {
      if (group.dueAt === undefined && now - latestTold(group) > longest) delete groups[name];
    }
    const known = new Set(Object.keys(groups).map((name) => name.slice(0, name.indexOf(" "))));
    for (const host of Object.keys(containment)) if (!known.has(host)) delete containment[host];
    this.#count();
  }
}
