/**
 * Which options pass on the way to one TCP port: the paper's Table 3 for a network of one's own. Each option travels on
 * a SYN, and on a segment with one octet of data; what comes back is compared with the answer to a segment without it.
 *
 * SYN: the frame is ours, the kernel knows of no connection. It answers a SYN-ACK with a reset, which ends the
 * half-open connection at the target: nothing stays there. Data: the kernel opens the connection, so it resets
 * nothing; our frame brings the next octet, a line feed, before the kernel does, and an acknowledgment of it tells that it
 * arrived. Then the kernel sends the same octet, for which the target has seen it already, and closes.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunCommand } from "../enforcement/run-command.ts";
import { findPath, findRoute, resolveHost } from "./find-path.ts";
import { FrameExchange } from "./frame-exchange.ts";
import { flags, probeFrame } from "./probe-frame.ts";
import type { ProbePath } from "./probe-frame.ts";
import { optionsFor } from "./probed-option.ts";
import type { ProbedOption } from "./probed-option.ts";
import type { SeenSegment } from "./seen-segment.ts";

/** What a segment met. */
export type Answer =
  | { readonly result: "answered" }
  | { readonly result: "reset" }
  | { readonly result: "icmp"; readonly type: number; readonly code: number; readonly from: string }
  | { readonly result: "silence" }
  | { readonly result: "not tried" };

export interface ProbeRow {
  readonly option: string;
  readonly syn: Answer;
  readonly data: Answer;
}

export interface ProbePlan {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly interfaceName: string;
  readonly source: string;
  /** Frames that are sent at the most, those of the kernel's own connections apart. */
  readonly mostFrames: number;
  /** Connections that the kernel opens. */
  readonly connections: number;
}

export interface ProbeReport extends Omit<ProbePlan, "mostFrames"> {
  readonly port: number;
  readonly frames: number;
  readonly rows: readonly ProbeRow[];
}

export interface ProbeWorld {
  readonly run: RunCommand;
  /** How long an answer is waited for, milliseconds. */
  readonly waitMs: number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** A segment without an answer is sent once more. */
const attempts = 2;
/** For the last octet and the end of a connection to be on their way before it is forgotten. */
const farewellMs = 200;
/** Below what Linux gives to connections of its own (ip_local_port_range). */
const [lowestPort, ports] = [20_000, 10_000] as const;

/** What would be sent, and where. @throws ProbeError */
export async function planProbe(host: string, port: number, run: RunCommand): Promise<ProbePlan> {
  const address = await resolveHost(host);
  const { interfaceName, source } = await findRoute(run, address);
  const options = optionsFor(address.includes(":") ? 6 : 4);
  const onData = options.filter((option) => option.onData).length;
  return {
    host,
    address,
    port,
    interfaceName,
    source,
    mostFrames: attempts * (options.length + onData),
    // One more before all others: it makes the kernel ask for the next hop's hardware address.
    connections: onData + 1,
  };
}

/** @throws ProbeError if nothing can be sent */
export async function probe(plan: ProbePlan, world: ProbeWorld): Promise<ProbeReport> {
  const exchange = await FrameExchange.open(world.run, plan.interfaceName, plan.address);
  try {
    const first = await openConnection(plan, world);
    first?.destroy();
    const path = await findPath(world.run, plan.address, await findRoute(world.run, plan.address));
    const attempt = new Attempt(plan, world, exchange, path);
    const syn = await attempt.trySyns();
    const data = first ? await attempt.tryData() : new Map<string, Answer>();
    const { mostFrames: _, ...rest } = plan;
    const rows = attempt.options.map(({ name }) => ({
      option: name,
      syn: syn.get(name) ?? notTried,
      data: data.get(name) ?? notTried,
    }));
    return { ...rest, frames: attempt.frames, rows };
  } finally {
    await exchange.close();
  }
}

const notTried: Answer = { result: "not tried" };

/** One segment on its way. */
interface Try {
  readonly option: ProbedOption;
  readonly sourcePort: number;
  readonly frame: Uint8Array;
  /** What its acknowledgment says at least. */
  readonly acknowledged: number;
}

class Attempt {
  readonly #plan: ProbePlan;
  readonly #world: ProbeWorld;
  readonly #exchange: FrameExchange;
  readonly #path: ProbePath;
  readonly options: readonly ProbedOption[];
  frames = 0;

  constructor(plan: ProbePlan, world: ProbeWorld, exchange: FrameExchange, path: ProbePath) {
    this.#plan = plan;
    this.#world = world;
    this.#exchange = exchange;
    this.#path = path;
    this.options = optionsFor(path.source.length === 4 ? 4 : 6);
  }

  async trySyns(): Promise<Map<string, Answer>> {
    const firstPort = lowestPort + Math.floor(this.#world.random() * (ports - this.options.length));
    const tries = this.options.map((option, index) => {
      const sequence = Math.floor(this.#world.random() * 2 ** 32);
      const sourcePort = firstPort + index;
      const segment = { ...this.#segment(option, sourcePort, sequence), acknowledgment: 0, flags: flags.syn };
      return {
        option,
        sourcePort,
        frame: probeFrame(this.#path, { ...segment, payload: [] }),
        acknowledged: (sequence + 1) >>> 0,
      };
    });
    return this.#send(tries);
  }

  async tryData(): Promise<Map<string, Answer>> {
    const opened: { readonly option: ProbedOption; readonly socket: Socket }[] = [];
    try {
      for (const option of this.options.filter(({ onData }) => onData)) {
        const socket = await openConnection(this.#plan, this.#world);
        if (socket) opened.push({ option, socket });
      }
      const tries: Try[] = [];
      for (const { option, socket } of opened) {
        const one = await this.#whenSeen(() => this.#dataTry(option, socket));
        if (one) tries.push(one);
      }
      const answers = await this.#send(tries);
      for (const { socket } of opened) socket.end("\n");
      return answers;
    } finally {
      // What was said to the target is acknowledged there; the kernel sees the connections end.
      for (const { socket } of opened) setTimeout(() => socket.destroy(), farewellMs).unref();
    }
  }

  /** What tcpdump saw comes a moment after it was; undefined if it does not. */
  async #whenSeen<Result>(find: () => Result | undefined): Promise<Result | undefined> {
    const deadline = Date.now() + this.#world.waitMs;
    for (;;) {
      const found = find();
      if (found !== undefined || Date.now() >= deadline) return found;
      this.#world.signal.throwIfAborted();
      await sleep(10);
    }
  }

  /** The next octet of a connection, with all that the kernel would have put there; undefined if its SYN was not seen. */
  #dataTry(option: ProbedOption, socket: Socket): Try | undefined {
    const sourcePort = socket.localPort ?? 0;
    const mine = this.#segments().filter((seen) => seen.sourcePort === sourcePort);
    const theirs = this.#segments().filter((seen) => seen.destinationPort === sourcePort);
    const answer = theirs.find((seen) => (seen.flags & flags.syn) !== 0);
    const syn = mine.find((seen) => (seen.flags & flags.syn) !== 0);
    if (!answer || !syn) return undefined;
    const sequence = (syn.sequence + 1) >>> 0;
    const [own, other] = [mine.at(-1)?.timestamp, theirs.at(-1)?.timestamp];
    // Where both have agreed on timestamps, every segment has them (RFC 7323 section 3.2).
    const stamps = answer.timestamp === undefined || own === undefined ? [] : timestamps(own, other ?? 0);
    const segment = this.#segment(option, sourcePort, sequence);
    const frame = probeFrame(this.#path, {
      ...segment,
      acknowledgment: (answer.sequence + 1) >>> 0,
      flags: flags.acknowledgment | flags.push,
      tcpOptions: [...stamps, ...segment.tcpOptions],
      payload: [0x0a],
    });
    return { option, sourcePort, frame, acknowledged: (sequence + 1) >>> 0 };
  }

  #segment(
    { ip, tcp }: ProbedOption,
    sourcePort: number,
    sequence: number,
  ): {
    sourcePort: number;
    destinationPort: number;
    sequence: number;
    ipOptions: readonly number[];
    tcpOptions: readonly number[];
  } {
    return { sourcePort, destinationPort: this.#plan.port, sequence, ipOptions: ip, tcpOptions: tcp };
  }

  async #send(tries: readonly Try[]): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>();
    for (let attempt = 0; attempt < attempts && answers.size < tries.length; attempt++) {
      const open = tries.filter(({ option }) => !answers.has(option.name));
      this.frames += open.length;
      await this.#exchange.send(open.map(({ frame }) => frame));
      const deadline = Date.now() + this.#world.waitMs;
      while (answers.size < tries.length && Date.now() < deadline) {
        this.#world.signal.throwIfAborted();
        await sleep(10);
        for (const one of open) {
          const answer = this.#answerTo(one);
          if (answer) answers.set(one.option.name, answer);
        }
      }
    }
    for (const { option } of tries)
      if (!answers.has(option.name)) answers.set(option.name, { result: "silence" });
    return answers;
  }

  #answerTo({ sourcePort, acknowledged }: Try): Answer | undefined {
    const refusal = this.#exchange.seen.find(
      (seen) =>
        seen.type === "refusal" && seen.sourcePort === sourcePort && seen.destinationPort === this.#plan.port,
    );
    if (refusal?.type === "refusal")
      return { result: "icmp", type: refusal.icmpType, code: refusal.icmpCode, from: refusal.source };
    const theirs = this.#segments().filter((seen) => seen.destinationPort === sourcePort);
    if (theirs.some((seen) => (seen.flags & flags.reset) !== 0)) return { result: "reset" };
    const isAcknowledged = (seen: SeenSegment): boolean =>
      (seen.flags & flags.acknowledgment) !== 0 && ((seen.acknowledgment - acknowledged) | 0) >= 0;
    return theirs.some(isAcknowledged) ? { result: "answered" } : undefined;
  }

  /** Of the target and of this host, to and from the port. */
  #segments(): SeenSegment[] {
    const { address, port } = this.#plan;
    return this.#exchange.seen.filter(
      (seen): seen is SeenSegment =>
        seen.type === "segment" &&
        (seen.source === address ? seen.sourcePort : seen.destinationPort) === port,
    );
  }
}

function timestamps(own: number, other: number): number[] {
  const octets = new DataView(new ArrayBuffer(12));
  octets.setUint32(0, 0x0101080a);
  octets.setUint32(4, own);
  octets.setUint32(8, other);
  return [...new Uint8Array(octets.buffer)];
}

/** A connection of the kernel's; undefined if there is none in time. */
async function openConnection(plan: ProbePlan, world: ProbeWorld): Promise<Socket | undefined> {
  const socket = connect({ host: plan.address, port: plan.port, localAddress: plan.source, noDelay: true });
  socket.on("error", () => undefined);
  socket.resume();
  let timer: NodeJS.Timeout | undefined;
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    timer = setTimeout(() => resolve(false), attempts * world.waitMs);
  });
  clearTimeout(timer);
  if (!isOpen) socket.destroy();
  return isOpen ? socket : undefined;
}

/** Whether an option fared as well as no option at all. */
export function passes(answer: Answer, without: Answer): boolean {
  return answer.result !== "silence" && answer.result !== "icmp" && answer.result === without.result;
}
