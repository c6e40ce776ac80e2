/**
 * The agent: rules in the kernel, events to the dashboard, notices to people, until it is told to end. The rules stay
 * then, unless the configuration says otherwise; they stay also when it is killed, and the next agent adopts them.
 */
import type { LoadedPolicy } from "../../policy/load-policy.ts";
import type { AgentConfig } from "./agent-config.ts";
import { describeError } from "./agent-log.ts";
import { openAgent } from "./agent-parts.ts";
import type { AgentParts, Closer } from "./agent-parts.ts";
import type { AgentWorld } from "./agent-world.ts";
import { changeDigest } from "./enforcement-point.ts";
import { heartbeatOf, statusOf } from "./heartbeat.ts";
import { RevertedError } from "./rule-keeper.ts";
import { runTogether } from "./run-together.ts";
import { serveMetrics, serveStatus } from "./status-servers.ts";

/** Between two looks at the rules, milliseconds; more where a look takes long, so that it costs a tenth at most. */
const lookMs = 1000;
const lookShare = 10;
const longestWaitMs = 5000;
/** How long new rules wait for their reader, milliseconds. Without it they come, too, and packets are gaps. */
const listenMs = 5000;

/**
 * Runs until the signal aborts.
 * @throws AgentRunsError, UnconfirmedError, RevertedError, KernelError, PolicyError, PublishError
 */
export async function runAgent(
  config: AgentConfig,
  loaded: LoadedPolicy,
  world: AgentWorld,
  signal: AbortSignal,
): Promise<void> {
  const closers: Closer[] = [];
  try {
    const parts = await openAgent(config, loaded, world, closers);
    if (parts.change.isUndecided)
      world.log("warning", "a change waits to be confirmed, and this agent for that");
    await parts.change.settled(world.sleep, signal);
    await whileReading(parts, async () => live(parts, closers, signal));
    // Counters went with the rules, so what they said last is told now.
    if (config.onExit === "remove") parts.recorder.settle();
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** Reads logged packets before there are rules, and until there is nothing more to do; then all was read. */
async function whileReading(parts: AgentParts, work: () => Promise<void>): Promise<void> {
  const reading = new AbortController();
  const ended = parts.packets.run(reading.signal);
  try {
    await within(listenMs, parts, async (limit) => parts.packets.listening(limit));
    await work();
  } finally {
    reading.abort();
    await ended;
    parts.recorder.flush();
  }
}

async function within(
  milliseconds: number,
  { world }: AgentParts,
  work: (limit: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const waiting = work(limit.signal);
  await Promise.race([waiting, world.sleep(milliseconds, limit.signal).catch(() => undefined)]);
  limit.abort();
}

async function live(parts: AgentParts, closers: Closer[], signal: AbortSignal): Promise<void> {
  const { config, world, publishing, notices } = parts;
  const status = (): ReturnType<typeof statusOf> => statusOf(parts);
  const answering = await serveStatus(config.stateFolder, status);
  closers.push(async () => answering.close());
  if (publishing?.isInClear === true) {
    world.log("warning", "events and the token go in clear: --insecure-http", { url: publishing.status.url });
  }
  // Before the metrics: a port that is taken must not keep the rules away.
  await enforce(parts);
  if (config.metrics) {
    const metrics = await serveMetrics(config.metrics.port, status);
    closers.push(async () => metrics.close());
    world.log("info", "metrics", { url: `http://127.0.0.1:${metrics.port}/metrics` });
  }
  try {
    await runTogether(
      [
        async (ending) => keepRules(parts, ending),
        async (ending) => notices.run(ending),
        ...(publishing
          ? [async (ending: AbortSignal) => publishing.run(() => heartbeatOf(parts), ending)]
          : []),
      ],
      signal,
    );
  } catch (error) {
    // The guard has put back what was before: that is what stays.
    if (error instanceof RevertedError) world.log("error", error.message);
    throw error;
  }
  const isRemoved = config.onExit === "remove" && !parts.change.isUndecided;
  if (isRemoved) await parts.keeper.remove();
  // What waits to be confirmed is the guard's: it would put the rules of before back.
  else if (config.onExit === "remove") world.log("warning", "the rules are left to the guard");
  world.log("info", "ended", { rules: isRemoved ? "removed" : "kept" });
}

async function enforce(parts: AgentParts): Promise<void> {
  const { change, point, config, loaded, world, keeper } = parts;
  const digest = changeDigest(loaded, point);
  const { commitConfirmSeconds: seconds } = config;
  const isArmed = await change.arm(point, digest, seconds, world.guardCommand);
  const drift = await keeper.apply().catch((error: unknown) => {
    change.failed();
    throw error;
  });
  if (!isArmed) change.accept(digest);
  world.log("info", "enforcing", {
    policy: loaded.policy.name,
    chains: point.hooks,
    backend: point.iptables.backend,
    changed: drift.count,
    rules: loaded.policy.rules.length,
  });
  if (isArmed) {
    world.log("warning", `the rules are taken back in ${seconds} s unless you say: tattle agent confirm`);
  }
}

/** Looks at the rules every second; what fails is tried again at the next look. */
async function keepRules({ keeper, recorder, world }: AgentParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = world.now();
    try {
      await keeper.look();
    } catch (error) {
      if (error instanceof RevertedError) throw error;
      world.log("error", "the rules could not be looked at", { problem: describeError(error) });
    }
    recorder.tick();
    const tookMs = (world.now() - began) * 1000;
    const waitMs = Math.min(longestWaitMs, Math.max(lookMs, tookMs * lookShare));
    await world.sleep(waitMs, signal).catch(() => undefined);
  }
}
