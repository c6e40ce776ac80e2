/** What the agent may touch of the world around it. Tests pass their own; cli/ passes the process. */
import type { RunCommand } from "../enforcement/run-command.ts";
import type { WriteLog } from "./agent-log.ts";

export interface AgentWorld {
  /** Seconds since 1970. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Resolves after so many milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Runs the programs that speak to the kernel. */
  readonly run: RunCommand;
  readonly log: WriteLog;
  readonly hostName: string;
  /** Of tattle. */
  readonly version: string;
  /** Starts the process that takes unconfirmed rules back; a folder is its last argument. */
  readonly guardCommand: readonly string[];
  /** Reads NFLOG groups. */
  readonly tcpdump: readonly string[];
  /** Folder of the lock that agents of one network namespace share. */
  readonly lockFolder: string;
  /** Whether somebody said --insecure-http. */
  readonly insecureHttp: boolean;
}
