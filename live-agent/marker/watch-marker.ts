/**
 * The watchdog: whoever is root can detach the program or empty its map, but not without a word in the log, and not for
 * long. It says what it found, and puts it right.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { KernelError } from "../enforcement/kernel-error.ts";
import { MarkSettingsError } from "./mark-settings.ts";
import { changeState, readStatus } from "./marker.ts";
import type { Marker } from "./marker.ts";
import { PrivateFileError } from "./private-json.ts";
import { StateError } from "./state-file.ts";

/** Puts all in place, as after a boot, and then looks until the signal aborts. */
export async function watchMarker(
  marker: Marker,
  everyMs: number,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  for (const line of await tolerate(() => restore(marker))) say(line);
  while (!signal.aborted) {
    for (const line of await tolerate(() => look(marker))) say(line);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function restore(marker: Marker): Promise<readonly string[]> {
  await changeState(marker, (state) => state, { adopt: true });
  return ["the marker is in place, and is watched"];
}

async function look(marker: Marker): Promise<readonly string[]> {
  const { problems } = await readStatus(marker);
  if (problems.length === 0) return [];
  await restore(marker);
  return problems.map((problem) => `${problem}; put right`);
}

function isOfFiles(error: unknown): error is Error {
  return (
    error instanceof StateError || error instanceof PrivateFileError || error instanceof MarkSettingsError
  );
}

/** What the kernel refuses now it may take at the next look; until then the log says so every time. */
async function tolerate(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KernelError) return [`${error.message}: ${String(error.cause)}`];
    // Somebody damaged a file: a watchdog that ended for that would be easy to end.
    if (isOfFiles(error)) return [error.message];
    throw error;
  }
}
