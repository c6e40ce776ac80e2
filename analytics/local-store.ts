/** The store of the process that holds the database. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CodeBook } from "../wire/code-book.ts";
import { AnswerMemory } from "./answer-memory.ts";
import type { AuditLog } from "./audit/audit.ts";
import { DatabaseAudit } from "./audit/database-audit.ts";
import { DatabaseAgentLog } from "./agents/agent-log.ts";
import type { Database } from "./database.ts";
import type { DatabaseError } from "./database-error.ts";
import type { ExportQuery, ExportReport } from "./export/export-query.ts";
import { writeExport } from "./export/write-export.ts";
import { ingestCapture } from "./ingest/ingest-capture.ts";
import type { ReaderKey } from "./ingest/tag-check.ts";
import type { HostList, HostListName, HostListQuery, HostLists } from "./host-lists.ts";
import type { News } from "./live/news.ts";
import { readNews } from "./live/read-news.ts";
import { loadCodeBook } from "./load-code-book.ts";
import { noteFile } from "./packets/note-file.ts";
import type {
  PacketSelection,
  SliceOptions,
  SliceOutput,
  SliceReport,
  SliceSource,
} from "./packets/selection.ts";
import { checkSources, findKnownSources, writeSlice } from "./packets/write-slice.ts";
import { momentFor } from "./queries/as-of.ts";
import type { Moment } from "./queries/as-of.ts";
import { readHostList } from "./queries/host-lists.ts";
import { readEvents } from "./queries/host-events.ts";
import { reportHost } from "./queries/host-report.ts";
import { listCaptures } from "./queries/list-captures.ts";
import { readNetworkTimeline } from "./queries/network-timeline.ts";
import type { NetworkQuery, NetworkTimeline } from "./network-timeline.ts";
import { folderBeside } from "./nameless-file.ts";
import { replaceAssets } from "./replace-assets.ts";
import { rankHosts } from "./ranking/rank-hosts.ts";
import { DatabaseTriage } from "./triage/database-triage.ts";
import { readStanding } from "./triage/read-triage.ts";
import type { HostTriage, TriageLog } from "./triage/triage.ts";
import { DatabaseSavedViews } from "./saved-views/database-saved-views.ts";
import type { SavedViews } from "./saved-views/saved-views.ts";
import { defaultSpoolOctets, Spool } from "./spool.ts";
import type {
  AgentLog,
  AgentReport,
  Asset,
  CaptureReport,
  EventPage,
  HostReport,
  IngestInput,
  IngestOptions,
  RankedHost,
  Ranking,
  RankingQuery,
  Store,
} from "./store.ts";

export interface LocalStoreOptions {
  readonly database: Database;
  readonly codeBook: CodeBook;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Keys that tags of authenticated marks are verified with. */
  readonly keys?: readonly ReaderKey[];
  /** Octets on disk of all captures that are being received. */
  readonly spoolOctets?: number;
}

/** A store over an open database, which it closes with itself. */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  await options.database.write(({ connection }) => loadCodeBook(connection, options.codeBook));
  return new LocalStore(options);
}

class LocalStore implements Store {
  readonly agentLog: AgentLog;
  readonly triage: TriageLog;
  readonly audit: AuditLog;
  readonly savedViews: SavedViews;
  readonly failure: Promise<DatabaseError>;
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #keys: readonly ReaderKey[];
  readonly #answers = new AnswerMemory();
  readonly #folder: string;
  readonly #spool: Spool;

  constructor(options: LocalStoreOptions) {
    this.#database = options.database;
    this.audit = new DatabaseAudit(options.database);
    this.failure = options.database.failure;
    this.savedViews = new DatabaseSavedViews(options.database);
    this.agentLog = new DatabaseAgentLog(options.database);
    this.triage = new DatabaseTriage(options.database, async (connection, filter, asOf) => {
      const moment = await momentFor(connection, asOf, this.#clock());
      const { ranked } = await rankHosts(connection, moment.asOf, { filter });
      return ranked.map(({ address }) => address);
    });
    this.#clock = options.clock;
    this.#keys = options.keys ?? [];
    this.#folder = folderBeside(options.database.path);
    this.#spool = new Spool(this.#folder, options.spoolOctets ?? defaultSpoolOctets);
  }

  ingest(input: IngestInput, options: IngestOptions = {}): Promise<CaptureReport> {
    const { source } = input;
    if (!("stream" in source) || source.mayStall !== true) return this.#ingest(input, options);
    const { signal, onProgress } = options;
    const total = source.octets === undefined ? {} : { totalOctets: source.octets };
    const onReceived = (octets: number): void =>
      onProgress?.({ octets, ...total, packets: 0, markedPackets: 0 });
    return this.#spool.receive(source.stream, { signal, onReceived }, (descriptor, octets) =>
      this.#ingest({ ...input, source: { descriptor, octets } }, options),
    );
  }

  async #ingest(input: IngestInput, options: IngestOptions): Promise<CaptureReport> {
    const now = options.now ?? this.#clock();
    const report = await ingestCapture(this.#database, input, { ...options, now }, this.#keys);
    const { file } = input;
    const { captureId } = report;
    if (file === undefined || captureId === undefined) return report;
    await this.#database.write(({ connection }) => noteFile(connection, captureId, file, now));
    return report;
  }

  export(query: ExportQuery, output: SliceOutput, signal?: AbortSignal): Promise<ExportReport> {
    return this.#readAtOnce(async (connection) => {
      const moment = await momentFor(connection, query.asOf, this.#clock());
      return writeExport(connection, query, moment, { output, folder: this.#folder, signal });
    });
  }

  async packetSources(selection: PacketSelection): Promise<readonly SliceSource[]> {
    return checkSources(await this.#database.read((connection) => findKnownSources(connection, selection)));
  }

  async packets(
    selection: PacketSelection,
    output: SliceOutput,
    options: SliceOptions = {},
  ): Promise<SliceReport> {
    const sources = await this.#database.read((connection) => findKnownSources(connection, selection));
    return writeSlice(sources, selection, output, options);
  }

  ranking(query: RankingQuery = {}): Promise<Ranking> {
    const { sort, filter, limit, offset } = query;
    const ask = async (connection: DuckDBConnection, moment: Moment): Promise<Ranking> => {
      const { ranked, unranked, fitting, summary } = await rankHosts(connection, moment.asOf, query);
      const standing = await readStanding(connection);
      const hosts = ranked.map((host) => withTriage(host, standing));
      const { asOf, source } = moment;
      return { asOf, asOfSource: source, total: fitting, summary, hosts, unranked };
    };
    // All hosts are for exports and lists; whoever looks at a page names how many it shows.
    if (limit === undefined) return this.#readAt(query.asOf, ask);
    return this.#readOnce(["ranking", sort, filter, limit, offset], query.asOf, ask, ({ hosts, unranked }) =>
      rowsOf(hosts, unranked),
    );
  }

  host(address: string, asOf?: number, flowLimit?: number): Promise<HostReport | undefined> {
    const ask = async (connection: DuckDBConnection, moment: Moment): Promise<HostReport | undefined> => {
      const report = await reportHost(connection, address, moment.asOf, flowLimit);
      if (!report?.ranked) return report;
      return { ...report, ranked: withTriage(report.ranked, await readStanding(connection, address)) };
    };
    return this.#readOnce(["host", address, flowLimit], asOf, ask, (report) =>
      report
        ? report.flows.length +
          report.events.length +
          report.timeline.length +
          report.lanes.length +
          rowsOf([report.ranked, report.unranked].filter((host) => host !== undefined))
        : 1,
    );
  }

  hostList<Name extends HostListName>(
    name: Name,
    address: string,
    query: HostListQuery = {},
  ): Promise<HostList<HostLists[Name]>> {
    const { sort, limit, offset } = query;
    return this.#readOnce(
      ["list", name, address, sort, limit, offset],
      query.asOf,
      (connection, moment) => readHostList(connection, name, address, moment.asOf, query),
      ({ rows }) => 1 + rows.length,
    );
  }

  events(address: string, cursor: string): Promise<EventPage> {
    return this.#database.read(async (connection) => {
      const { events, next } = await readEvents(connection, address, cursor);
      return { events, ...(next === undefined ? {} : { next }) };
    });
  }

  network(query: NetworkQuery = {}): Promise<NetworkTimeline> {
    return this.#readAt(query.asOf, (connection, moment) => readNetworkTimeline(connection, moment, query));
  }

  captures(): Promise<readonly CaptureReport[]> {
    return this.#database.read(listCaptures);
  }

  news(since?: string): Promise<News> {
    return this.#database.read((connection) => readNews(connection, since));
  }

  agents(): Promise<readonly AgentReport[]> {
    return this.agentLog.agents();
  }

  setAssets(assets: readonly Asset[]): Promise<void> {
    return this.#database.write(({ connection }) => replaceAssets(connection, assets));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** As `#readAt`, but what was asked before is not read again until something has been written. */
  async #readOnce<Result>(
    question: readonly (string | number | undefined)[],
    asked: number | undefined,
    work: (connection: DuckDBConnection, moment: Moment) => Promise<Result>,
    countRows: (result: Result) => number,
  ): Promise<Result> {
    // Counted before anything is read: a write that ends meanwhile has this answer forgotten.
    const { writes } = this.#database;
    const now = this.#clock();
    // Time passes without a write: while agents report, each second is a moment of its own.
    const moment = await this.#database.read((connection) => momentFor(connection, asked, now));
    const key = JSON.stringify([moment.asOf, moment.source, ...question]);
    return this.#answers.answer(key, writes, () => this.#readAt(asked, work, now), countRows);
  }

  /** At the moment asked for, or the newest evidence at `now`. */
  #readAt<Result>(
    asked: number | undefined,
    work: (connection: DuckDBConnection, moment: Moment) => Promise<Result>,
    now: number = this.#clock(),
  ): Promise<Result> {
    return this.#readAtOnce(async (connection) => work(connection, await momentFor(connection, asked, now)));
  }

  /** Several queries that see the same evidence: a capture committed between them would set them against each other. */
  #readAtOnce<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    return this.#database.read(async (connection) => {
      await connection.run("BEGIN TRANSACTION READ ONLY");
      // The connection ends with the work, and the transaction with it.
      return work(connection);
    });
  }
}

/** Hosts and their detections. */
function rowsOf(...lists: readonly (readonly { readonly detections: readonly unknown[] }[])[]): number {
  return lists.flat().reduce((rows, { detections }) => rows + 1 + detections.length, 0);
}

function withTriage(host: RankedHost, standing: ReadonlyMap<string, HostTriage>): RankedHost {
  const triage = standing.get(host.address);
  return triage ? { ...host, triage } : host;
}
