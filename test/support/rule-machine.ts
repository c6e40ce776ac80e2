/**
 * Follows a packet through chains as netfilter does, from rules as plain data: so that what a policy compiles to is
 * tested without a kernel. Knows the matches and targets that live-agent/enforcement/ writes, and fails at any other.
 */
import type { Program } from "../../live-agent/enforcement/classic-bpf.ts";
import type { Ruleset } from "../../live-agent/enforcement/chains.ts";
import { holdsAddress, parseNetwork } from "../../policy/network.ts";
import type { PacketPath } from "../../policy/packet-facts.ts";
import { runProgram } from "./classic-bpf-machine.ts";

export interface PassedPacket extends PacketPath {
  readonly octets: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Seconds since 1970 on the kernel's clock. */
  readonly time: number;
  /** The packet mark that it comes with; 0 if absent. */
  readonly packetMark?: number;
}

export interface Outcome {
  /** What the last log rule met said; absent if none was met. */
  readonly label?: string;
  readonly dropped: boolean;
  readonly rejected: boolean;
  readonly stripped: boolean;
  readonly mirrored: boolean;
  readonly packetMark: number;
  /** Rules looked at. */
  readonly rules: number;
}

interface State {
  packetMark: number;
  rules: number;
  label?: string;
  dropped: boolean;
  rejected: boolean;
  stripped: boolean;
  mirrored: boolean;
}

const programs = new Map<string, Program>();

/** What becomes of a packet that passes these chains, from the jumps in FORWARD on. */
export function passPacket(ruleset: Ruleset, packet: PassedPacket): Outcome {
  const state: State = {
    packetMark: packet.packetMark ?? 0,
    rules: 0,
    dropped: false,
    rejected: false,
    stripped: false,
    mirrored: false,
  };
  for (const table of ruleset.tables) {
    const chains = new Map(table.chains.map((chain) => [chain.name, chain.rules]));
    const jumps = table.jumps.filter((jump) => jump.from === "FORWARD").map((jump) => jump.rule);
    if (followChain(chains, jumps, packet, state)) break;
  }
  return state;
}

/** Whether the packet is done with, dropped. */
function followChain(
  chains: ReadonlyMap<string, readonly string[]>,
  rules: readonly string[],
  packet: PassedPacket,
  state: State,
): boolean {
  for (const rule of rules) {
    state.rules++;
    const words = splitRule(rule);
    if (!matchesAll(words, packet, state)) continue;
    const target = words.findIndex((word) => word === "-j" || word === "-g");
    if (target < 0) continue;
    const [flag = "", name = "", ...rest] = words.slice(target);
    const chain = chains.get(name);
    if (chain) {
      if (followChain(chains, chain, packet, state)) return true;
      // A goto comes back to where the last jump was made from.
      if (flag === "-g") return false;
    } else if (name === "RETURN") return false;
    else if (act(name, rest, state)) return true;
  }
  return false;
}

function act(target: string, rest: readonly string[], state: State): boolean {
  switch (target) {
    case "MARK": {
      const [value = 0, mask = 0] = (rest[1] ?? "").split("/").map(Number);
      // xt_mark: bits of the mask are cleared, then the value is applied by exclusive or.
      state.packetMark = ((state.packetMark & ~mask) ^ value) >>> 0;
      return false;
    }
    case "NFLOG":
      state.label = rest[1]!;
      return false;
    case "TEE":
      state.mirrored = true;
      return false;
    case "TCPOPTSTRIP":
      state.stripped = true;
      return false;
    case "DROP":
      state.dropped = true;
      return true;
    case "REJECT":
      state.rejected = true;
      return true;
    default:
      throw new Error(`no target ${target}`);
  }
}

function matchesAll(words: readonly string[], packet: PassedPacket, state: State): boolean {
  for (let at = 0; at < words.length; at++) {
    const [flag = "", value = "", extra = ""] = words.slice(at, at + 3);
    switch (flag) {
      case "-j":
      case "-g":
        return true;
      case "-p":
      case "-m":
        at++;
        break;
      case "-i":
        if (packet.arrivesOn !== value) return false;
        at++;
        break;
      case "-o":
        if (packet.leavesBy !== value) return false;
        at++;
        break;
      case "-s":
      case "-d":
        if (!holdsAddress(parseNetwork(value), flag === "-s" ? packet.source : packet.destination))
          return false;
        at++;
        break;
      case "--bytecode":
        if (runProgram(programOf(value), packet.octets, state.packetMark) === 0) return false;
        at++;
        break;
      case "--mark": {
        const [wanted, mask] = value.split("/").map(Number);
        if ((state.packetMark & mask!) >>> 0 !== wanted) return false;
        at++;
        break;
      }
      case "!":
        if (packet.established) return false;
        at += 2;
        break;
      case "--ctstate":
      case "--ctstatus":
        if (!packet.established) return false;
        at++;
        break;
      case "--datestart":
        if (packet.time < Date.parse(`${value}Z`) / 1000) return false;
        at++;
        break;
      case "--datestop":
        if (packet.time > Date.parse(`${value}Z`) / 1000) return false;
        at++;
        break;
      case "--comment":
        at++;
        break;
      default:
        throw new Error(`no match ${flag} ${value} ${extra}`);
    }
  }
  return true;
}

function programOf(text: string): Program {
  let program = programs.get(text);
  if (!program) {
    program = text
      .split(",")
      .slice(1)
      .map((instruction) => {
        const [code, jumpTrue, jumpFalse, operand] = instruction.split(" ").map(Number);
        return { code: code!, jumpTrue: jumpTrue!, jumpFalse: jumpFalse!, operand: operand! };
      });
    programs.set(text, program);
  }
  return program;
}

const splitRules = new Map<string, readonly string[]>();

/** Words, quoted ones without their quotes. */
function splitRule(rule: string): readonly string[] {
  let words = splitRules.get(rule);
  if (!words) {
    words = [...rule.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
    splitRules.set(rule, words);
  }
  return words;
}
