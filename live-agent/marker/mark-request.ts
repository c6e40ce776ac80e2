/** What a program may ask of the marker, one JSON object a line: add, remove or list records. */
import * as z from "zod";
import { describeIssue } from "../../policy/policy-issue.ts";
import { findActivity, findCategory, resolveActivity } from "../../wire/code-book.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import { KernelError } from "../enforcement/kernel-error.ts";
import { MarkSettingsError } from "./mark-settings.ts";
import { PrivateFileError } from "./private-json.ts";
import { addRecord, liveRecords, removeRecords } from "./mark-state.ts";
import type { KeptRecord, MarkState } from "./mark-state.ts";
import { changeState } from "./marker.ts";
import type { Marker } from "./marker.ts";
import { readState, StateError } from "./state-file.ts";

export const requestNames = ["add", "remove", "list"] as const;
export type RequestName = (typeof requestNames)[number];

const tenYears = 10 * 365 * 86_400;
const activity = z.string().min(1).max(100);
const requests = {
  add: z.strictObject({
    do: z.literal("add"),
    activity,
    /** Seconds since 1970. */
    detectedAt: z.int().min(0).max(0xffffffff).optional(),
    /** Seconds. */
    ttl: z.int().min(1).max(tenYears).optional(),
  }),
  remove: z.strictObject({ do: z.literal("remove"), activity }),
  list: z.strictObject({ do: z.literal("list") }),
} as const;

type Request = z.infer<(typeof requests)[RequestName]>;

/** One record in an answer; times are seconds since 1970. */
export interface AnsweredRecord {
  readonly category: number;
  readonly activity: number;
  readonly categoryName: string | null;
  readonly activityName: string | null;
  readonly detectedAt: number;
  readonly until: number | null;
}

/** `kept`: what was asked for is in the state, but the kernel refused something. */
export type MarkAnswer =
  | { readonly ok: true; readonly marking: boolean; readonly records: readonly AnsweredRecord[] }
  | { readonly ok: false; readonly error: string; readonly kept?: true };

/** The answer to one line. Whoever sent it may be wrong, but is never the end of the marker. */
export async function answerRequest(
  marker: Marker,
  book: CodeBook,
  allowed: readonly RequestName[],
  line: string,
): Promise<MarkAnswer> {
  const request = parseRequest(line, allowed);
  if (typeof request === "string") return { ok: false, error: request };
  try {
    return await carryOut(marker, book, request);
  } catch (error) {
    if (error instanceof KernelError)
      return { ok: false, error: `${error.message}: ${String(error.cause)}`, kept: true };
    if (error instanceof StateError) return { ok: false, error: error.message };
    // Keys come last, so the host is marked all the same.
    if (error instanceof PrivateFileError || error instanceof MarkSettingsError)
      return { ok: false, error: error.message, kept: true };
    throw error;
  }
}

/** The request, or what is wrong with it. */
function parseRequest(line: string, allowed: readonly RequestName[]): Request | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'expected one JSON object a line, as {"do": "add", "activity": "leak/sharing-folder"}';
  }
  const wanted = typeof json === "object" && json !== null && "do" in json ? json.do : undefined;
  const name = requestNames.find((one) => one === wanted);
  if (!name) return `do: expected one of ${requestNames.join(", ")}`;
  if (!allowed.includes(name))
    return `do: ${name} is not allowed here; the settings of the marker allow ${allowed.join(", ")}`;
  const parsed = requests[name].safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (!issue) return "not a request";
  if (issue.code === "unrecognized_keys")
    return `unknown key; one of ${Object.keys(requests[name].shape).join(", ")}`;
  const { path, problem } = describeIssue(issue, json);
  return `${path}: ${problem}`;
}

async function carryOut(marker: Marker, book: CodeBook, request: Request): Promise<MarkAnswer> {
  switch (request.do) {
    case "list":
      return answer(marker, book, readState(marker.settings.stateFolder));
    case "add": {
      const codes = resolveActivity(book, request.activity);
      if (!codes) return unknownActivity();
      const { now } = marker.clocks();
      const { detectedAt = Math.floor(now), ttl } = request;
      const record: KeptRecord = { detectedAt, ...codes, ...(ttl === undefined ? {} : { until: now + ttl }) };
      const { state } = await changeState(marker, (before) => addRecord(before, record, now));
      return answer(marker, book, state);
    }
    case "remove": {
      const meant = resolveRemoval(book, request.activity);
      if (!meant) return unknownActivity();
      const { state } = await changeState(marker, (before) => removeRecords(before, meant));
      return answer(marker, book, state);
    }
  }
}

function unknownActivity(): MarkAnswer {
  return { ok: false, error: "activity: not in the code book; names, or numbers up to 255/255" };
}

/** What `text` means to remove; a category alone means all of its activities. */
export function resolveRemoval(
  book: CodeBook,
  text: string,
): { category: number; activity: number | undefined } | undefined {
  if (text.includes("/")) return resolveActivity(book, text);
  const category = resolveActivity(book, `${text}/0`)?.category;
  return category === undefined ? undefined : { category, activity: undefined };
}

function answer(marker: Marker, book: CodeBook, state: MarkState): MarkAnswer {
  const records = liveRecords(state, marker.clocks().now).map((record) => ({
    category: record.category,
    activity: record.activity,
    categoryName: findCategory(book, record.category)?.name ?? null,
    activityName: findActivity(book, record.category, record.activity)?.name ?? null,
    detectedAt: record.detectedAt,
    until: record.until ?? null,
  }));
  return { ok: true, marking: state.marking, records };
}
