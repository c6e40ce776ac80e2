/** Query parameters, checked once at the edge: what is not named here is refused, and the refusal says what is allowed. */
import { z } from "zod";
import { hostListNames, hostListSorts, mostListRows } from "../analytics/host-lists.ts";
import type { HostListName, HostListQuery } from "../analytics/host-lists.ts";
import { networkScales } from "../analytics/network-timeline.ts";
import type { NetworkQuery } from "../analytics/network-timeline.ts";
import { isEventCursor } from "../analytics/event-cursor.ts";
import { sortKeys } from "../analytics/store.ts";
import type { RankingQuery } from "../analytics/store.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import { MalformedError } from "../wire/malformed-error.ts";
import { HttpError } from "./http-error.ts";

/** The largest time a Date can hold, in seconds (ECMA-262, time range). */
const latestTime = 8.64e12;
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

export const timeParameter = z.string().transform((text, context): number => {
  const seconds = /^\d{1,13}(\.\d{1,9})?$/.test(text)
    ? Number(text)
    : instant.test(text)
      ? Date.parse(text) / 1000
      : Number.NaN;
  if (seconds >= 0 && seconds <= latestTime) return seconds;
  context.addIssue(`expected seconds since 1970 or a time such as 2026-05-04T12:00:00Z, got ${quote(text)}`);
  return z.NEVER;
});

const sort = z.enum(sortKeys, {
  error: (issue) => `unknown order ${quote(issue.input)}; one of ${sortKeys.join(", ")}`,
});

const name = z
  .string("expected the name of the capture, as in ?name=monday.pcap")
  .min(1, "expected the name of the capture, got nothing")
  .max(255, "expected at most 255 characters");

const scale = z.enum(networkScales, {
  error: (issue) => `unknown scale ${quote(issue.input)}; one of ${networkScales.join(", ")}`,
});

/** Seconds on the scale of the chart. */
const place = z.string().transform((text, context): number => {
  if (/^-?\d{1,13}(\.\d{1,9})?$/.test(text) && Math.abs(Number(text)) <= latestTime) return Number(text);
  context.addIssue(`expected seconds on the scale, as 600, got ${quote(text)}`);
  return z.NEVER;
});

const octets = z.string().transform((text, context): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  context.addIssue(`expected a number of octets, got ${quote(text)}`);
  return z.NEVER;
});

export const networkQuery = z.strictObject({
  asOf: timeParameter.optional(),
  scale: scale.optional(),
  from: place.optional(),
  to: place.optional(),
  host: z.string().optional(),
  leastOctets: octets.optional(),
});
const rows = z.string().transform((text, context): number => {
  if (/^\d{1,4}$/.test(text) && Number(text) <= mostListRows) return Number(text);
  context.addIssue(`expected 0 to ${mostListRows}, got ${quote(text)}`);
  return z.NEVER;
});

const offset = z.string().transform((text, context): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  context.addIssue(`expected a number of rows to leave out, got ${quote(text)}`);
  return z.NEVER;
});

/** Hosts in one answer, unless more are asked for; a ranking of 10,000 would be 15 MB. */
const usualRankingRows = 200;

export const rankingQuery = z.strictObject({
  asOf: timeParameter.optional(),
  sort: sort.optional(),
  filter: z.string().max(200, "expected at most 200 characters").optional(),
  limit: rows.optional(),
  offset: offset.optional(),
});
export const hostQuery = z.strictObject({ asOf: timeParameter.optional(), flowLimit: rows.optional() });
export const hostListQuery = z.strictObject({
  asOf: timeParameter.optional(),
  sort: z.string().optional(),
  limit: rows.optional(),
  offset: offset.optional(),
});
const cursor = z.string("expected the cursor that the page before gave").refine(isEventCursor, {
  error: (issue) => `expected the cursor that the page before gave, got ${quote(issue.input)}`,
});
export const eventsQuery = z.strictObject({ cursor });
export const uploadQuery = z.strictObject({ name });
export const nothing = z.strictObject({});

/** @throws HttpError 400 */
export function parseRankingQuery(query: unknown): RankingQuery {
  const { asOf: time, sort: key, filter: words, limit, offset: skipped } = parse(rankingQuery, query);
  return {
    ...(time === undefined ? {} : { asOf: time }),
    ...(key === undefined ? {} : { sort: key }),
    ...(words === undefined || words.trim() === "" ? {} : { filter: words }),
    limit: limit ?? usualRankingRows,
    ...(skipped === undefined ? {} : { offset: skipped }),
  };
}

/** @throws HttpError 400 */
export function parseHostQuery(query: unknown): {
  asOf?: number | undefined;
  flowLimit?: number | undefined;
} {
  return parse(hostQuery, query);
}

/** @throws HttpError 404 if there is no such list */
export function parseHostListName(text: string): HostListName {
  const name = hostListNames.find((known) => known === text);
  if (!name) throw new HttpError(404, `unknown list ${quote(text)}; one of ${hostListNames.join(", ")}`);
  return name;
}

/** @throws HttpError 400 */
export function parseHostListQuery(name: HostListName, query: unknown): HostListQuery {
  const { asOf: time, sort: asked, limit, offset: skipped } = parse(hostListQuery, query);
  const key = hostListSorts[name].find((known) => known === asked);
  if (asked !== undefined && key === undefined) {
    throw new HttpError(400, `sort: unknown order ${quote(asked)}; one of ${hostListSorts[name].join(", ")}`);
  }
  return {
    ...(time === undefined ? {} : { asOf: time }),
    ...(key === undefined ? {} : { sort: key }),
    ...(limit === undefined ? {} : { limit }),
    ...(skipped === undefined ? {} : { offset: skipped }),
  };
}

/** @throws HttpError 400 */
export function parseEventsQuery(query: unknown): { cursor: string } {
  return parse(eventsQuery, query);
}

/** @throws HttpError 400 */
export function parseNetworkQuery(query: unknown): NetworkQuery {
  const { asOf: time, scale: chosen, from, to, host, leastOctets } = parse(networkQuery, query);
  if (from !== undefined && to !== undefined && from >= to) {
    throw new HttpError(400, `from: expected a time before to, got ${from} and ${to}`);
  }
  return {
    ...(time === undefined ? {} : { asOf: time }),
    ...(chosen === undefined ? {} : { scale: chosen }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(host === undefined ? {} : { host: parseHostAddress(host, "host") }),
    ...(leastOctets === undefined ? {} : { leastOctets }),
  };
}

/** @throws HttpError 400 */
export function parseUploadQuery(query: unknown): { name: string } {
  return parse(uploadQuery, query);
}

/** @throws HttpError 400 if there is any parameter. */
export function parseNoQuery(query: unknown): void {
  parse(nothing, query);
}

/**
 * The address as the database writes it.
 * @throws HttpError 400
 */
export function parseHostAddress(text: string, where = "path"): string {
  try {
    const octets = parseAddress(text);
    return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    if (error instanceof MalformedError) throw new HttpError(400, `${where}: ${error.problem}`);
    throw error;
  }
}

/**
 * The parameters of a query, which may have those of the schema and no others, once each.
 * @throws HttpError 400
 */
export function parse<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  query: unknown,
): z.output<z.ZodObject<Shape>> {
  refuseRepeats(query);
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const allowed = Object.keys(schema.shape);
  const problems = result.error.issues.map((issue) => describeIssue(issue, allowed));
  throw new HttpError(400, problems.join("; "));
}

/** Express makes a list of a parameter that is given twice; which of the two was meant, nobody knows. */
function refuseRepeats(query: unknown): void {
  for (const [name, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) throw new HttpError(400, `${name}: given ${value.length} times`);
  }
}

function describeIssue(issue: z.core.$ZodIssue, allowed: readonly string[]): string {
  if (issue.code === "unrecognized_keys") {
    const allowedText = allowed.length === 0 ? "none is allowed" : `allowed: ${allowed.join(", ")}`;
    return `unknown parameter ${issue.keys.map(quote).join(", ")}; ${allowedText}`;
  }
  return `${issue.path.join(".")}: ${issue.message}`;
}

function quote(text: unknown): string {
  return typeof text === "string" ? JSON.stringify(text.slice(0, 60)) : "no single text";
}
