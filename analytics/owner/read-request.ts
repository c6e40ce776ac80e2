/** What clients of the owner ask, checked once at the edge. */
import type { IncomingMessage } from "node:http";
import type { ZodType } from "zod";
import type { ExportQuery } from "../export/export-query.ts";
import { exportSchema } from "../export/read-query.ts";
import { limitsSchema, selectionSchema } from "../packets/read-selection.ts";
import type { PacketQuestion } from "../packets/read-selection.ts";
import { defaultSliceLimits } from "../packets/selection.ts";
import { isEventCursor } from "../event-cursor.ts";
import { sortKeys } from "../store.ts";
import { hostListNames, hostListSorts } from "../host-lists.ts";
import type { HostListName, HostListQuery } from "../host-lists.ts";
import { networkScales } from "../network-timeline.ts";
import type { NetworkQuery } from "../network-timeline.ts";
import type { Asset, RankingQuery } from "../store.ts";

/** The request cannot be meant: it is refused, and nothing is wrong here. */
export class RequestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RequestError";
  }
}

/** The largest time a Date can hold, in seconds (ECMA-262, time range). */
const latestTime = 8.64e12;

/** Octets of a list of assets: a hundred thousand of them. */
const longestList = 16 * 1024 * 1024;

export interface Question {
  readonly path: string;
  /** Seconds since 1970. @throws RequestError */
  asOf(): number | undefined;
  /** @throws RequestError */
  ranking(): RankingQuery;
  address(): string;
  /** Of a host's enforcement log. @throws RequestError */
  cursor(): string;
  /** @throws RequestError */
  flowLimit(): number | undefined;
  /** Of the news. */
  since(): string | undefined;
  /** Rows. @throws RequestError */
  limit(): number | undefined;
  /** @throws RequestError */
  hostList(): { name: HostListName; query: HostListQuery };
  /** @throws RequestError */
  network(): NetworkQuery;
  /** @throws RequestError */
  packets(): PacketQuestion;
  /** @throws RequestError */
  export(): ExportQuery;
}

/** @throws RequestError */
export function readQuestion(target: string): Question {
  const url = URL.canParse(target, "http://owner") ? new URL(target, "http://owner") : undefined;
  if (!url) throw new RequestError(`expected a path, got ${JSON.stringify(target.slice(0, 60))}`);
  const asOf = (): number | undefined => readTime(url.searchParams.get("asOf"));
  return {
    path: url.pathname,
    asOf,
    ranking: () => {
      const time = asOf();
      const sort = url.searchParams.get("sort");
      const key = sortKeys.find((known) => known === sort);
      if (sort !== null && !key) throw new RequestError(`unknown order ${JSON.stringify(sort.slice(0, 60))}`);
      return {
        ...given("asOf", time),
        ...given("sort", key),
        ...given("filter", url.searchParams.get("filter") ?? undefined),
        ...given("limit", readNumber(url.searchParams, "limit")),
        ...given("offset", readNumber(url.searchParams, "offset")),
      };
    },
    address: () => url.searchParams.get("address") ?? "",
    flowLimit: () => readNumber(url.searchParams, "flowLimit"),
    since: () => url.searchParams.get("since") ?? undefined,
    limit: () => readNumber(url.searchParams, "limit"),
    hostList: () => readHostListQuery(url.searchParams, asOf()),
    cursor: () => {
      const cursor = url.searchParams.get("cursor") ?? "";
      if (isEventCursor(cursor)) return cursor;
      throw new RequestError(`expected a cursor, got ${JSON.stringify(cursor.slice(0, 60))}`);
    },
    network: () => readNetwork(url.searchParams, asOf()),
    export: () => readJson(exportSchema, url.searchParams.get("query")),
    packets: () => ({
      selection: readJson(selectionSchema, url.searchParams.get("selection")),
      limits: readJson(limitsSchema, url.searchParams.get("limits") ?? JSON.stringify(defaultSliceLimits)),
    }),
  };
}

function readHostListQuery(
  parameters: URLSearchParams,
  asOf: number | undefined,
): { name: HostListName; query: HostListQuery } {
  const asked = parameters.get("name");
  const name = hostListNames.find((known) => known === asked);
  if (!name) throw new RequestError(`unknown list ${JSON.stringify(asked?.slice(0, 60))}`);
  const sort = hostListSorts[name].find((known) => known === parameters.get("sort"));
  const query = {
    ...given("asOf", asOf),
    ...given("sort", sort),
    ...given("limit", readNumber(parameters, "limit")),
    ...given("offset", readNumber(parameters, "offset")),
  };
  return { name, query };
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}

function readNumber(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  const value = text === "" ? Number.NaN : Number(text);
  if (Math.abs(value) <= latestTime) return value;
  throw new RequestError(`${name}: expected a number, got ${JSON.stringify(text.slice(0, 60))}`);
}

function readNetwork(parameters: URLSearchParams, asOf: number | undefined): NetworkQuery {
  const scale = networkScales.find((known) => known === parameters.get("scale"));
  const host = parameters.get("host");
  return {
    ...(asOf === undefined ? {} : { asOf }),
    ...(scale ? { scale } : {}),
    ...(host === null ? {} : { host }),
    ...given("from", readNumber(parameters, "from")),
    ...given("to", readNumber(parameters, "to")),
    ...given("leastOctets", readNumber(parameters, "leastOctets")),
  };
}

/** @throws RequestError */
export function readJson<Value>(schema: ZodType<Value>, text: string | null): Value {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    throw new RequestError("expected JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RequestError(
    result.error.issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

function readTime(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = text === "" ? Number.NaN : Number(text);
  if (Math.abs(seconds) <= latestTime) return seconds;
  throw new RequestError(`asOf: expected seconds since 1970, got ${JSON.stringify(text.slice(0, 60))}`);
}

/** The list in the body, as the client has parsed it. @throws RequestError */
export async function readAssets(request: IncomingMessage): Promise<Asset[]> {
  return JSON.parse(await readBody(request, longestList)) as Asset[];
}

/** @throws RequestError if there are more than so many octets */
export async function readBody(request: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let octets = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    octets += (part as Buffer).length;
    if (octets > most) throw new RequestError(`the request is longer than ${most} octets`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}
