/** A store without a database, for tests of the dashboard: what it answers is given, what it is asked is recorded. */
import type { HostList, HostListName, HostListQuery, HostLists } from "../../analytics/host-lists.ts";
import type { NetworkQuery, NetworkTimeline } from "../../analytics/network-timeline.ts";
import type {
  AgentReport,
  CaptureReport,
  EventPage,
  HostReport,
  IngestInput,
  IngestOptions,
  Ranking,
  RankingQuery,
  RankingSummary,
  SortKey,
  RankedHost,
  Store,
} from "../../analytics/store.ts";
import { PacketsError } from "../../analytics/packets/selection.ts";
import type { ExportQuery, ExportReport } from "../../analytics/export/export-query.ts";
import type { SliceOutput, SliceReport, SliceSource } from "../../analytics/packets/selection.ts";
import { severities } from "../../wire/code-book.ts";
import type { News } from "../../analytics/live/news.ts";
import { FakeAudit } from "./fake-audit.ts";
import { FakeSavedViews } from "./fake-saved-views.ts";
import { FakeTriage } from "./fake-triage.ts";
import { fakeHostList } from "./fake-host-lists.ts";
import { makeNetworkTimeline } from "./fake-network.ts";

export interface FakeEvidence {
  readonly asOf: number;
  readonly hosts: readonly RankedHost[];
  readonly unranked: Ranking["unranked"];
  readonly captures: readonly CaptureReport[];
  /** Report of a ranked host, beyond what the ranking says. */
  readonly details: (
    host: RankedHost,
  ) => Pick<HostReport, "timeline" | "lanes" | "flows" | "events" | "olderEvents">;
}

export class FakeStore implements Store {
  readonly triage = new FakeTriage();
  readonly audit = new FakeAudit();
  readonly savedViews = new FakeSavedViews();
  /** Every upload that came to an end, with the octets that arrived. */
  readonly ingested: { name: string; octets: number }[] = [];
  readonly exported: ExportQuery[] = [];
  readonly rankingQueries: RankingQuery[] = [];
  readonly listQueries: { name: HostListName; address: string; query: HostListQuery }[] = [];
  readonly networkQueries: NetworkQuery[] = [];
  readonly #evidence: FakeEvidence;
  #captures: CaptureReport[];

  constructor(evidence: FakeEvidence) {
    this.#evidence = evidence;
    this.#captures = [...evidence.captures];
  }

  async ranking(query: RankingQuery = {}): Promise<Ranking> {
    this.rankingQueries.push(query);
    const { hosts, unranked } = this.#evidence;
    const { sort = "score", filter = "", limit, offset = 0 } = query;
    const fitting = hosts.filter((host) => fits(host, filter)).toSorted(orders[sort]);
    return Promise.resolve({
      asOf: query.asOf ?? this.#evidence.asOf,
      asOfSource: query.asOf === undefined ? "newest packet" : "asked",
      total: fitting.length,
      summary: summarize(hosts, unranked.length),
      hosts: fitting.slice(offset, limit === undefined ? undefined : offset + limit),
      unranked: unranked.slice(0, limit),
    });
  }

  /** No capture of made-up evidence has a file. */
  async packetSources(): Promise<readonly SliceSource[]> {
    return Promise.resolve([]);
  }

  async packets(): Promise<SliceReport> {
    return Promise.reject(new PacketsError("no capture's file is there"));
  }

  async export(query: ExportQuery, output: SliceOutput): Promise<ExportReport> {
    this.exported.push(query);
    await output(Buffer.from("made up"));
    return { asOf: this.#evidence.asOf, rows: 1 };
  }

  /** What agents() answers with; tests change it. */
  heard: readonly AgentReport[] = [];

  async agents(): Promise<readonly AgentReport[]> {
    return Promise.resolve(this.heard);
  }

  async host(address: string, asOf = this.#evidence.asOf, flowLimit = 1000): Promise<HostReport | undefined> {
    const ranked = this.#evidence.hosts.find((host) => host.address === address);
    const unranked = this.#evidence.unranked.find((host) => host.address === address);
    if (ranked) {
      const details = this.#evidence.details(ranked);
      return Promise.resolve({
        asOf,
        ranked,
        ...details,
        flows: details.flows.slice(0, flowLimit),
        flowCount: details.flows.length,
        eventCount: details.events.length,
      });
    }
    const nothing = { timeline: [], lanes: [], flows: [], flowCount: 0, events: [], eventCount: 0 };
    return Promise.resolve(unranked ? { asOf, unranked, ...nothing } : undefined);
  }

  async hostList<Name extends HostListName>(
    name: Name,
    address: string,
    query: HostListQuery = {},
  ): Promise<HostList<HostLists[Name]>> {
    this.listQueries.push({ name, address, query });
    const host = this.#evidence.hosts.find((each) => each.address === address);
    const asOf = query.asOf ?? this.#evidence.asOf;
    if (!host) return Promise.resolve({ asOf, total: 0, rows: [] });
    return Promise.resolve(fakeHostList(name, host, this.#evidence.details(host).flows, { ...query, asOf }));
  }

  /** What events() answers with, page by page; tests change it. */
  olderEvents: ReadonlyMap<string, EventPage> = new Map();

  async events(_address: string, cursor: string): Promise<EventPage> {
    return Promise.resolve(this.olderEvents.get(cursor) ?? { events: [] });
  }

  /** Cut to the stretch that is asked for. */
  async network(query: NetworkQuery = {}): Promise<NetworkTimeline> {
    this.networkQueries.push(query);
    const all = makeNetworkTimeline(query.asOf ?? this.#evidence.asOf);
    const { from = all.from, to = all.to } = query;
    const marks = all.marks.filter(({ kind, at }) => kind === "detection" || (at >= from && at <= to));
    return Promise.resolve({ ...all, from, to, marks });
  }

  /** What news() answers with; tests change it. */
  latest: News = {
    cursor: "0-0-0-0",
    detections: 0,
    captures: 0,
    decisions: 0,
    events: 0,
    hosts: [],
    reset: false,
  };

  async news(): Promise<News> {
    return Promise.resolve(this.latest);
  }

  async setAssets(): Promise<void> {
    return Promise.reject(new Error("the dashboard sets no assets"));
  }

  async captures(): Promise<readonly CaptureReport[]> {
    return Promise.resolve(this.#captures);
  }

  /** Reads everything. A capture that starts like text is refused, as the real store does. */
  async ingest({ name, source }: IngestInput, options: IngestOptions = {}): Promise<CaptureReport> {
    if (!("stream" in source)) throw new Error("the fake store reads streams only");
    let octets = 0;
    let head = Buffer.alloc(0);
    for await (const chunk of source.stream as AsyncIterable<Buffer>) {
      options.signal?.throwIfAborted();
      if (head.length < 4) head = Buffer.concat([head, chunk]);
      octets += chunk.length;
      options.onProgress?.({ octets, packets: Math.floor(octets / 100), markedPackets: 0 });
    }
    options.signal?.throwIfAborted();
    this.ingested.push({ name, octets });
    const refused = head.subarray(0, 4).toString("latin1") === "text";
    const report: CaptureReport = {
      name,
      state: refused ? "refused" : "complete",
      ...(refused
        ? { reason: "not a capture: starts with 74 65 78 74", reasonOffset: 0 }
        : { format: "pcap" }),
      octets,
      packets: refused ? 0 : Math.floor(octets / 100),
      markedPackets: 0,
      malformedMarks: 0,
      ingestedAt: this.#evidence.asOf,
    };
    this.#captures = [report, ...this.#captures];
    return report;
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the real store counts. */
export function summarize(hosts: readonly RankedHost[], unranked: number): RankingSummary {
  const count = (isSo: (host: RankedHost) => boolean): number => hosts.filter(isSo).length;
  return {
    ranked: hosts.length,
    unranked,
    bands: {
      critical: count(({ band }) => band === "critical"),
      high: count(({ band }) => band === "high"),
      moderate: count(({ band }) => band === "moderate"),
      low: count(({ band }) => band === "low"),
      minimal: count(({ band }) => band === "minimal"),
    },
    contained: count(({ contained }) => contained),
    passing: count(({ contained, flowsPassed }) => !contained && flowsPassed > 0),
    blockedButPassing: count(({ flowsStopped, flowsPassed }) => flowsStopped > 0 && flowsPassed > 0),
  };
}

/** Every word occurs in what is said of the host. */
function fits(host: RankedHost, filter: string): boolean {
  const { flowsStopped, flowsPassed } = host;
  const state = host.contained
    ? "contained"
    : flowsStopped > 0 && flowsPassed > 0
      ? "active blocked"
      : "active";
  const said = host.detections.flatMap(({ title, severity: level, trust, attack }) => [
    title,
    level,
    trust,
    attack,
  ]);
  const text = [host.address, host.name, host.band, state, host.unmarked ? "unmarked" : "", ...said]
    .join("\n")
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const severity = (host: RankedHost): number =>
  Math.max(...host.detections.map((detection) => severities.indexOf(detection.severity)));

const orders: Record<SortKey, (left: RankedHost, right: RankedHost) => number> = {
  score: (left, right) => right.score - left.score,
  activity: (left, right) => severity(right) - severity(left) || right.score - left.score,
  elapsed: (left, right) => left.firstDetected - right.firstDetected,
  "elapsed-asc": (left, right) => right.firstDetected - left.firstDetected,
  "last-seen": (left, right) => right.lastSeen - left.lastSeen,
  peers: (left, right) => right.peers - left.peers,
};
