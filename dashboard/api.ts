/**
 * The JSON that /api answers with. Types only: the server and the browser both import them, nothing of them is left at
 * run time. All times are seconds since 1970 (UTC). Texts from packets and captures are hostile: shown as text, nothing else.
 *
 *   GET  /api/ranking?asOf&sort&filter&limit&offset   RankingAnswer
 *   GET  /api/hosts/ADDRESS?asOf&flowLimit   HostAnswer, with its newest flows; 404 if the address was never seen with a mark
 *   GET  /api/hosts/ADDRESS/LIST?asOf&sort&limit&offset   HostListAnswer: peers, second-hop or flows
 *   GET  /api/hosts/ADDRESS/events?cursor   EventsAnswer: the enforcement log from a cursor on, which HostAnswer or this gave
 *   GET  /api/network?asOf&scale&from&to&host&leastOctets   NetworkAnswer: detections, stopped packets and passed flows over time
 *   GET  /api/captures                 CapturesAnswer
 *   POST /api/captures?name            the octets of one capture as the body; CaptureReport, or UploadLine per line if the
 *                                      request accepts application/x-ndjson
 *   GET  /api/packets?host&...         the packets of a selection as a pcapng (dashboard/packet-query.ts has the parameters)
 *   GET  /api/export/VIEW?format&...   a view as a file (dashboard/export-query.ts has the parameters)
 *   GET  /api/packets/filter?host&...  PacketFilterAnswer
 *   POST /api/triage                   TriageDecision; TriageReport, 409 if the filter gives another number of hosts
 *   POST /api/triage/undo              {change, who}; TriageReport
 *   GET  /api/triage?host&limit        TriageAnswer
 *   GET  /api/views                    SavedViewsAnswer
 *   POST /api/views                    ViewToSave; SavedView, 409 if the name is taken
 *   POST /api/views/remove             {name}; the same
 *   GET  /api/agents                   AgentsAnswer
 *   POST /api/agent/events, .../heartbeat   from agents, with tokens of their own (policy/agent-report.ts)
 *   GET  /api/code-book                CodeBook
 *   GET  /api/health                   HealthAnswer
 *
 * asOf is seconds since 1970 or ISO 8601 with an offset; sort is one of sortKeys. Everything else is refused with 400.
 * Every request that is refused or fails is answered with ErrorAnswer.
 */
import type { AgentAlarm } from "../analytics/agents/agent-alarms.ts";
import type { HostList, HostListName, HostLists } from "../analytics/host-lists.ts";
import type { NetworkTimeline } from "../analytics/network-timeline.ts";
import type { SliceSource } from "../analytics/packets/selection.ts";
import type { AuditEntry } from "../analytics/audit/audit.ts";
import type { Person } from "./security/person.ts";
import type { SavedView } from "../analytics/saved-views/saved-views.ts";
import type { TriageEntry } from "../analytics/triage/triage.ts";
import type {
  AgentReport,
  CaptureReport,
  EventPage,
  HostReport,
  IngestProgress,
  Ranking,
} from "../analytics/store.ts";

export type RankingAnswer = Ranking;
export type HostAnswer = HostReport;
export type HostListAnswer = HostList<HostLists[HostListName]>;
export type EventsAnswer = EventPage;
export type NetworkAnswer = NetworkTimeline;

export interface CapturesAnswer {
  /** Newest first. */
  readonly captures: readonly CaptureReport[];
}

/** An agent and what is wrong with it, worst first. */
export type AgentState = AgentReport & { readonly alarms: readonly AgentAlarm[] };

export interface AgentsAnswer {
  /** The server's clock. */
  readonly now: number;
  readonly agents: readonly AgentState[];
}

/** How to find the packets of a selection oneself, and whether the files are there. */
export interface PacketFilterAnswer {
  /** For a Wireshark with tattle's dissector. */
  readonly filter: string;
  /** For any Wireshark. */
  readonly plainFilter: string;
  /** Captures that show the host at that time, with a tshark command each. */
  readonly sources: readonly (SliceSource & { readonly command: string })[];
}

export interface TriageAnswer {
  /** Newest first. */
  readonly entries: readonly TriageEntry[];
}

export interface SavedViewsAnswer {
  /** By name. */
  readonly views: readonly SavedView[];
}

/** Who did what. */
export interface AuditAnswer {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
}

/** One line of an upload's answer. The last line is a report or an error. */
export type UploadLine =
  | { readonly progress: IngestProgress }
  | { readonly report: CaptureReport }
  | { readonly error: string };

export interface HealthAnswer {
  readonly status: "ok";
  /** The server's clock. */
  readonly now: number;
  readonly maxUploadOctets: number;
  /** Whether requests travel in clear beyond the server's machine. */
  readonly inClear: boolean;
  /** Where the database stands, as the ids of /api/live tell it. */
  readonly cursor: string;
  /** Who asks, and what they may do. */
  readonly person: Person;
}

export interface ErrorAnswer {
  /** One line: what was expected and what came. */
  readonly error: string;
}
