/**
 * The marker of a host: what detectors said is kept in a file and told to the kernel, in this order, so that a crash in
 * between loses nothing; the next command or the boot unit brings the kernel to what the file says.
 */
import { existsSync } from "node:fs";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";
import { adoptConnections, findCgroupRoot } from "./adopt-connections.ts";
import type { Adoption } from "./adopt-connections.ts";
import { fillGaps, listUnfilled } from "./gap-filler.ts";
import {
  attachProgram,
  detachProgram,
  isAttached,
  loadProgram,
  readMarkValue,
  readPacketCounts,
  removeMarkValue,
  removePins,
  writeMarkValue,
} from "./kernel-marks.ts";
import type { KernelPlace, PacketCounts } from "./kernel-marks.ts";
import { hasHostKeys, writeHostKeys } from "./kernel-keys.ts";
import { readHostKeys } from "./host-keys.ts";
import type { HostKey } from "./host-keys.ts";
import type { MarkSettings } from "./mark-settings.ts";
import { emptyState, liveRecords } from "./mark-state.ts";
import type { KeptRecord, MarkState } from "./mark-state.ts";
import { encodeMarkValue, saysTheSame } from "./mark-value.ts";
import type { Clocks } from "./mark-value.ts";
import { readState, StateError, withLockedState, writeState } from "./state-file.ts";

export interface Marker {
  readonly settings: MarkSettings;
  readonly run: RunCommand;
  readonly clocks: () => Clocks;
}

/** What a change led to. */
export interface Outcome {
  readonly state: MarkState;
  /** Of connections that were there before the program; absent if it already was in place. */
  readonly adoption?: Adoption;
}

export interface MarkerStatus {
  readonly marking: boolean;
  readonly cgroup: string;
  readonly attached: boolean;
  readonly records: readonly KeptRecord[];
  readonly counts: PacketCounts | undefined;
  /** What is not as the state says it should be; empty if all is well. */
  readonly problems: readonly string[];
}

/**
 * Changes what is kept, then brings the kernel to it.
 * @throws KernelError if the kernel refuses; the change is kept
 */
export async function changeState(
  marker: Marker,
  change: (state: MarkState) => MarkState,
  { evenIfUnreadable = false, adopt = false } = {},
): Promise<Outcome> {
  const { stateFolder } = marker.settings;
  return withLockedState(stateFolder, async () => {
    const state = change(evenIfUnreadable ? readStateOrNone(stateFolder) : readState(stateFolder));
    writeState(stateFolder, state);
    return applyState(marker, state, adopt);
  });
}

function readStateOrNone(folder: string): MarkState {
  try {
    return readState(folder);
  } catch (error) {
    if (error instanceof StateError) return emptyState;
    throw error;
  }
}

/** Takes the program from the kernel; what is kept stays. */
export async function detachMarker(marker: Marker): Promise<void> {
  const { stateFolder, pinFolder } = marker.settings;
  await withLockedState(stateFolder, async () => {
    const state = readState(stateFolder);
    for (const cgroup of new Set([
      placeOf(marker).cgroup,
      ...(state.cgroup === undefined ? [] : [state.cgroup]),
    ]))
      await detachProgram({ ...placeOf(marker), cgroup });
    if (hasGapFiller(marker)) await fillGaps(placeOf(marker), []);
    removePins(pinFolder);
  });
}

/** How the kernel stands to what is kept. */
export async function readStatus(marker: Marker): Promise<MarkerStatus> {
  const place = placeOf(marker);
  const state = readState(marker.settings.stateFolder);
  const { marking } = state;
  return {
    marking,
    cgroup: place.cgroup,
    attached: await isAttached(place),
    records: liveRecords(state, marker.clocks().now),
    counts: await readPacketCounts(place),
    problems: await findProblems(marker, state),
  };
}

async function findProblems(marker: Marker, state: MarkState): Promise<readonly string[]> {
  const place = placeOf(marker);
  const unfilled = await listUnfilled(place, marker.settings.gapInterfaces);
  const problems = unfilled.map((name) => `packets without a socket that leave by ${name} are not marked`);
  if (!(await isAttached(place))) return [`no marking program is attached to ${place.cgroup}`, ...problems];
  if (!(await isCurrent(marker, state))) problems.push("the kernel writes other records than are kept");
  if (!(await hasHostKeys(place, keysOf(marker))))
    problems.push("the kernel signs with other keys than the key file has");
  return problems;
}

async function applyState(marker: Marker, state: MarkState, adopt: boolean): Promise<Outcome> {
  const place = placeOf(marker);
  if (state.cgroup !== undefined && state.cgroup !== place.cgroup)
    await detachProgram({ ...place, cgroup: state.cgroup });
  await loadProgram(place);
  const isNew = await attachProgram(place);
  if (state.cgroup !== place.cgroup)
    writeState(marker.settings.stateFolder, { ...state, cgroup: place.cgroup });
  const value = valueOf(marker, state);
  if (value) await writeMarkValue(place, value);
  else await removeMarkValue(place);
  if (hasGapFiller(marker)) await fillGaps(place, marker.settings.gapInterfaces);
  // Last: without its keys a host is still marked.
  const keys = keysOf(marker);
  if (!(await hasHostKeys(place, keys))) {
    await writeHostKeys(place, keys);
    // With another stamp: sockets keep what they signed until then.
    if (value) await writeMarkValue(place, value);
  }
  return { state, ...(isNew || adopt ? { adoption: await adoptConnections(place) } : {}) };
}

function keysOf({ settings }: Marker): HostKey[] {
  return settings.keyFile === undefined ? [] : readHostKeys(settings.keyFile);
}

/** Whoever asks for none needs no tc. */
function hasGapFiller({ settings }: Marker): boolean {
  return settings.gapInterfaces.length > 0;
}

async function isCurrent(marker: Marker, state: MarkState): Promise<boolean> {
  const found = await readMarkValue(placeOf(marker));
  if (!state.marking) return found === undefined;
  const wanted = encodeMarkValue(liveRecords(state, marker.clocks().now), marker.settings, marker.clocks());
  // Without a record there may be none to find, or one that has ended.
  if (found === undefined) return liveRecords(state, marker.clocks().now).length === 0;
  return saysTheSame(wanted, found, marker.clocks());
}

/** What the program is to write; undefined if nothing. */
function valueOf({ settings, clocks }: Marker, state: MarkState): Uint8Array | undefined {
  const now = clocks();
  const records = liveRecords(state, now.now);
  return state.marking && records.length > 0 ? encodeMarkValue(records, settings, now) : undefined;
}

function placeOf({ settings, run }: Marker): KernelPlace {
  const cgroup = settings.cgroup ?? findCgroupRoot();
  if (cgroup === undefined)
    throw new KernelError("no cgroup2 file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup");
  if (!existsSync(cgroup))
    throw new KernelError(`${cgroup} does not exist`, "it is to be a folder of a cgroup");
  return { run, pinFolder: settings.pinFolder, cgroup };
}
