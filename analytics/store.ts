/**
 * What commands and the dashboard ask of the evidence, whoever holds the database: this process (local-store.ts) or the
 * process that owns the file (remote-store.ts, over the socket beside it). All times here are seconds since 1970 (UTC).
 */
import type { Readable } from "node:stream";
import type { Heartbeat } from "../policy/agent-report.ts";
import type { AgentEvent } from "../policy/event.ts";
import type { Severity } from "../wire/code-book.ts";
import type { AuditLog } from "./audit/audit.ts";
import type { News } from "./live/news.ts";
import type { DatabaseError } from "./database-error.ts";
import type { SavedViews } from "./saved-views/saved-views.ts";
import type { HostTriage, TriageLog } from "./triage/triage.ts";
import type { HostList, HostListName, HostListQuery, HostLists } from "./host-lists.ts";
import type { NetworkQuery, NetworkTimeline } from "./network-timeline.ts";
import type { ExportQuery, ExportReport } from "./export/export-query.ts";
import type {
  CaptureFile,
  PacketSelection,
  SliceOptions,
  SliceOutput,
  SliceReport,
  SliceSource,
} from "./packets/selection.ts";

export const sortKeys = ["score", "activity", "elapsed", "elapsed-asc", "last-seen", "peers"] as const;
export type SortKey = (typeof sortKeys)[number];

export type Band = "critical" | "high" | "moderate" | "low" | "minimal";
export type Trust = "lone" | "established" | "verified" | "implausible" | "invalid";

export interface RankingQuery {
  /** Seconds since 1970; absent: the newest evidence (design: asOf). */
  readonly asOf?: number;
  readonly sort?: SortKey;
  /** Words that all have to occur: in name, address, band, activities, severities, trust, ATT&CK; contained, active, blocked, unmarked. */
  readonly filter?: string;
  /** Ranked hosts in the answer, and at most as many of those that are not ranked; all if absent. */
  readonly limit?: number;
  /** Ranked hosts to leave out at the beginning. */
  readonly offset?: number;
}

/** One step of the waterfall: the points of all steps sum to the score. */
export interface ScoreTerm {
  readonly name: "detections" | "passed" | "peers" | "dwell" | "contained" | "asset";
  /** What the term counts: probability, flows, peers, hours, 0 or 1, weight. */
  readonly value: number;
  /** Log-odds that the term adds. */
  readonly logOdds: number;
  /** Points of 0 to 100 that the term adds, in this order. */
  readonly points: number;
}

export interface RankedDetection {
  readonly detectionId: number;
  readonly detectedAt: number;
  readonly category: number;
  readonly activity: number;
  /** From the code book, or numbers. */
  readonly title: string;
  readonly severity: Severity;
  readonly attack?: string;
  readonly trust: Trust;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly packets: number;
  /** p of the ranking at asOf, 0 to 1. */
  readonly probability: number;
}

/** What a flagged host sent since its last mark, as captures show it: TCP packets that had room for one. */
export interface Unmarked {
  readonly since: number;
  readonly lastSeen: number;
  /** At least. */
  readonly packets: number;
}

export interface RankedHost {
  readonly address: string;
  readonly name?: string;
  readonly score: number;
  readonly band: Band;
  readonly terms: readonly ScoreTerm[];
  /** Highest probability first. */
  readonly detections: readonly RankedDetection[];
  readonly contained: boolean;
  readonly flowsPassed: number;
  readonly flowsStopped: number;
  readonly peers: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Oldest counted detection, and the newest one; elapsed time is asOf minus these. */
  readonly firstDetected: number;
  readonly lastDetected: number;
  readonly markedPackets: number;
  readonly weight: number;
  /** Absent: nobody decided about it. It is how the host stands now, whatever the time of the ranking. */
  readonly triage?: HostTriage;
  /** Present if the host went on without a mark, in the last day. */
  readonly unmarked?: Unmarked;
}

/** A host none of whose detections counts: listed, never ranked. */
export interface UnrankedHost {
  readonly address: string;
  readonly name?: string;
  readonly reason: "implausible" | "does not verify";
  readonly detections: readonly RankedDetection[];
  readonly lastSeen: number;
}

/** Of all hosts, whatever the filter. */
export interface RankingSummary {
  readonly ranked: number;
  readonly unranked: number;
  readonly bands: Readonly<Record<Band, number>>;
  readonly contained: number;
  /** Not contained, with flows that passed in the last hour. */
  readonly passing: number;
  /** Flows were stopped, and flows passed. */
  readonly blockedButPassing: number;
}

export interface Ranking {
  readonly asOf: number;
  /** Where asOf comes from. */
  readonly asOfSource: "asked" | "now" | "newest packet" | "no evidence";
  /** Ranked hosts that fit the filter; `hosts` has a part of them. */
  readonly total: number;
  readonly summary: RankingSummary;
  readonly hosts: readonly RankedHost[];
  readonly unranked: readonly UnrankedHost[];
}

export interface TimelineBin {
  /** Start of the bin and its width, seconds. */
  readonly start: number;
  readonly seconds: number;
  readonly markedPackets: number;
}

/** What became of packets in a stretch of time: packets that were stopped, or flows of which the peer acknowledged octets. */
export interface LaneBin {
  readonly lane: "stopped" | "passed";
  /** Start of the bin and its width, seconds. */
  readonly start: number;
  readonly seconds: number;
  readonly count: number;
}

export interface HostFlow {
  readonly peer: string;
  readonly peerName?: string;
  readonly protocol: number;
  readonly hostPort: number;
  readonly peerPort: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly markedPackets: number;
  readonly markedOctets: number;
  readonly acknowledgedOctets: number;
  readonly established: boolean;
  readonly outcome: "passed" | "stopped" | "unanswered" | "connected";
}

export interface EnforcementEntry {
  readonly time: number;
  readonly verdict: string;
  readonly rule?: string;
  readonly peer: string;
  readonly hostPort: number;
  readonly peerPort: number;
}

export interface HostReport {
  readonly asOf: number;
  /** Absent if the host is not ranked. */
  readonly ranked?: RankedHost;
  readonly unranked?: UnrankedHost;
  readonly timeline: readonly TimelineBin[];
  readonly lanes: readonly LaneBin[];
  /** Newest first, at most 1,000. */
  readonly flows: readonly HostFlow[];
  readonly flowCount: number;
  /** Newest first, at most 1,000. */
  readonly events: readonly EnforcementEntry[];
  readonly eventCount: number;
  /** Where the log goes on, for `events`; absent at its end. */
  readonly olderEvents?: string;
}

/** A part of a host's enforcement log. */
export interface EventPage {
  /** Newest first, at most 1,000. */
  readonly events: readonly EnforcementEntry[];
  /** Where the log goes on; absent at its end. */
  readonly next?: string;
}

export interface CaptureReport {
  readonly captureId?: number;
  readonly name: string;
  readonly state: "complete" | "partial" | "refused";
  readonly reason?: string;
  readonly reasonOffset?: number;
  readonly format?: string;
  readonly octets: number;
  readonly packets: number;
  readonly markedPackets: number;
  readonly malformedMarks: number;
  readonly firstPacket?: number;
  readonly lastPacket?: number;
  readonly ingestedAt: number;
  /** The same content was ingested before, under this name; nothing was counted again. */
  readonly alreadyIngestedAs?: string;
  /** Packets that were known: the capture had been ingested before it was complete, and this one took that one's place. */
  readonly grewFrom?: number;
  /** Tags that could not be checked for want of a key, once for each connection and window; absent: none. */
  readonly uncheckedTags?: number;
  /** The same content was there before; with the keys of now its tags tell more, so it took its own place. */
  readonly tagsCheckedAgain?: boolean;
}

export interface IngestProgress {
  readonly octets: number;
  /** Absent for a pipe. */
  readonly totalOctets?: number;
  readonly packets: number;
  readonly markedPackets: number;
}

export interface IngestInput {
  /** As the user named it; shown, never opened. */
  readonly name: string;
  /** An open file to read from position 0, or a stream (pipe, upload). The caller closes the file. */
  readonly source:
    | { readonly descriptor: number; readonly octets: number }
    | {
        readonly stream: Readable;
        readonly octets?: number;
        /** The sender may stall: all of it is received before other captures have to wait for it. */
        readonly mayStall?: boolean;
      };
  /** Where it lies on this machine, so that its packets can be had again. */
  readonly file?: CaptureFile;
}

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /** Seconds since 1970 to note as the time of ingestion; absent: the wall clock's. */
  readonly now?: number;
  readonly onProgress?: (progress: IngestProgress) => void;
}

/** What the operator says of a host. */
export interface Asset {
  /** As wire/address.ts writes it. */
  readonly address: string;
  /** Hostile text. */
  readonly name?: string;
  /** Factor on the odds of the ranking: 0.5 low, 1 normal, 2 high. */
  readonly weight: number;
}

export interface AgentReport {
  readonly agent: string;
  /** Name of the token that it came with last. */
  readonly token: string;
  /** Seconds since 1970, by this machine's clock. */
  readonly heardAt: number;
  readonly heartbeat?: Heartbeat;
  /** Events stored, and packets told in gap events. */
  readonly events: number;
  readonly gapPackets: number;
}

export interface StoredEvents {
  readonly stored: number;
  /** Events that had been stored before. */
  readonly known: number;
}

/** Who reports. */
export interface ReportSource {
  /** Name of the token that the request came with. */
  readonly token: string;
  /** Whether there is a token of this name: an agent whose token was taken out goes on under its new one. */
  readonly isToken: (name: string) => boolean;
}

export interface AgentLog {
  /** All of a batch or nothing. `now`: seconds since 1970. */
  store(source: ReportSource, events: readonly AgentEvent[], now: number): Promise<StoredEvents>;
  heard(source: ReportSource, heartbeat: Heartbeat, now: number): Promise<void>;
  agents(): Promise<readonly AgentReport[]>;
}

export interface Store {
  /** All of a capture or nothing; a refused or damaged capture is an outcome, not an error. */
  ingest(input: IngestInput, options?: IngestOptions): Promise<CaptureReport>;
  ranking(query?: RankingQuery): Promise<Ranking>;
  /** Undefined if the address was never seen with a mark. */
  host(address: string, asOf?: number, flowLimit?: number): Promise<HostReport | undefined>;
  /** Part of a long list of one host; empty if the address is not known. */
  hostList<Name extends HostListName>(
    name: Name,
    address: string,
    query?: HostListQuery,
  ): Promise<HostList<HostLists[Name]>>;
  /** The enforcement log of a host from a cursor on, which `host` or this gave. */
  events(address: string, cursor: string): Promise<EventPage>;
  /** Detections, packets stopped and flows passed over time, by host: the paper's Figure 6. */
  network(query?: NetworkQuery): Promise<NetworkTimeline>;
  /** Newest first. */
  captures(): Promise<readonly CaptureReport[]>;
  /** Names and weights of hosts, in place of all that were set before. */
  setAssets(assets: readonly Asset[]): Promise<void>;
  /** Every agent that was ever heard. */
  agents(): Promise<readonly AgentReport[]>;
  /** Captures that show the packets, and whether their files can be read again. */
  packetSources(selection: PacketSelection): Promise<readonly SliceSource[]>;
  /**
   * Writes the packets, as a pcapng.
   * @throws PacketsError before anything is written if no file is there.
   */
  packets(selection: PacketSelection, output: SliceOutput, options?: SliceOptions): Promise<SliceReport>;
  /**
   * Writes a view in one of its forms; a failure after the first octets leaves a part.
   * @throws ExportError before anything is written if the view has no such form or parameter.
   */
  export(query: ExportQuery, output: SliceOutput, signal?: AbortSignal): Promise<ExportReport>;
  readonly triage: TriageLog;
  readonly audit: AuditLog;
  readonly savedViews: SavedViews;
  /** What came since a cursor that this gave; without one, where the database stands. */
  news(since?: string): Promise<News>;
  /** Takes what agents report; only the process that holds the database can. */
  readonly agentLog?: AgentLog;
  /** Comes if the database fails for good; only the process that holds it can tell. */
  readonly failure?: Promise<DatabaseError>;
  close(): Promise<void>;
}
