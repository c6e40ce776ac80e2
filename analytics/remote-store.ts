/** The store of a process that does not hold the database: it asks the owner over the socket beside the file. */
import { read } from "node:fs";
import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { FoundOwner } from "./owner/find-owner.ts";
import { fileHeader, nameHeader, octetsHeader, routes } from "./owner/wire-format.ts";
import { readStream, StreamLost } from "./owner/streamed-answer.ts";
import type { Failure, IngestLine } from "./owner/wire-format.ts";
import type { HostList, HostListName, HostListQuery, HostLists } from "./host-lists.ts";
import type { NetworkQuery, NetworkTimeline } from "./network-timeline.ts";
import { checkExport } from "./export/check-export.ts";
import type { ExportQuery, ExportReport } from "./export/export-query.ts";
import { defaultSliceLimits, PacketsError } from "./packets/selection.ts";
import type {
  PacketSelection,
  SliceOptions,
  SliceOutput,
  SliceReport,
  SliceSource,
} from "./packets/selection.ts";
import type { AuditLog } from "./audit/audit.ts";
import { RemoteSavedViews } from "./saved-views/remote-saved-views.ts";
import { SavedViewError } from "./saved-views/saved-views.ts";
import type { SavedViews } from "./saved-views/saved-views.ts";
import type { News } from "./live/news.ts";
import { RemoteAudit } from "./audit/remote-audit.ts";
import { RemoteTriage } from "./triage/remote-triage.ts";
import { TriageError } from "./triage/triage.ts";
import type { TriageLog } from "./triage/triage.ts";
import type {
  AgentReport,
  Asset,
  CaptureReport,
  EventPage,
  HostReport,
  IngestInput,
  IngestOptions,
  Ranking,
  RankingQuery,
  Store,
} from "./store.ts";

const readOctets = promisify(read);

/** Of a file, to the socket at once. */
const pieceOctets = 1024 * 1024;

/** The owner answered that it could not do what was asked, or went away meanwhile. */
export class OwnerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OwnerError";
  }
}

export class RemoteStore implements Store {
  readonly #socket: string;
  readonly #owner: FoundOwner | undefined;

  /** The owner at the socket stays until the store is closed, if it has introduced itself. */
  constructor(socket: string, owner?: FoundOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  ranking(query: RankingQuery = {}): Promise<Ranking> {
    return this.#ask(routes.ranking, { ...query }) as Promise<Ranking>;
  }

  async host(address: string, asOf?: number, flowLimit?: number): Promise<HostReport | undefined> {
    const answer = (await this.#ask(routes.host, { address, asOf, flowLimit })) as HostReport | null;
    return answer ?? undefined;
  }

  hostList<Name extends HostListName>(
    name: Name,
    address: string,
    query: HostListQuery = {},
  ): Promise<HostList<HostLists[Name]>> {
    return this.#ask(routes.hostList, { name, address, ...query }) as Promise<HostList<HostLists[Name]>>;
  }

  events(address: string, cursor: string): Promise<EventPage> {
    return this.#ask(routes.events, { address, cursor }) as Promise<EventPage>;
  }

  network(query: NetworkQuery = {}): Promise<NetworkTimeline> {
    return this.#ask(routes.network, { ...query }) as Promise<NetworkTimeline>;
  }

  captures(): Promise<readonly CaptureReport[]> {
    return this.#ask(routes.captures, {}) as Promise<readonly CaptureReport[]>;
  }

  news(since?: string): Promise<News> {
    return this.#ask(routes.news, { since }) as Promise<News>;
  }

  agents(): Promise<readonly AgentReport[]> {
    return this.#ask(routes.agents, {}) as Promise<readonly AgentReport[]>;
  }

  /**
   * Says what file it is, which the owner reads itself if it finds the same one: then nothing depends on this process
   * going on. Hands it over as octets otherwise: the owner may be elsewhere in the file system, or see less of it.
   */
  async ingest(input: IngestInput, options: IngestOptions = {}): Promise<CaptureReport> {
    options.signal?.throwIfAborted();
    const { octets } = input.source;
    const sending = request({
      socketPath: this.#socket,
      path: routes.ingest,
      method: "POST",
      ...(options.signal ? { signal: options.signal } : {}),
      headers: {
        [nameHeader]: encodeURIComponent(Buffer.from(input.name).toString()),
        // Not as the length of the body: a file that shrank meanwhile would leave the owner waiting for ever.
        ...(octets === undefined ? {} : { [octetsHeader]: octets }),
        ...(input.file === undefined
          ? {}
          : { [fileHeader]: encodeURIComponent(JSON.stringify(input.file)), expect: "100-continue" }),
      },
    });
    const answered = responseTo(sending);
    // The answer says why, if sending broke off because the owner had seen enough.
    let sent: Promise<unknown> | undefined;
    const send = (): void => {
      sent = pipeline(bodyOf(input), sending).catch((error: unknown) => error);
    };
    if (input.file === undefined) send();
    else sending.once("continue", send);
    try {
      return await readReport(await answered, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error instanceof OwnerError ? error : this.#lost(error);
    } finally {
      sending.destroy();
      await sent;
    }
  }

  packetSources(selection: PacketSelection): Promise<readonly SliceSource[]> {
    const question = { selection: JSON.stringify(selection) };
    return this.#ask(routes.packetSources, question) as Promise<readonly SliceSource[]>;
  }

  async packets(
    selection: PacketSelection,
    output: SliceOutput,
    options: SliceOptions = {},
  ): Promise<SliceReport> {
    const limits = JSON.stringify(options.limits ?? defaultSliceLimits);
    const question = { selection: JSON.stringify(selection), limits };
    return this.#stream(routes.packets, question, output, options.signal) as Promise<SliceReport>;
  }

  async export(query: ExportQuery, output: SliceOutput, signal?: AbortSignal): Promise<ExportReport> {
    checkExport(query);
    const question = { query: JSON.stringify(query) };
    return this.#stream(routes.export, question, output, signal) as Promise<ExportReport>;
  }

  async #stream(
    path: string,
    question: Readonly<Record<string, string>>,
    output: SliceOutput,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const target = `${path}?${new URLSearchParams(question).toString()}`;
    const asking = request({ socketPath: this.#socket, path: target, ...(signal ? { signal } : {}) });
    asking.end();
    try {
      const response = await responseTo(asking);
      if (response.statusCode !== 200) {
        const { failure } = JSON.parse(await textOf(response)) as Failure;
        throw response.statusCode === 404 ? new PacketsError(failure) : new OwnerError(failure);
      }
      return await readStream(response, output);
    } catch (error) {
      signal?.throwIfAborted();
      const isLost = error instanceof StreamLost || (error instanceof Error && "code" in error);
      throw isLost ? this.#lost(error) : error;
    } finally {
      asking.destroy();
    }
  }

  readonly triage: TriageLog = new RemoteTriage((path, body) => this.#exchange(path, body));
  readonly audit: AuditLog = new RemoteAudit((path, body) => this.#exchange(path, body));
  readonly savedViews: SavedViews = new RemoteSavedViews((path, body) => this.#exchange(path, body));

  /** GET without a body, POST with one. */
  #exchange(path: string, body?: unknown): Promise<unknown> {
    return this.#answer(
      request({ socketPath: this.#socket, path, method: body === undefined ? "GET" : "POST" }),
      body === undefined ? undefined : JSON.stringify(body),
    );
  }

  async setAssets(assets: readonly Asset[]): Promise<void> {
    await this.#answer(
      request({ socketPath: this.#socket, path: routes.assets, method: "PUT" }),
      JSON.stringify(assets),
    );
  }

  close(): Promise<void> {
    this.#owner?.leave();
    return Promise.resolve();
  }

  async #ask(
    path: string,
    parameters: Readonly<Record<string, string | number | undefined>>,
  ): Promise<unknown> {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(parameters)) {
      if (value !== undefined) search.set(key, String(value));
    }
    return this.#answer(request({ socketPath: this.#socket, path: `${path}?${search.toString()}` }));
  }

  async #answer(asking: ClientRequest, body?: string): Promise<unknown> {
    asking.end(body);
    try {
      const response = await responseTo(asking);
      const answer = JSON.parse(await textOf(response)) as unknown;
      if (response.statusCode !== 200) throw failureOf(answer as Failure);
      return answer;
    } catch (error) {
      const isAnswer =
        error instanceof OwnerError || error instanceof TriageError || error instanceof SavedViewError;
      throw isAnswer ? error : this.#lost(error);
    }
  }

  #lost(cause: unknown): OwnerError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new OwnerError(`the process that holds the database went away: ${reason}`, { cause });
  }
}

function failureOf({ failure, triage, savedView }: Failure): Error {
  if (savedView) return new SavedViewError(savedView, failure);
  return triage ? new TriageError(triage.kind, failure, triage.count) : new OwnerError(failure);
}

function responseTo(asking: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asking.once("response", resolve);
    asking.on("error", reject);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function bodyOf(input: IngestInput): AsyncIterable<unknown> {
  return "stream" in input.source ? input.source.stream : octetsOf(input.source.descriptor);
}

/** A stream of node:fs would close the file when sending breaks off; but the caller closes it. */
async function* octetsOf(descriptor: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await readOctets(
      descriptor,
      Buffer.allocUnsafe(pieceOctets),
      0,
      pieceOctets,
      at,
    );
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readReport(response: IncomingMessage, options: IngestOptions): Promise<CaptureReport> {
  for await (const text of createInterface({ input: response })) {
    const line = JSON.parse(text) as IngestLine;
    if ("report" in line) return line.report;
    if ("failure" in line) throw new OwnerError(line.failure);
    options.onProgress?.(line.progress);
  }
  throw new OwnerError("the process that holds the database ended without an answer");
}
