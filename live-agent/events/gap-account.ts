/**
 * What the kernel decided on minus what became an event: the gap, to the packet. The kernel's counters are exact; events
 * can be sampled out, overrun a buffer, or find no room. Spooled events and gap events together always approach the
 * counters from below, and meet them when the events of the last reading are in.
 */
import { existsSync, readFileSync } from "node:fs";
import type { AgentEvent, EnforcementEvent, GapEvent } from "../../policy/event.ts";
import { actions } from "../../policy/policy.ts";
import { replaceFile } from "./atomic-file.ts";
import type { Unnumbered } from "./spool.ts";

/** Packets by label (`tattle:drop:leaks`, or `tattle:drop` without a rule). */
export type Counters = ReadonlyMap<string, number>;

interface Epoch {
  /** As long as the counters run on from the same zero, this is the same: boot id and time of the chains, for example. */
  readonly epoch: string;
  /** By label: events and gaps of earlier epochs. */
  readonly offsets: Readonly<Record<string, number>>;
}

interface Reading {
  readonly counters: Counters;
  /** Seconds since 1970, when the reading was done. */
  readonly at: number;
}

export interface GapSettings {
  readonly agent: string;
  /** No event takes longer from the kernel to here, seconds. */
  readonly settleSeconds: number;
  /** Whether the rules log only so many packets a source. */
  readonly isSampled: boolean;
}

/** What the spool tells of the past. */
export interface Totals {
  readonly tallies: ReadonlyMap<string, number>;
  tally(name: string): number;
}

/** The tally of an event, as spool.ts wants it: packets by label, whether told one by one or as a gap. */
export function packetsOf(event: AgentEvent): { readonly name: string; readonly amount: number } {
  switch (event.type) {
    case "enforcement":
      return { name: labelOf(event), amount: 1 };
    case "gap":
      return { name: labelOf(event), amount: event.packets };
  }
}

function labelOf({ verdict, rule }: Pick<EnforcementEvent, "verdict" | "rule">): string {
  return rule === undefined ? `tattle:${verdict}` : `tattle:${verdict}:${rule}`;
}

export class GapAccount {
  readonly #path: string;
  readonly #settings: GapSettings;
  readonly #totals: Totals;
  /** By label: events that found no room in the spool and are in no gap event yet. */
  readonly #refused = new Map<string, number>();
  #epoch: Epoch;
  #reading: Reading | undefined;
  #last: Counters | undefined;
  #lastEventAt = -Infinity;
  /** What was told when chains were about to be made anew. */
  #before: ReadonlyMap<string, number> = new Map();

  /** The file keeps what belongs to earlier epochs. Made before the first event of a run is read. */
  constructor(path: string, settings: GapSettings, totals: Totals, epoch: string, counters: Counters) {
    this.#path = path;
    this.#settings = settings;
    this.#totals = totals;
    this.#epoch = readEpoch(path) ?? { epoch: "", offsets: {} };
    // Chains that do not exist yet count from zero, too, when they are made.
    if (this.#epoch.epoch !== epoch)
      this.#begin(epoch, [...counters.keys(), ...totals.tallies.keys()], () => 0);
    const reset = [...counters].filter(([label, packets]) => packets < this.#accounted(label));
    if (reset.length > 0) this.#begin(epoch, counters.keys(), (label) => counters.get(label) ?? 0);
    this.#last = counters;
  }

  /** From now on the counters of these labels stand for `accounted(label)` packets that are told already. */
  #begin(epoch: string, labels: Iterable<string>, accounted: (label: string) => number): void {
    const offsets: Record<string, number> = epoch === this.#epoch.epoch ? { ...this.#epoch.offsets } : {};
    for (const label of labels) offsets[label] = this.#totals.tally(label) - accounted(label);
    this.#epoch = { epoch, offsets };
    replaceFile(this.#path, JSON.stringify(this.#epoch));
  }

  /** Packets of this epoch that were told, one by one or in a gap. */
  #accounted(label: string): number {
    return this.#totals.tally(label) - (this.#epoch.offsets[label] ?? 0);
  }

  /** Takes the kernel's counters; `at` is when reading them was done, seconds since 1970. Settled later, once. */
  read(counters: Counters, at: number): void {
    const reset = [...counters].filter(([label, packets]) => packets < (this.#last?.get(label) ?? 0));
    // Somebody made the chains anew: how many packets came between is known to nobody.
    if (reset.length > 0) {
      const labels = reset.map(([label]) => label);
      this.#begin(this.#epoch.epoch, labels, (label) => counters.get(label) ?? 0);
      this.#reading = undefined;
    }
    this.#last = counters;
    this.#reading ??= { counters, at };
  }

  /** Call before the agent makes chains anew, when what was taken is in the spool. */
  beforeRestart(): void {
    this.#before = new Map(this.#totals.tallies);
  }

  /** The agent has made chains anew: counters that appeared or fell began at zero then. */
  restart(counters: Counters): void {
    const last = this.#last;
    const anew = [...counters].filter(([label, packets]) => packets < (last?.get(label) ?? Infinity));
    if (anew.length > 0) {
      const labels = anew.map(([label]) => label);
      const told = (label: string): number => this.#totals.tally(label) - (this.#before.get(label) ?? 0);
      this.#begin(this.#epoch.epoch, labels, told);
    }
    this.#reading = undefined;
    this.#last = counters;
  }

  /** An event came, at a time by the clock of `read`. */
  noteEvent(now: number): void {
    this.#lastEventAt = now;
  }

  /**
   * Whether a packet of this time means that all events up to the last reading came before it. tcpdump often stamps
   * packets as it reads them, so they may be as much older as it may be behind.
   */
  isSettledBy(packetTime: number): boolean {
    return this.#reading !== undefined && packetTime > this.#reading.at + this.#settings.settleSeconds;
  }

  /** Whether no event came for so long that none is on its way. */
  isQuiet(now: number): boolean {
    const since = Math.max(this.#reading?.at ?? Infinity, this.#lastEventAt);
    return now - since >= this.#settings.settleSeconds;
  }

  /** An event found no room in the spool. */
  refused(event: Pick<EnforcementEvent, "verdict" | "rule">): void {
    const label = labelOf(event);
    this.#refused.set(label, (this.#refused.get(label) ?? 0) + 1);
  }

  /** Gap events for the last reading. The events that came before it must be in the spool. */
  settle(now: number): Unnumbered<GapEvent>[] {
    const counters = this.#reading?.counters ?? new Map<string, number>();
    this.#reading = undefined;
    return [...counters].flatMap(([label, packets]) =>
      this.#gapsOf(label, packets - this.#accounted(label), now),
    );
  }

  #gapsOf(label: string, missing: number, now: number): Unnumbered<GapEvent>[] {
    const named = parseLabel(label);
    if (missing <= 0 || !named) return [];
    const { agent, isSampled } = this.#settings;
    const full = Math.min(missing, this.#refused.get(label) ?? 0);
    const common = { type: "gap", agent, time: now, ...named } as const;
    const parts = [
      { ...common, packets: full, reason: "spool full" },
      { ...common, packets: missing - full, reason: isSampled ? "sampled" : "unread" },
    ] as const;
    return parts.filter(({ packets }) => packets > 0);
  }

  /** Call when the gap events are in the spool; until then they are in the next settlement again. */
  told(gaps: readonly Unnumbered<GapEvent>[]): void {
    for (const gap of gaps) {
      if (gap.reason !== "spool full") continue;
      const label = labelOf(gap);
      this.#refused.set(label, Math.max(0, (this.#refused.get(label) ?? 0) - gap.packets));
    }
  }
}

function readEpoch(path: string): Epoch | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Epoch) : undefined;
}

/** Verdict and rule of a label; undefined if it is not ours. */
export function parseLabel(text: string): Pick<EnforcementEvent, "verdict" | "rule"> | undefined {
  const [, word, rule] = /^tattle:([a-z]{1,10})(?::([a-z][a-z0-9-]{0,39}))?$/.exec(text) ?? [];
  const verdict = actions.find((action) => action === word);
  if (!verdict) return undefined;
  return rule === undefined ? { verdict } : { verdict, rule };
}
