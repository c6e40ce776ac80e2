/** The parts of a running agent, opened in order; what is opened is closed in the reverse order. */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import type { AgentEvent } from "../../policy/event.ts";
import type { LoadedPolicy } from "../../policy/load-policy.ts";
import { tagBits } from "../enforcement/packet-place.ts";
import { asksForTags } from "../enforcement/tag-checking.ts";
import { readVerdictCounters } from "../enforcement/enforcement.ts";
import type { EnforcementPoint, VerdictCounters } from "../enforcement/enforcement.ts";
import { EventRecorder } from "../events/event-recorder.ts";
import { GapAccount, packetsOf } from "../events/gap-account.ts";
import type { Counters } from "../events/gap-account.ts";
import { defaultSpool, Spool } from "../events/spool.ts";
import type { AgentConfig } from "./agent-config.ts";
import { agentIdentity } from "./agent-identity.ts";
import { acquireLock, bootId, namespaceLock } from "./agent-lock.ts";
import { describeError } from "./agent-log.ts";
import type { AgentWorld } from "./agent-world.ts";
import { Change } from "./change.ts";
import { enforcementPoint } from "./enforcement-point.ts";
import { Notices } from "./notices.ts";
import { PacketLog } from "./packet-log.ts";
import { Publishing } from "./publishing.ts";
import { RuleKeeper } from "./rule-keeper.ts";
import type { RuleKeeperWorld } from "./rule-keeper.ts";

export interface AgentParts {
  readonly config: AgentConfig;
  readonly loaded: LoadedPolicy;
  readonly world: AgentWorld;
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly startedAt: number;
  readonly point: EnforcementPoint;
  readonly change: Change;
  readonly spool: Spool<AgentEvent>;
  readonly recorder: EventRecorder;
  readonly notices: Notices;
  readonly publishing: Publishing | undefined;
  readonly packets: PacketLog;
  readonly keeper: RuleKeeper;
}

/** Undoes what was opened. */
export type Closer = () => void | Promise<void>;

/** Longest way of a packet from the kernel to its event, seconds (gap-account.ts). */
const settleSeconds = 2;

/**
 * Opens everything, and tells what the kernel decided on while no agent lived; rules are as they were. `closers` gets
 * what has to be undone, also if opening fails half-way.
 */
export async function openAgent(
  config: AgentConfig,
  loaded: LoadedPolicy,
  world: AgentWorld,
  closers: Closer[],
): Promise<AgentParts> {
  for (const path of [join(config.stateFolder, "agent.lock"), namespaceLock(world.lockFolder)]) {
    const lock = acquireLock(path);
    closers.push(() => lock.release());
  }
  const id = agentIdentity(config.stateFolder);
  const name = config.name ?? world.hostName;
  const point = await enforcementPoint(config, loaded, world.run);
  const settings = { ...defaultSpool, maximumOctets: config.spoolOctets };
  const spool = new Spool<AgentEvent>(join(config.stateFolder, "spool"), settings, packetsOf);
  closers.push(() => spool.close());
  const publishing = config.server ? new Publishing(config.server, spool, world) : undefined;
  const notices = await Notices.open(name, config, loaded, world);
  closers.push(async () => notices.close());
  const recorder = openRecorder(config, id, spool, world, await readVerdictCounters(point));
  const packets = openPacketLog(config, loaded, id, recorder, notices, world);
  const change = new Change(config.stateFolder);
  const keeper = new RuleKeeper(point, keeperWorld(recorder, notices, change, world));
  return {
    config,
    loaded,
    world,
    id,
    name,
    startedAt: world.now(),
    point,
    change,
    spool,
    recorder,
    notices,
    publishing,
    packets,
    keeper,
  };
}

/** Nobody reads yet, so what the counters of left-over rules say and no event tells is a gap, exactly. */
function openRecorder(
  config: AgentConfig,
  id: string,
  spool: Spool<AgentEvent>,
  world: AgentWorld,
  counters: VerdictCounters,
): EventRecorder {
  const settings = { agent: id, settleSeconds, isSampled: config.sampling !== undefined };
  // Counters run on from the same zero as long as the machine does not boot, and the network namespace is the same.
  const epoch = `${bootId()} ${readlinkSync("/proc/self/ns/net")}`;
  const path = join(config.stateFolder, "counters.json");
  const account = new GapAccount(path, settings, spool, epoch, packetCounts(counters));
  const recorder = new EventRecorder(spool, account, {
    now: world.now,
    complain: (problem) => world.log("error", problem),
  });
  recorder.readCounters(packetCounts(counters), world.now());
  recorder.settle();
  if (recorder.gapPackets > 0) {
    world.log("warning", "packets were decided on while no agent read them", {
      packets: recorder.gapPackets,
    });
  }
  return recorder;
}

function openPacketLog(
  config: AgentConfig,
  { policy }: LoadedPolicy,
  agent: string,
  recorder: EventRecorder,
  notices: Notices,
  world: AgentWorld,
): PacketLog {
  const { group, establishedGroup } = config.log;
  const groups = establishedGroup === undefined ? [group] : [group, establishedGroup];
  return new PacketLog(
    { groups, command: world.tcpdump },
    {
      agent,
      selection: policy,
      ...(establishedGroup === undefined ? {} : { establishedGroup }),
      ...(asksForTags(policy) ? { tagShift: config.markShift - tagBits } : {}),
    },
    (event) => {
      recorder.take(event);
      notices.packet(event);
    },
    {
      random: world.random,
      sleep: world.sleep,
      complain: (problem) => {
        world.log("error", "logged packets are not read; they will be gaps", {
          problem: describeError(problem),
        });
      },
    },
  );
}

function keeperWorld(
  recorder: EventRecorder,
  notices: Notices,
  change: Change,
  world: AgentWorld,
): RuleKeeperWorld {
  return {
    now: world.now,
    commitState: () => change.state,
    onCounters: (counters, at) => recorder.readCounters(packetCounts(counters), at),
    onApplying: () => recorder.makingAnew(),
    onApplied: (counters) => recorder.madeAnew(packetCounts(counters)),
    onDrift: (drift, problem) => {
      const differences = drift.differences.slice(0, 10);
      const detail = differences.slice(0, 3).join("; ");
      world.log("warning", "somebody changed the rules", { count: drift.count, differences });
      if (drift.lostJumps > 0) notices.agent("jump-flushed", detail);
      if (problem === undefined) {
        world.log("info", "the rules are as wanted again", { reinserted: drift.lostJumps });
        if (drift.lostJumps > 0) notices.agent("jump-reinserted", detail);
      } else {
        world.log("error", "the rules cannot be put right", { problem: describeError(problem) });
      }
    },
  };
}

function packetCounts(counters: VerdictCounters): Counters {
  return new Map([...counters].map(([label, { packets }]) => [label, packets]));
}
