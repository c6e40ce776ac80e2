/**
 * Takes notices, groups them, and sees them through the channels. What was taken is on disk before `report` returns:
 * the log of what came in replays to the same groups, and a message made twice has the same key.
 */
import { join } from "node:path";
import { severities } from "../../wire/code-book.ts";
import type { Severity } from "../../wire/code-book.ts";
import { DeliveryError } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { Grouping } from "./grouping.ts";
import type { GroupingSettings, Reception } from "./grouping.ts";
import type { GroupingState } from "./grouping-state.ts";
import { Journal } from "./journal.ts";
import { composeMessage } from "./message.ts";
import type { Message } from "./message.ts";
import type { Notice } from "./notice.ts";
import type { Delivery, Outbox } from "./outbox.ts";
import type { Silence } from "./silence.ts";

export interface NotifierSettings {
  /** Name of the agent in messages. */
  readonly agent: string;
  readonly grouping: GroupingSettings;
}

/** A channel, and the gravity from which it is used. */
export interface Subscription {
  readonly channel: Channel;
  readonly minimumSeverity: Severity;
}

export interface NotifierWorld {
  /** Seconds since 1970. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told of what goes wrong here and is tried again. */
  readonly complain: (problem: string) => void;
}

type Entry =
  | { readonly notice: Notice; readonly at: number }
  | { readonly silence: Silence }
  | { readonly tick: number }
  | { readonly state: GroupingState };

const compactionOctets = 1024 * 1024;
/** Between two looks at what is due: messages wait for seconds anyway. */
const turnMs = 1000;
/** Deliveries under way through one channel: a slow receiver must not hold up the others. */
const mostUnderWay = 4;

export class Notifier {
  readonly #settings: NotifierSettings;
  readonly #outbox: Outbox;
  readonly #subscriptions: readonly Subscription[];
  readonly #world: NotifierWorld;
  readonly #journal: Journal;
  readonly #underWay = new Map<string, { readonly channel: string; readonly trying: Promise<void> }>();
  #grouping: Grouping;

  /** The folder holds the log of notices; the outbox and the channels are closed by whoever opened them. */
  constructor(
    folder: string,
    settings: NotifierSettings,
    outbox: Outbox,
    subscriptions: readonly Subscription[],
    world: NotifierWorld,
  ) {
    this.#settings = settings;
    this.#outbox = outbox;
    this.#subscriptions = subscriptions;
    this.#world = world;
    this.#grouping = new Grouping(settings.grouping);
    // The file is 0600 and each line has a checksum: what is read is what this class wrote.
    this.#journal = new Journal(join(folder, "notices.log"), (entry) => this.#apply(entry as Entry));
  }

  /** Takes a notice; on return it is on disk, or was no news. */
  report(notice: Notice): Reception {
    const now = this.#world.now();
    const reception = this.#grouping.judge(notice, now);
    if (reception !== "repeat") this.#write({ notice, at: now });
    return reception;
  }

  silence(silence: Silence): void {
    this.#write({ silence });
  }

  get silences(): readonly Silence[] {
    return Object.values(this.#grouping.state.silences).map(({ silence }) => silence);
  }

  /** Messages for the groups that are due, into the outbox. */
  flush(): void {
    const now = this.#world.now();
    if ((this.#grouping.nextDue() ?? Infinity) > now) return;
    // Outbox first, on a copy: a crash in between makes the message again, with the same key.
    const copy = new Grouping(this.#settings.grouping, this.#grouping.state);
    for (const batch of copy.tick(now)) {
      const message = composeMessage(batch, this.#settings.agent, now);
      this.#outbox.put(message, this.#channelsFor(message), now);
    }
    this.#write({ tick: now });
  }

  #channelsFor(message: Message): string[] {
    const rank = severities.indexOf(message.severity);
    return this.#subscriptions
      .filter(
        ({ channel, minimumSeverity }) =>
          rank >= severities.indexOf(minimumSeverity) && channel.wants(message),
      )
      .map(({ channel }) => channel.name);
  }

  /** Flushes and delivers until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.#turn(signal);
        await this.#world.sleep(turnMs, signal).catch(() => undefined);
      }
    } finally {
      await this.#settle();
    }
  }

  /** Starts the deliveries that are due; resolves when none is under way. */
  async deliverDue(signal: AbortSignal): Promise<void> {
    this.#turn(signal);
    await this.#settle();
  }

  #turn(signal: AbortSignal): void {
    try {
      this.flush();
      for (const delivery of this.#outbox.due(this.#world.now())) {
        const { id, channel } = delivery;
        if (!this.#underWay.has(id) && this.#countUnderWay(channel) < mostUnderWay)
          this.#start(delivery, signal);
      }
    } catch (error) {
      // A full disk: everything stays as it was, and the next turn tries again.
      this.#world.complain(`notices: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #countUnderWay(name: string): number {
    return [...this.#underWay.values()].filter(({ channel }) => channel === name).length;
  }

  async #settle(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ trying }) => trying));
  }

  #start(delivery: Delivery, signal: AbortSignal): void {
    const trying = this.#try(delivery, signal)
      .catch((error: unknown) => this.#world.complain(`outbox: ${String(error)}`))
      .finally(() => this.#underWay.delete(delivery.id));
    this.#underWay.set(delivery.id, { channel: delivery.channel, trying });
  }

  async #try(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { id, channel: name, message } = delivery;
    const channel = this.#subscriptions.find((subscription) => subscription.channel.name === name)?.channel;
    try {
      if (!channel)
        throw new DeliveryError(`no channel "${name}" is configured any more`, { permanent: true });
      await channel.deliver(message, signal);
    } catch (error) {
      // Stopped, not failed: the next start tries again at once.
      if (signal.aborted) return;
      const reason =
        error instanceof DeliveryError ? error : new DeliveryError(String(error), { cause: error });
      this.#world.complain(`notice ${message.key.slice(0, 8)} through ${name}: ${reason.message}`);
      this.#outbox.failed(id, reason, this.#world.now(), this.#world.random());
      return;
    }
    this.#outbox.delivered(id);
  }

  #write(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
    if (this.#journal.octets > compactionOctets) {
      this.#journal.rewrite([{ state: this.#grouping.state } satisfies Entry]);
    }
  }

  #apply(entry: Entry): void {
    if ("notice" in entry) this.#grouping.accept(entry.notice, entry.at);
    else if ("silence" in entry) this.#grouping.silence(entry.silence);
    else if ("tick" in entry) this.#grouping.tick(entry.tick);
    else this.#grouping = new Grouping(this.#settings.grouping, entry.state);
  }

  close(): void {
    this.#journal.close();
  }
}
