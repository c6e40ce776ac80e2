/** From logged packets to the spool: events in small batches, and between them the gaps that the counters prove. */
import type { AgentEvent } from "../../policy/event.ts";
import type { Counters, GapAccount } from "./gap-account.ts";
import type { LoggedEvent } from "./nflog-events.ts";
import type { Unnumbered } from "./spool.ts";

/** What the recorder needs of a spool. */
export interface EventSink {
  append(events: readonly Unnumbered<AgentEvent>[]): boolean;
}

export interface RecorderWorld {
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly complain: (problem: string) => void;
}

/** Events written at once: what one read of the pipe brings is a few hundred. */
const mostPending = 1000;

export class EventRecorder {
  readonly #sink: EventSink;
  readonly #account: GapAccount;
  readonly #world: RecorderWorld;
  #pending: LoggedEvent[] = [];
  /** Seconds from the newest packet to its event. */
  lagSeconds = 0;
  /** Events that found no room; the gap events tell of them. */
  refused = 0;
  /** Packets in gap events so far. */
  gapPackets = 0;

  constructor(sink: EventSink, account: GapAccount, world: RecorderWorld) {
    this.#sink = sink;
    this.#account = account;
    this.#world = world;
  }

  /** Takes an event; it is in the spool when this turn of the event loop is over. */
  take(event: LoggedEvent): void {
    if (this.#account.isSettledBy(event.time)) this.settle();
    const now = this.#world.now();
    this.#account.noteEvent(now);
    this.lagSeconds = Math.max(0, now - event.time);
    this.#pending.push(event);
    if (this.#pending.length >= mostPending) this.flush();
    else if (this.#pending.length === 1) setImmediate(() => this.flush());
  }

  /** Takes the kernel's counters; `at` is when reading them was done, seconds since 1970. */
  readCounters(counters: Counters, at: number): void {
    this.#account.read(counters, at);
  }

  /** Call before the agent makes chains anew, and `madeAnew` with the counters of just after. */
  makingAnew(): void {
    this.flush();
    this.#account.beforeRestart();
  }

  madeAnew(counters: Counters): void {
    this.#account.restart(counters);
  }

  /** Call every second or so: settles what no further event settles. */
  tick(): void {
    if (this.#account.isQuiet(this.#world.now())) this.settle();
  }

  /** Writes what was taken. */
  flush(): void {
    const events = this.#pending;
    this.#pending = [];
    if (this.#append(events)) return;
    for (const event of events) this.#account.refused(event);
    this.refused += events.length;
  }

  /** Tells the gaps of the last reading. For callers who know that no event of before it is on its way. */
  settle(): void {
    this.flush();
    const gaps = this.#account.settle(this.#world.now());
    if (gaps.length === 0 || !this.#append(gaps)) return;
    this.#account.told(gaps);
    for (const { packets } of gaps) this.gapPackets += packets;
  }

  #append(events: readonly Unnumbered<AgentEvent>[]): boolean {
    try {
      return this.#sink.append(events);
    } catch (error) {
      this.#world.complain(`spool: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
}
