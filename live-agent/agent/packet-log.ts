/** The reading of logged packets, kept up: when tcpdump ends it is started again, and what was missed shows as a gap. */
import { backoffSeconds } from "../events/backoff.ts";
import { NflogEvents } from "../events/nflog-events.ts";
import type { LoggedEvent, NflogEventSettings } from "../events/nflog-events.ts";
import { readNflog } from "../events/nflog.ts";
import type { NflogSettings } from "../events/nflog.ts";

export interface PacketLogWorld {
  /** 0 to 1. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly complain: (problem: unknown) => void;
}

const backoff = { firstSeconds: 0.5, longestSeconds: 30 };

export class PacketLog {
  readonly #settings: NflogSettings;
  readonly #world: PacketLogWorld;
  readonly #sink: NflogEvents;
  #listening = false;
  #onListening: () => void = () => undefined;
  /** Times that the program ended by itself. */
  restarts = 0;

  constructor(
    settings: NflogSettings,
    events: NflogEventSettings,
    take: (event: LoggedEvent) => void,
    world: PacketLogWorld,
  ) {
    this.#settings = settings;
    this.#world = world;
    this.#sink = new NflogEvents(events, take);
  }

  get isListening(): boolean {
    return this.#listening;
  }

  /** Logged packets that were no event. */
  get ignored(): number {
    return this.#sink.ignored;
  }

  /** Resolves when it listens for the first time, or the signal aborts. */
  async listening(signal: AbortSignal): Promise<void> {
    if (this.#listening || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onListening = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Reads until the signal aborts; all that was logged before is then read. */
  async run(signal: AbortSignal): Promise<void> {
    const isStopped = (): boolean => signal.aborted;
    for (let failures = 1; !isStopped(); failures++) {
      try {
        await readNflog(this.#settings, this.#sink, signal, () => {
          this.#listening = true;
          failures = 0;
          this.#onListening();
        });
      } catch (error) {
        this.restarts++;
        this.#world.complain(error);
      }
      this.#listening = false;
      if (isStopped()) return;
      const seconds = backoffSeconds(backoff, Math.max(1, failures), this.#world.random());
      await this.#world.sleep(seconds * 1000, signal).catch(() => undefined);
    }
  }
}
