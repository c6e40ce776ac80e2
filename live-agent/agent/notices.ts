/** The agent's notices, from events and from what happens to its rules: grouped, on disk, on their way to people. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LoadedPolicy } from "../../policy/load-policy.ts";
import type { LoggedEvent } from "../events/nflog-events.ts";
import { HostWatch } from "../notify/host-watch.ts";
import type { AgentNoticeKind } from "../notify/notice.ts";
import { Notifier } from "../notify/notifier.ts";
import type { Subscription } from "../notify/notifier.ts";
import { closeChannels, openChannels } from "../notify/open-channels.ts";
import { Outbox } from "../notify/outbox.ts";
import type { AgentConfig } from "./agent-config.ts";
import { describeError } from "./agent-log.ts";
import type { AgentWorld } from "./agent-world.ts";
import { HostNotices } from "./host-notices.ts";

/** Hosts whose state is remembered. */
const maximumHosts = 10_000;

export class Notices {
  readonly #name: string;
  readonly #outbox: Outbox;
  readonly #subscriptions: readonly Subscription[];
  readonly #notifier: Notifier;
  readonly #hosts: HostNotices;
  readonly #world: AgentWorld;

  private constructor(
    name: string,
    config: AgentConfig,
    { policy, book }: LoadedPolicy,
    open: { readonly outbox: Outbox; readonly subscriptions: readonly Subscription[] },
    world: AgentWorld,
  ) {
    const { grouping } = config.notify;
    this.#name = name;
    this.#outbox = open.outbox;
    this.#subscriptions = open.subscriptions;
    this.#world = world;
    this.#notifier = new Notifier(
      folderOf(config),
      { agent: name, grouping },
      open.outbox,
      open.subscriptions,
      {
        now: world.now,
        random: world.random,
        sleep: world.sleep,
        complain: (problem) => world.log("warning", problem),
      },
    );
    const watch = new HostWatch(book, { repeatSeconds: grouping.repeatSeconds, maximumHosts });
    this.#hosts = new HostNotices(policy, watch, (notice) => void this.#notifier.report(notice));
  }

  /** @throws what opening a channel throws. */
  static async open(
    name: string,
    config: AgentConfig,
    loaded: LoadedPolicy,
    world: AgentWorld,
  ): Promise<Notices> {
    const outbox = new Outbox(join(folderOf(config), "outbox.log"));
    const subscriptions = await openChannels(config.notify.channels, {
      now: world.now,
      receive: (receipt) => void outbox.receive(receipt),
      known: outbox.known,
      readText: (path) => readFileSync(resolve(config.folder, path), "utf8"),
    });
    return new Notices(name, config, loaded, { outbox, subscriptions }, world);
  }

  get counts(): { readonly pending: number; readonly dead: number } {
    return { pending: this.#outbox.pending.length, dead: this.#outbox.deadLetters.length };
  }

  /** A packet on which the policy decided. */
  packet(event: LoggedEvent): void {
    this.#guarded(() => this.#hosts.take(event));
  }

  /** Something happened to the agent itself. */
  agent(kind: AgentNoticeKind, detail: string): void {
    this.#guarded(() => {
      this.#notifier.report({ kind, at: this.#world.now(), agent: this.#name, detail });
    });
  }

  /** A notice that finds no room on the disk must not end the agent. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#world.log("error", "a notice could not be kept", { problem: describeError(error) });
    }
  }

  /** Delivers until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#notifier.run(signal);
  }

  async close(): Promise<void> {
    await closeChannels(this.#subscriptions);
    this.#notifier.close();
    this.#outbox.close();
  }
}

function folderOf({ stateFolder }: AgentConfig): string {
  return join(stateFolder, "notices");
}
