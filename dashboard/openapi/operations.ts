/** Every request that the API answers: with the schemas that its parameters are parsed with. */
import type { z } from "zod";
import { exportFiles, exportViews } from "../../analytics/export/export-query.ts";
import { hostListNames } from "../../analytics/host-lists.ts";
import { exportQuery } from "../export-query.ts";
import { packetFilterQuery, packetsQuery } from "../packet-query.ts";
import {
  eventsQuery,
  hostListQuery,
  hostQuery,
  networkQuery,
  nothing,
  rankingQuery,
  uploadQuery,
} from "../query.ts";
import { auditQuery } from "../routes/audit.ts";
import { entriesQuery } from "../routes/triage.ts";
import type { SchemaName } from "./schemas.ts";

export interface Operation {
  readonly method: "get" | "post";
  /** As Express writes it, behind /api. */
  readonly path: string;
  readonly summary: string;
  /** Whose requests: people's, by token where one is required; agents', by tokens of their own. */
  readonly by: "people" | "agents";
  readonly query: z.ZodObject;
  /** Values of parameters in the path that are not free. */
  readonly inPath?: Readonly<Record<string, readonly string[]>>;
  readonly body?: { readonly type: string; readonly schema?: SchemaName };
  readonly answer: Answer;
  /** Statuses of refusals besides those that every request may meet. */
  readonly refusals: readonly number[];
}

export type Answer =
  | { readonly schema: SchemaName; readonly lines?: SchemaName }
  | { readonly types: readonly string[]; readonly description: string; readonly isFile: boolean }
  | "nothing";

const people = { by: "people", method: "get", query: nothing, refusals: [] } as const;

export const operations: readonly Operation[] = [
  {
    ...people,
    path: "/ranking",
    summary:
      "a part of the ranked hosts with their terms, how many there are, and the hosts that are not ranked",
    query: rankingQuery,
    answer: { schema: "Ranking" },
  },
  {
    ...people,
    path: "/hosts/:address",
    summary: "one host: score, detections, timeline, newest flows, enforcement",
    query: hostQuery,
    answer: { schema: "HostReport" },
    refusals: [404],
  },
  {
    ...people,
    path: "/hosts/:address/events",
    summary: "the host's enforcement log from a cursor on",
    query: eventsQuery,
    answer: { schema: "EventPage" },
  },
  {
    ...people,
    path: "/hosts/:address/:list",
    summary: "a long list of one host: whom it reached, whom those reached after that, or its flows",
    query: hostListQuery,
    inPath: { list: hostListNames },
    answer: { schema: "HostList" },
    refusals: [404],
  },
  {
    ...people,
    path: "/network",
    summary: "detections, stopped packets and passed flows over time, by host",
    query: networkQuery,
    answer: { schema: "NetworkTimeline" },
  },
  {
    ...people,
    path: "/packets",
    summary: "the packets of a selection, out of the captures' files",
    query: packetsQuery,
    answer: {
      types: ["application/vnd.tcpdump.pcap"],
      description:
        "a pcapng with a section a capture; a limit that ended it is told in the comment of its last packet",
      isFile: true,
    },
    refusals: [404, 429],
  },
  {
    ...people,
    path: "/packets/filter",
    summary: "how to find the same packets in Wireshark, and whether the captures' files are there",
    query: packetFilterQuery,
    answer: { schema: "PacketFilter" },
  },
  {
    ...people,
    path: "/export/:view",
    summary: "a view as a file, all of its rows",
    query: exportQuery,
    inPath: { view: exportViews },
    answer: {
      types: [...new Set(Object.values(exportFiles).map(({ type }) => type))],
      description: "the file, in the format that was asked for",
      isFile: true,
    },
    refusals: [404, 429],
  },
  {
    ...people,
    path: "/captures",
    summary: "what was ingested, newest first",
    answer: { schema: "Captures" },
  },
  {
    ...people,
    method: "post",
    path: "/captures",
    summary: "ingest a capture; a damaged or refused one is an outcome, not an error",
    query: uploadQuery,
    body: { type: "application/octet-stream" },
    answer: { schema: "CaptureReport", lines: "UploadLine" },
    refusals: [413, 415, 429, 503, 507],
  },
  {
    ...people,
    path: "/triage",
    summary: "what was decided about hosts, newest first",
    query: entriesQuery,
    answer: { schema: "Triage" },
  },
  {
    ...people,
    method: "post",
    path: "/triage",
    summary: "decide about hosts: those named, or all that a filter lets through, as many as expected",
    body: { type: "application/json", schema: "TriageDecision" },
    answer: { schema: "TriageReport" },
    refusals: [404, 409, 413, 415],
  },
  {
    ...people,
    method: "post",
    path: "/triage/undo",
    summary: "put back how the hosts of a change stood before it",
    body: { type: "application/json", schema: "TriageUndo" },
    answer: { schema: "TriageReport" },
    refusals: [404, 409, 413, 415],
  },
  {
    ...people,
    path: "/views",
    summary: "views of the dashboard that people saved, by name",
    answer: { schema: "SavedViews" },
  },
  {
    ...people,
    method: "post",
    path: "/views",
    summary: "save a view under a name, or put it in another's place",
    body: { type: "application/json", schema: "ViewToSave" },
    answer: { schema: "SavedView" },
    refusals: [404, 409, 413, 415],
  },
  {
    ...people,
    method: "post",
    path: "/views/remove",
    summary: "remove a saved view",
    body: { type: "application/json", schema: "ViewName" },
    answer: { schema: "ViewName" },
    refusals: [404, 413, 415],
  },
  {
    ...people,
    path: "/agents",
    summary: "every agent that was heard, and what is wrong with it",
    answer: { schema: "Agents" },
  },
  {
    method: "post",
    path: "/agent/events",
    summary: "what an agent did, an event a line; a batch is stored whole or not at all",
    by: "agents",
    query: nothing,
    body: { type: "application/x-ndjson", schema: "AgentEvent" },
    answer: { schema: "StoredEvents" },
    refusals: [408, 413, 415, 422, 429, 503],
  },
  {
    method: "post",
    path: "/agent/heartbeat",
    summary: "how an agent is",
    by: "agents",
    query: nothing,
    body: { type: "application/json", schema: "Heartbeat" },
    answer: "nothing",
    refusals: [408, 413, 415, 422, 429, 503],
  },
  {
    ...people,
    path: "/code-book",
    summary: "what categories and activities mean",
    answer: { schema: "CodeBook" },
  },
  {
    ...people,
    path: "/health",
    summary: "that the server is there, and what it takes",
    answer: { schema: "Health" },
  },
  {
    ...people,
    path: "/live",
    summary: "what comes in, as server-sent events; with Last-Event-ID, all that came since",
    answer: {
      types: ["text/event-stream"],
      description:
        "events named news, with their numbers in JSON; the stream ends after ten minutes at the latest",
      isFile: false,
    },
    refusals: [503],
  },
  {
    ...people,
    path: "/audit",
    summary: "who did what, newest first; for operators",
    query: auditQuery,
    answer: { schema: "Audit" },
  },
  {
    ...people,
    path: "/openapi.json",
    summary: "this description",
    answer: { types: ["application/json"], description: "OpenAPI 3.1", isFile: false },
  },
];

/** What a parameter means, wherever it is one. */
export const parameterTexts: Readonly<Record<string, string>> = {
  address: "IPv4 or IPv6 address of the host",
  list: "which list",
  view: "what to export",
  asOf: "the moment that the answer holds for: seconds since 1970, or ISO 8601 with an offset; the newest evidence if absent",
  sort: "in which order",
  filter: "words that all have to occur in what the page says of the host",
  limit: "rows in the answer",
  offset: "rows to leave out at the beginning",
  flowLimit: "flows in the answer, newest first",
  cursor: "where the log goes on, as the page before gave it",
  scale: "elapsed: seconds since each host's oldest detection that counts; utc: seconds since 1970",
  from: "from here on: a time as asOf; on the network timeline, seconds on its scale",
  to: "up to here, which is taken in",
  host: "address of one host",
  leastOctets: "leave out exposures of fewer octets",
  format: "in which form; not every view has every one",
  name: "name of the capture, to be shown",
  marked: "only packets that carry a mark of the host",
  detectedAt: "of a detection: only packets whose mark has this record; with category and activity",
  category: "of that detection",
  activity: "of that detection",
  peer: "address of the other side",
  protocol: "of a flow: 6 for TCP, 17 for UDP",
  hostPort: "of a flow: the host's port; with peer, protocol and peerPort",
  peerPort: "of a flow: the peer's port",
  capture: "captureId of one capture; all that show the host if absent",
  maxPackets: "where the slice ends",
  maxOctets: "where the slice ends",
};

/** What each refusal means. */
export const refusalTexts: Readonly<Record<number, string>> = {
  400: "a parameter that is unknown or has a wrong value",
  401: "a token is required (`Authorization: Bearer TOKEN`), or the token is wrong",
  403: "a page of another origin sent the request, a POST came without the header `X-Tattle-Request`, or the role of the sender does not allow it",
  404: "there is no such host, list or view, no file to take packets from, or nothing is at this address",
  408: "an agent's request was not here whole after 30 s",
  409: "the hosts are not as the request expects, or there is nothing to put back",
  413: "the capture, the decision, or an agent's batch, is larger than the server takes",
  415: "a form, where the octets of the capture are expected; another content type than the one expected",
  421: "the Host header names somebody else: a defence against DNS rebinding",
  422: "an agent's event or heartbeat is not as it should be; the line and the field",
  429: "too many uploads, slices, exports, requests with one agent's token, or requests of one sender, at once; `Retry-After` says when to come again",
  500: "our fault; the server's standard error says more",
  503: "the server is shutting down, too many read the news, or too many reports of agents wait to be stored; those come again after `Retry-After`",
  507: "the server's disk is full, or too many octets of captures are being received; nothing of the capture was kept",
};
