/** What was told and what waits to be told, as grouping.ts keeps it: plain values, so that it goes through JSON. */
import { severities } from "../../wire/code-book.ts";
import { groupOf } from "./notice.ts";
import type { Notice } from "./notice.ts";
import type { Silence } from "./silence.ts";

export interface Held {
  readonly notices: Notice[];
  more: number;
}

export interface Group extends Held {
  /** When the held notices go out, seconds since 1970. */
  dueAt?: number;
  sentAt?: number;
  /** Gravest severity told, as an index. */
  rank: number;
  /** By kind: when it was last taken as news, seconds since 1970. */
  readonly told: Record<string, number>;
}

export interface GroupingState {
  readonly groups: Record<string, Group>;
  /** By address: contained, or packets passed after that. */
  readonly containment: Record<string, "contained" | "leaking">;
  readonly silences: Record<string, Held & { readonly silence: Silence }>;
  /** When messages went out within the last hour. */
  sent: number[];
  digest: Held & { dueAt?: number };
}

/** Whether the same as this notice was told after a time, seconds since 1970, and nothing changed meanwhile. */
export function wasTold(state: GroupingState, notice: Notice, since: number): boolean {
  const group = state.groups[groupOf(notice)];
  if (!group) return false;
  if (notice.kind === "flagged" || notice.kind === "severity-up") {
    if (severities.indexOf(notice.severity) > group.rank) return false;
  }
  const contained = "host" in notice ? state.containment[notice.host] : undefined;
  if (notice.kind === "contained" && contained !== "contained") return false;
  if (notice.kind === "blocked-but-seen" && contained !== "leaking") return false;
  const told = group.told[notice.kind] ?? -Infinity;
  // A host is first flagged and later still seen: after a restart of the agent the second looks like the first.
  return Math.max(told, seenKinds.has(notice.kind) ? seenAt(group) : -Infinity) > since;
}

const seenKinds: ReadonlySet<string> = new Set(["flagged", "severity-up", "still-seen"]);

function seenAt(group: Group): number {
  return Math.max(...[...seenKinds].map((kind) => group.told[kind] ?? -Infinity));
}

/** When anything of the group was last taken as news, seconds since 1970. */
export function latestTold(group: Group): number {
  return Math.max(-Infinity, ...Object.values(group.told));
}

/** Keeps a notice, or counts it where so many are kept already. */
export function hold(held: Held, notice: Notice, most: number): void {
  if (held.notices.length < most) held.notices.push(notice);
  else held.more++;
}

/** What was kept and counted; nothing is left. */
export function takeHeld(held: Held): { readonly notices: readonly Notice[]; readonly more: number } {
  const taken = { notices: held.notices.splice(0), more: held.more };
  held.more = 0;
  return taken;
}
