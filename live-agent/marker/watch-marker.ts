/**
 * The watchdog: whoever is root can detach the program or empty its map, but not without a word in the log, and not for
 * long. It says what it found, and puts it right.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { KernelError } from "../enforcement/kernel-error.ts";
import { changeState, readStatus } from "./marker.ts";
import type { Marker } from "./marker.ts";

/** Looks until the signal aborts. */
export async function watchMarker(
  marker: Marker,
  everyMs: number,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    for (const line of await look(marker)) say(line);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function look(marker: Marker): Promise<readonly string[]> {
  try {
    const { problems } = await readStatus(marker);
    if (problems.length === 0) return [];
    await changeState(marker, (state) => state, { adopt: true });
    return problems.map((problem) => `${problem}; put right`);
  } catch (error) {
    // The next look may find it better; until then the log says so every time.
    if (error instanceof KernelError) return [`${error.message}: ${String(error.cause)}`];
    throw error;
  }
}
