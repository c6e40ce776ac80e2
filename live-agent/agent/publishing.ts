/** Events and heartbeats on their way to the dashboard. */
import { readFileSync } from "node:fs";
import { agentContentTypes, agentPaths, heartbeatSeconds } from "../../policy/agent-report.ts";
import type { Heartbeat } from "../../policy/agent-report.ts";
import { Post, PublishError } from "../events/post.ts";
import { defaultPublish, Publisher } from "../events/publish.ts";
import type { EventSource } from "../events/publish.ts";
import { isLoopback } from "../events/loopback.ts";
import type { AgentConfig } from "./agent-config.ts";
import { describeError } from "./agent-log.ts";
import type { AgentWorld } from "./agent-world.ts";

export class Publishing {
  readonly #url: string;
  readonly #publisher: Publisher;
  readonly #heartbeats: Post;
  readonly #world: AgentWorld;
  #heartbeatProblem: string | undefined;

  /** @throws PublishError if nothing may be sent there; the error of the file system if there is no token. */
  constructor(server: NonNullable<AgentConfig["server"]>, source: EventSource, world: AgentWorld) {
    this.#url = server.url;
    this.#world = world;
    const common = {
      ...defaultPublish,
      token: readToken(server.tokenFile),
      insecureHttp: world.insecureHttp,
      ...(server.authoritiesFile === undefined
        ? {}
        : { authorities: readFileSync(server.authoritiesFile, "utf8") }),
    };
    this.#publisher = new Publisher({ ...common, url: addressOf(server.url, "events") }, source, {
      random: world.random,
      sleep: world.sleep,
      complain: (problem) => world.log("warning", "events were not taken", { problem }),
    });
    this.#heartbeats = new Post({ ...common, url: addressOf(server.url, "heartbeat"), timeoutMs: 10_000 });
  }

  /** Whether events go in clear beyond this machine. */
  get isInClear(): boolean {
    const url = new URL(this.#url);
    return url.protocol === "http:" && !isLoopback(url.hostname);
  }

  get status(): { readonly url: string; readonly problem?: string } {
    const problem = this.#publisher.problem ?? this.#heartbeatProblem;
    return { url: this.#url, ...(problem === undefined ? {} : { problem }) };
  }

  /** Events that the dashboard refused for their content. */
  get refused(): number {
    return this.#publisher.refused;
  }

  /** Sends events as they come, and heartbeats, until the signal aborts. */
  async run(heartbeat: () => Heartbeat, signal: AbortSignal): Promise<void> {
    await Promise.all([this.#publisher.run(signal), this.#beat(heartbeat, signal)]);
  }

  async #beat(heartbeat: () => Heartbeat, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#send(heartbeat(), signal);
        await this.#world.sleep(heartbeatSeconds * 1000, signal).catch(() => undefined);
      }
    } finally {
      this.#heartbeats.close();
    }
  }

  /** A heartbeat that is lost is followed by the next; only changes are worth a line in the log. */
  async #send(heartbeat: Heartbeat, signal: AbortSignal): Promise<void> {
    const before = this.#heartbeatProblem;
    try {
      await this.#heartbeats.send(agentContentTypes.heartbeat, JSON.stringify(heartbeat), signal);
      this.#heartbeatProblem = undefined;
      if (before !== undefined) this.#world.log("info", "the dashboard is back", { url: this.#url });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PublishError)) throw error;
      this.#heartbeatProblem = error.message;
      if (before === undefined) {
        this.#world.log("warning", "a heartbeat was not taken", { problem: describeError(error) });
      }
    }
  }
}

function addressOf(base: string, what: keyof typeof agentPaths): string {
  if (!URL.canParse(base))
    throw new PublishError(`server.url: expected an https:// address, got "${base.slice(0, 100)}"`);
  const url = new URL(base);
  // The dashboard may be below a path of a proxy.
  url.pathname = `${url.pathname.replace(/\/$/, "")}${agentPaths[what]}`;
  return url.href;
}

/** Editors end a file with a line feed that is no part of the token. */
function readToken(path: string): string {
  const token = readFileSync(path, "utf8").trim();
  if (!/^[\x21-\x7e]{1,1000}$/.test(token)) throw new Error(`${path}: expected a token in one line`);
  return token;
}
