/** Takes away what agents left in the kernel, whichever backend they used: not one rule, not one program. */
import { detachReturns } from "../enforcement/alter-at-host.ts";
import { detachZeroing } from "../enforcement/alter.ts";
import { chainPrefix } from "../enforcement/chain-names.ts";
import { removeRules } from "../enforcement/enforcement.ts";
import { backends, defaultLockWaitSeconds, programName } from "../enforcement/iptables.ts";
import type { Backend } from "../enforcement/iptables.ts";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { Family } from "../enforcement/packet-place.ts";
import { detachTagChecks } from "../enforcement/tag-checking.ts";
import type { RunCommand } from "../enforcement/run-command.ts";

export interface RemovedRules {
  readonly backend: Backend;
  readonly family: Family;
  /** Lines that were not wanted any more. */
  readonly lines: number;
}

/** What there was. @throws KernelError if the kernel does not let go of something */
export async function removeAllRules(run: RunCommand): Promise<RemovedRules[]> {
  const removed: RemovedRules[] = [];
  for (const backend of backends) {
    for (const family of [4, 6] as const) {
      if (!(await hasRules(run, backend, family))) continue;
      const iptables = { backend, run, lockWaitSeconds: defaultLockWaitSeconds };
      const { count } = await removeRules({ iptables, families: [family] });
      removed.push({ backend, family, lines: count });
    }
  }
  await detachReturns(run);
  await detachZeroing(run);
  await detachTagChecks(run);
  return removed;
}

/** The program is there and does not answer, so nobody knows what rules there are. */
class RefusedError extends KernelError {}

/** Without naming a table: that would load the modules of a backend that nobody uses. */
export async function hasRules(run: RunCommand, backend: Backend, family: Family): Promise<boolean> {
  try {
    const program = programName(backend, family, "save");
    const { status, stdout, stderr } = await run(program, []);
    if (status !== 0) throw new RefusedError(`${program} failed with status ${status}`, stderr);
    return stdout.includes(` ${chainPrefix}`) || stdout.includes(`:${chainPrefix}`);
  } catch (error) {
    // Not installed: it cannot have made rules either.
    if (error instanceof KernelError && !(error instanceof RefusedError)) return false;
    throw error;
  }
}
