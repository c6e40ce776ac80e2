/**
 * Messages on their way, on disk. At least once: a message is kept until its channel has taken it, over restarts and
 * crashes; the key in it lets receivers drop what comes twice. What never gets through ends as a dead letter, and is shown.
 */
import { backoffSeconds, defaultBackoff } from "../events/backoff.ts";
import type { BackoffSettings } from "../events/backoff.ts";
import type { DeliveryError } from "./channel.ts";
import { Journal } from "./journal.ts";
import type { Message } from "./message.ts";

export interface OutboxSettings {
  readonly backoff: BackoffSettings;
  /** After this many failures a delivery is dead. */
  readonly maximumAttempts: number;
  /** Deliveries waiting for one channel; the oldest then becomes a dead letter. */
  readonly maximumPending: number;
  readonly maximumDead: number;
}

export const defaultOutbox: OutboxSettings = {
  backoff: defaultBackoff,
  // 5 s doubling to an hour: about a day and a half.
  maximumAttempts: 45,
  maximumPending: 500,
  maximumDead: 500,
};

/** One message for one channel. */
export interface Delivery {
  readonly id: string;
  readonly channel: string;
  readonly message: Message;
  readonly failures: number;
  /** Seconds since 1970. */
  readonly nextAt: number;
  readonly problem?: string;
}

/** What the other side said later: that the message is on the screen, that somebody opened it. */
export interface Receipt {
  readonly key: string;
  readonly channel: string;
  readonly what: "received" | "read";
  /** Seconds since 1970. */
  readonly at: number;
}

type Entry =
  | { readonly put: Message; readonly channels: readonly string[]; readonly at: number }
  | { readonly delivery: Delivery }
  | { readonly done: string }
  | { readonly dead: string; readonly problem: string }
  | { readonly letter: Delivery }
  | { readonly revived: string; readonly at: number }
  | { readonly receipt: Receipt }
  | { readonly key: string; readonly host: string | null }
  | { readonly forgottenDead: number };

/** Keys remembered so that a message put twice goes out once, and receipts kept. */
const rememberedKeys = 5000;
const compactionOctets = 4 * 1024 * 1024;

export class Outbox {
  readonly #settings: OutboxSettings;
  readonly #journal: Journal;
  readonly #pending = new Map<string, Delivery>();
  readonly #dead = new Map<string, Delivery>();
  /** Messages that were put, oldest first: their keys, and the host that each is about. */
  readonly #known = new Map<string, string | null>();
  readonly #receipts = new Map<string, Receipt>();
  /** Dead letters that gave way to newer ones. */
  #forgottenDead = 0;
  #compactAt = compactionOctets;

  constructor(path: string, settings: OutboxSettings = defaultOutbox) {
    this.#settings = settings;
    // The file is 0600 and each line has a checksum: what is read is what this class wrote.
    this.#journal = new Journal(path, (entry) => this.#apply(entry as Entry));
  }

  get pending(): readonly Delivery[] {
    return [...this.#pending.values()];
  }

  get deadLetters(): readonly Delivery[] {
    return [...this.#dead.values()];
  }

  get forgottenDeadLetters(): number {
    return this.#forgottenDead;
  }

  /** Messages of late: their keys, and the host that each is about, if it is about one. */
  get known(): ReadonlyMap<string, string | null> {
    return this.#known;
  }

  get receipts(): readonly Receipt[] {
    return [...this.#receipts.values()];
  }

  get damagedLines(): number {
    return this.#journal.damagedLines;
  }

  /** Takes a message for these channels, once: a message with a known key is not taken again. */
  put(message: Message, channels: readonly string[], now: number): void {
    if (this.#known.has(message.key)) return;
    this.#write({ put: message, channels, at: now });
    for (const channel of channels) this.#makeRoom(channel);
  }

  #makeRoom(channel: string): void {
    const waiting = [...this.#pending.values()].filter((delivery) => delivery.channel === channel);
    const excess = waiting.length - this.#settings.maximumPending;
    for (const { id, problem } of waiting.slice(0, Math.max(0, excess))) {
      this.#write({
        dead: id,
        problem: `gave way to newer messages${problem === undefined ? "" : `; ${problem}`}`,
      });
    }
  }

  /** Deliveries to try now, oldest first. */
  due(now: number): Delivery[] {
    return this.pending.filter(({ nextAt }) => nextAt <= now);
  }

  /** When the next delivery is due, seconds since 1970. */
  nextDue(): number | undefined {
    let next: number | undefined;
    for (const { nextAt } of this.#pending.values()) next = Math.min(next ?? nextAt, nextAt);
    return next;
  }

  delivered(id: string): void {
    if (this.#pending.has(id)) this.#write({ done: id });
  }

  /** Notes a failure; `random` is 0 to 1. */
  failed(id: string, error: DeliveryError, now: number, random: number): void {
    const delivery = this.#pending.get(id);
    if (!delivery) return;
    const { backoff, maximumAttempts } = this.#settings;
    const failures = delivery.failures + 1;
    const problem = error.message;
    if (error.isPermanent || failures >= maximumAttempts) {
      this.#write({ dead: id, problem });
      return;
    }
    const asked = Math.min(error.retryAfterSeconds ?? 0, backoff.longestSeconds);
    const nextAt = now + Math.max(backoffSeconds(backoff, failures, random), asked);
    this.#write({ delivery: { ...delivery, failures, nextAt, problem } });
  }

  /** Tries a dead letter again; false if there is none of that id. */
  revive(id: string, now: number): boolean {
    if (!this.#dead.has(id)) return false;
    this.#write({ revived: id, at: now });
    return true;
  }

  /** Notes what the other side said about a message of ours, once; false if it is not known or was said before. */
  receive(receipt: Receipt): boolean {
    if (!this.#known.has(receipt.key) || this.#receipts.has(receiptId(receipt))) return false;
    this.#write({ receipt });
    return true;
  }

  #write(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
    if (this.#journal.octets > this.#compactAt) this.#compact();
  }

  #apply(entry: Entry): void {
    if ("put" in entry) this.#enter(entry.put, entry.channels, entry.at);
    else if ("delivery" in entry) this.#pending.set(entry.delivery.id, entry.delivery);
    else if ("done" in entry) this.#pending.delete(entry.done);
    else if ("dead" in entry) this.#bury(entry.dead, entry.problem);
    else if ("letter" in entry) this.#dead.set(entry.letter.id, entry.letter);
    else if ("revived" in entry) this.#resurrect(entry.revived, entry.at);
    else if ("receipt" in entry) this.#keep(entry.receipt);
    else if ("key" in entry) this.#remember(entry.key, entry.host);
    else this.#forgottenDead = entry.forgottenDead;
  }

  #enter(message: Message, channels: readonly string[], at: number): void {
    this.#remember(message.key, message.host ?? null);
    for (const channel of channels) {
      const id = `${message.key}/${channel}`;
      this.#pending.set(id, { id, channel, message, failures: 0, nextAt: at });
    }
  }

  #remember(key: string, host: string | null): void {
    this.#known.set(key, host);
    const [oldest] = this.#known.keys();
    if (this.#known.size > rememberedKeys && oldest !== undefined) this.#known.delete(oldest);
  }

  #keep(receipt: Receipt): void {
    this.#receipts.set(receiptId(receipt), receipt);
    const [oldest] = this.#receipts.keys();
    if (this.#receipts.size > rememberedKeys && oldest !== undefined) this.#receipts.delete(oldest);
  }

  #bury(id: string, problem: string): void {
    const delivery = this.#pending.get(id);
    if (!delivery) return;
    this.#pending.delete(id);
    this.#dead.set(id, { ...delivery, problem });
    const [oldest] = this.#dead.keys();
    if (this.#dead.size <= this.#settings.maximumDead || oldest === undefined) return;
    this.#dead.delete(oldest);
    this.#forgottenDead++;
  }

  #resurrect(id: string, at: number): void {
    const letter = this.#dead.get(id);
    if (!letter) return;
    this.#dead.delete(id);
    this.#pending.set(id, { ...letter, failures: 0, nextAt: at });
  }

  #compact(): void {
    this.#journal.rewrite(this.#truth());
    this.#compactAt = Math.max(compactionOctets, 2 * this.#journal.octets);
  }

  /** The shortest log that replays to this state. */
  *#truth(): Generator<Entry> {
    for (const [key, host] of this.#known) yield { key, host };
    for (const delivery of this.#pending.values()) yield { delivery };
    for (const letter of this.#dead.values()) yield { letter };
    for (const receipt of this.#receipts.values()) yield { receipt };
    yield { forgottenDead: this.#forgottenDead };
  }

  close(): void {
    this.#journal.close();
  }
}

function receiptId({ key, channel, what }: Receipt): string {
  return `${key}/${channel}/${what}`;
}
