/**
 * What detectors have said about this host: records, and until when each holds. Pure; state-file.ts keeps it.
 * One record per activity: a detector that reports the same again renews it and does not push others out.
 */
import * as z from "zod";
import type { DetectionRecord } from "../../wire/mark.ts";

export interface KeptRecord extends DetectionRecord {
  /** Seconds since 1970 at which it ends by itself; absent: until it is removed. */
  readonly until?: number | undefined;
}

export interface MarkState {
  /** Whether the records are put on packets; off keeps them. */
  readonly marking: boolean;
  /** Newest first. */
  readonly records: readonly KeptRecord[];
  /** Folder of the cgroup that the program was attached to last. */
  readonly cgroup?: string | undefined;
}

export const emptyState: MarkState = { marking: true, records: [] };

/** Kept, and known to the kernel; at most six are sent. MOST_KEPT of live-agent/kernel/mark.bpf.h. */
export const mostKept = 8;

const code = z.int().min(0).max(255);
const stateSchema = z.strictObject({
  version: z.literal(1),
  marking: z.boolean(),
  records: z
    .array(
      z.strictObject({
        detectedAt: z.int().min(0).max(0xffffffff),
        category: code,
        activity: code,
        until: z.number().min(0).optional(),
      }),
    )
    .max(mostKept),
  cgroup: z.string().optional(),
});

/** The state in `text`; undefined if it is not one. */
export function parseState(text: string): MarkState | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = stateSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { marking, records, cgroup } = parsed.data;
  return { marking, records: newestFirst(records), ...(cgroup === undefined ? {} : { cgroup }) };
}

export function formatState(state: MarkState): string {
  return `${JSON.stringify({ version: 1, ...state }, undefined, 2)}\n`;
}

/** Records that still hold. */
export function liveRecords(state: MarkState, now: number): readonly KeptRecord[] {
  return state.records.filter(({ until }) => until === undefined || until > now);
}

/**
 * The state with one more record. The same activity again takes the later time, and a report never shortens how long an
 * earlier one holds. The oldest goes when there are too many.
 */
export function addRecord(state: MarkState, record: KeptRecord, now: number): MarkState {
  const live = liveRecords(state, now);
  const earlier = live.find((kept) => isSameActivity(kept, record));
  const records = [
    ...live.filter((kept) => !isSameActivity(kept, record)),
    earlier ? renew(earlier, record) : record,
  ];
  return { ...state, records: newestFirst(records).slice(0, mostKept) };
}

function renew(earlier: KeptRecord, record: KeptRecord): KeptRecord {
  const { category, activity } = record;
  const detectedAt = Math.max(earlier.detectedAt, record.detectedAt);
  if (earlier.until === undefined || record.until === undefined) return { detectedAt, category, activity };
  return { detectedAt, category, activity, until: Math.max(earlier.until, record.until) };
}

/** The state without an activity, or without a category if `activity` is undefined. */
export function removeRecords(
  state: MarkState,
  { category, activity }: { readonly category: number; readonly activity: number | undefined },
): MarkState {
  const isMeant = (kept: KeptRecord): boolean =>
    kept.category === category && (activity === undefined || kept.activity === activity);
  return { ...state, records: state.records.filter((kept) => !isMeant(kept)) };
}

function isSameActivity(one: DetectionRecord, other: DetectionRecord): boolean {
  return one.category === other.category && one.activity === other.activity;
}

function newestFirst(records: readonly KeptRecord[]): readonly KeptRecord[] {
  return records.toSorted(
    (one, other) =>
      other.detectedAt - one.detectedAt || one.category - other.category || one.activity - other.activity,
  );
}
