/**
 * The rules' life while the agent lives: adopted or applied at the start, looked at every second, put right when
 * somebody changed them, time constants renewed. While a change waits to be confirmed only the guard may touch them.
 */
import type { CommitState } from "../enforcement/commit-confirm.ts";
import { defaultRenewalSeconds } from "../enforcement/elapsed-plan.ts";
import {
  applyRules,
  compileRules,
  readState,
  readVerdictCounters,
  removeRules,
  renewRules,
} from "../enforcement/enforcement.ts";
import type { Drift, EnforcementPoint, VerdictCounters } from "../enforcement/enforcement.ts";
import type { Ruleset } from "../enforcement/chains.ts";

export interface RuleKeeperWorld {
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly commitState: () => CommitState;
  readonly onCounters: (counters: VerdictCounters, at: number) => void;
  /** Chains are about to be made anew. */
  readonly onApplying: () => void;
  /** They are; the counters are those of just after. */
  readonly onApplied: (counters: VerdictCounters) => void;
  /** Rules were different, and are put right if there is no problem. */
  readonly onDrift: (drift: Drift, problem: unknown) => void;
}

/** The change was taken back: whoever made it does not want it. */
export class RevertedError extends Error {
  constructor() {
    super("nobody confirmed the change of the rules in time, so it was taken back");
    this.name = "RevertedError";
  }
}

export class RuleKeeper {
  readonly #point: EnforcementPoint;
  readonly #world: RuleKeeperWorld;
  #wanted: readonly Ruleset[] = [];
  /** Drift at the last look, before it was put right. */
  drift: Drift = { count: 0, differences: [], lostJumps: 0 };
  counters: VerdictCounters = new Map();
  /** Jumps that were put back. */
  reinserted = 0;
  /** When the time constants were last renewed, seconds since 1970; undefined if there are none. */
  renewedAt: number | undefined;

  constructor(point: EnforcementPoint, world: RuleKeeperWorld) {
    this.#point = point;
    this.#world = world;
  }

  /** Makes the kernel's rules those of the policy; says what was different. */
  async apply(): Promise<Drift> {
    const now = Math.floor(this.#world.now());
    this.#world.onApplying();
    this.#wanted = compileRules(this.#point, now);
    const drift = await applyRules(this.#point, this.#wanted);
    this.#noteRenewed(now);
    this.counters = await readVerdictCounters(this.#point);
    this.#world.onApplied(this.counters);
    return drift;
  }

  #noteRenewed(now: number): void {
    if (this.#point.policy.rules.some(({ elapsed }) => elapsed)) this.renewedAt = now;
  }

  /**
   * One look at the kernel, and what follows from it.
   * @throws RevertedError; KernelError if the rules cannot be read
   */
  async look(): Promise<void> {
    const state = this.#world.commitState();
    if (state === "reverting" || state === "reverted") throw new RevertedError();
    const { drift, counters } = await readState(this.#point, this.#wanted);
    this.drift = drift;
    this.counters = counters;
    this.#world.onCounters(counters, this.#world.now());
    if (state === "pending") return;
    if (drift.count > 0) await this.#repair(drift);
    else await this.#renewIfDue();
  }

  async #repair(drift: Drift): Promise<void> {
    try {
      await this.apply();
    } catch (error) {
      this.#world.onDrift(drift, error);
      return;
    }
    this.reinserted += drift.lostJumps;
    this.#world.onDrift(drift, undefined);
  }

  async #renewIfDue(): Promise<void> {
    const now = Math.floor(this.#world.now());
    // A clock that was set back makes the constants wrong at once.
    if (this.renewedAt === undefined || Math.abs(now - this.renewedAt) < defaultRenewalSeconds) return;
    this.#wanted = await renewRules(this.#point, this.#wanted, now);
    this.#noteRenewed(now);
  }

  /** Leaves not one rule; the counters are those of just before. */
  async remove(): Promise<void> {
    this.counters = await readVerdictCounters(this.#point);
    await removeRules(this.#point);
    this.#world.onCounters(this.counters, this.#world.now());
  }
}
