/**
 * Changed rules that somebody has to confirm (live-agent/enforcement/commit-confirm.ts), over restarts of the agent: the
 * same rules again are no change, and rules that were taken back are not put in again by themselves.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { armRevert, confirmCommit, forgetRevert, readCommitState } from "../enforcement/commit-confirm.ts";
import type { CommitState } from "../enforcement/commit-confirm.ts";
import type { EnforcementPoint } from "../enforcement/enforcement.ts";
import { replaceFile } from "../events/atomic-file.ts";

export class UnconfirmedError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = "UnconfirmedError";
  }
}

/** The longest time to confirm (agent-config.ts), and a minute for the guard to run its commands. */
const longestSeconds = 3660;
const pollMs = 200;

export class Change {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, "commit");
  }

  get state(): CommitState {
    return readCommitState(this.#folder);
  }

  /** Whether only the guard may touch the rules now. */
  get isUndecided(): boolean {
    return this.state === "pending" || this.state === "reverting";
  }

  /**
   * Resolves when no change waits to be confirmed: one that a killed agent made may.
   * @throws UnconfirmedError if the guard that should end the wait does not
   */
  async settled(
    sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let left = (longestSeconds * 1000) / pollMs;
    for (; this.isUndecided; left--) {
      if (left <= 0) {
        throw new UnconfirmedError(
          `a change waits to be confirmed, and its guard does not end that: look into ${this.#folder}, or keep the rules by tattle agent confirm`,
        );
      }
      await sleep(pollMs, signal);
    }
  }

  /**
   * Starts the guard if these rules are a change that has to be confirmed. Whether they are.
   * @throws UnconfirmedError if they were taken back before; KernelError
   */
  async arm(
    point: EnforcementPoint,
    digest: string,
    seconds: number,
    guardCommand: readonly string[],
  ): Promise<boolean> {
    if (this.state === "reverted" && this.#read("change") === digest) {
      throw new UnconfirmedError(
        "these rules were taken back, because nobody confirmed them; change the policy, or say tattle agent confirm and start again",
      );
    }
    if (seconds === 0 || this.#read("applied") === digest) return false;
    this.#write("change", digest);
    await armRevert(point, { folder: this.#folder, seconds, guardCommand });
    return true;
  }

  /** These rules are in force, and nobody needs to confirm them. */
  accept(digest: string): void {
    if (this.#read("applied") !== digest) this.#write("applied", digest);
  }

  /** The rules could not be applied: the guard takes back what was, and they may be tried again. */
  failed(): void {
    rmSync(this.#path("change"), { force: true });
  }

  /** Keeps the rules that wait. `reverted`: too late, they were taken back; they may be tried again. */
  confirm(): "confirmed" | "reverted" | "nothing to confirm" {
    if (confirmCommit(this.#folder)) {
      if (existsSync(this.#path("change"))) renameSync(this.#path("change"), this.#path("applied"));
      return "confirmed";
    }
    return forgetRevert(this.#folder) ? "reverted" : "nothing to confirm";
  }

  #path(name: "change" | "applied"): string {
    return join(this.#folder, name);
  }

  #read(name: "change" | "applied"): string | undefined {
    return existsSync(this.#path(name)) ? readFileSync(this.#path(name), "utf8").trim() : undefined;
  }

  #write(name: "change" | "applied", digest: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(this.#path(name), `${digest}\n`);
  }
}
