/** The rows that come up while a capture is walked, streamed into their tables as they do: memory stays bounded. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { setWide } from "./capture-time.ts";
import { ColumnAppender, octetColumn, shortColumn, wideColumn, wordColumn } from "./column-appender.ts";
import type { CopyPath } from "./column-appender.ts";
import { minuteStart } from "./minute-rows.ts";

/** Bits of sighting.detail. */
export const sightingDetail = { ipv4Carrier: 1, quoted: 2, fromServer: 4 } as const;

/** Where the ids of this capture start in the database. */
export interface IdBases {
  readonly captureId: number;
  readonly lastMark: number;
  readonly lastFlow: number;
}

const sightingColumns = () => ({
  capture: wordColumn(),
  frame: wordColumn(),
  time: wideColumn(),
  flow: wordColumn(),
  mark: wordColumn(),
  length: wordColumn(),
  detail: octetColumn(),
});

const detectionColumns = () => ({
  detection: wordColumn(),
  minute: wideColumn(),
  trust: octetColumn(),
  first: wideColumn(),
  last: wideColumn(),
  packets: wordColumn(),
});

const hostColumns = () => ({
  host: wordColumn(),
  minute: wideColumn(),
  packets: wordColumn(),
  octets: wideColumn(),
});

const passedColumns = () => ({ flow: wordColumn(), minute: wideColumn() });

const eventColumns = () => ({
  time: wideColumn(),
  frame: wordColumn(),
  prefix: wordColumn(),
  host: wordColumn(),
  peer: wordColumn(),
  tupleKey: wideColumn(),
  protocol: octetColumn(),
  hostPort: shortColumn(),
  peerPort: shortColumn(),
  length: wordColumn(),
});

/** A packet at hand; its time alone would be allocated on the way into a call. */
interface Timed {
  readonly time: number;
}

export interface EventRow {
  readonly time: number;
  readonly frame: number;
  readonly prefix: number;
  readonly host: number;
  readonly peer: number;
  readonly tupleKeyLow: number;
  readonly tupleKeyHigh: number;
  readonly protocol: number;
  /** Host's port * 65536 + peer's port. */
  readonly ports: number;
  readonly length: number;
}

export class WalkRows {
  readonly #bases: IdBases;
  readonly #sightings: ColumnAppender<ReturnType<typeof sightingColumns>>;
  readonly #detections: ColumnAppender<ReturnType<typeof detectionColumns>>;
  readonly #hosts: ColumnAppender<ReturnType<typeof hostColumns>>;
  readonly #passed: ColumnAppender<ReturnType<typeof passedColumns>>;
  readonly #events: ColumnAppender<ReturnType<typeof eventColumns>>;

  private constructor(
    bases: IdBases,
    sightings: ColumnAppender<ReturnType<typeof sightingColumns>>,
    detections: ColumnAppender<ReturnType<typeof detectionColumns>>,
    hosts: ColumnAppender<ReturnType<typeof hostColumns>>,
    passed: ColumnAppender<ReturnType<typeof passedColumns>>,
    events: ColumnAppender<ReturnType<typeof eventColumns>>,
  ) {
    this.#bases = bases;
    this.#sightings = sightings;
    this.#detections = detections;
    this.#hosts = hosts;
    this.#passed = passed;
    this.#events = events;
    // The same in every row of this capture.
    sightings.columns.capture.fill(bases.captureId);
  }

  static async create(connection: DuckDBConnection, bases: IdBases, path: CopyPath): Promise<WalkRows> {
    return new WalkRows(
      bases,
      await ColumnAppender.create(connection, "sighting", sightingColumns(), path),
      await ColumnAppender.create(connection, "staged_detection_minute", detectionColumns(), path),
      await ColumnAppender.create(connection, "staged_host_minute", hostColumns(), path),
      await ColumnAppender.create(connection, "staged_passed", passedColumns(), path),
      await ColumnAppender.create(connection, "staged_event", eventColumns(), path),
    );
  }

  /** A marked packet; ids are local, length is of the frame on the wire. */
  sighting(frame: number, packet: Timed, flow: number, mark: number, length: number, detail: number): void {
    const { columns, rows } = this.#sightings;
    columns.frame[rows] = frame;
    setWide(columns.time, rows, packet.time);
    columns.flow[rows] = this.#bases.lastFlow + 1 + flow;
    columns.mark[rows] = this.#bases.lastMark + 1 + mark;
    columns.length[rows] = length;
    columns.detail[rows] = detail;
    this.#sightings.advance();
  }

  /** A packet quoted in an ICMP error: it was not on its flow just now, so it has none (flow_id 0). */
  quotedSighting(frame: number, packet: Timed, mark: number, length: number, detail: number): void {
    this.sighting(frame, packet, -1 - this.#bases.lastFlow, mark, length, detail);
  }

  detectionMinute(
    detection: number,
    minute: number,
    trust: number,
    first: number,
    last: number,
    packets: number,
  ): void {
    const { columns, rows } = this.#detections;
    columns.detection[rows] = detection;
    setWide(columns.minute, rows, minuteStart(minute));
    columns.trust[rows] = trust;
    setWide(columns.first, rows, first);
    setWide(columns.last, rows, last);
    columns.packets[rows] = packets;
    this.#detections.advance();
  }

  hostMinute(host: number, minute: number, packets: number, octets: number): void {
    const { columns, rows } = this.#hosts;
    columns.host[rows] = host;
    setWide(columns.minute, rows, minuteStart(minute));
    columns.packets[rows] = packets;
    setWide(columns.octets, rows, octets);
    this.#hosts.advance();
  }

  passed(flow: number, minute: number): void {
    const { columns, rows } = this.#passed;
    columns.flow[rows] = flow;
    setWide(columns.minute, rows, minuteStart(minute));
    this.#passed.advance();
  }

  event(event: EventRow): void {
    const { columns, rows } = this.#events;
    setWide(columns.time, rows, event.time);
    columns.frame[rows] = event.frame;
    columns.prefix[rows] = event.prefix;
    columns.host[rows] = event.host;
    columns.peer[rows] = event.peer;
    columns.tupleKey[rows * 2] = event.tupleKeyLow;
    columns.tupleKey[rows * 2 + 1] = event.tupleKeyHigh;
    columns.protocol[rows] = event.protocol;
    columns.hostPort[rows] = event.ports >>> 16;
    columns.peerPort[rows] = event.ports & 0xffff;
    columns.length[rows] = event.length;
    this.#events.advance();
  }

  close(): void {
    for (const appender of this.#appenders()) appender.close();
  }

  /** To be called before a transaction is rolled back. */
  discard(): void {
    for (const appender of this.#appenders()) appender.discard();
  }

  #appenders(): ColumnAppender[] {
    return [this.#sightings, this.#detections, this.#hosts, this.#passed, this.#events];
  }
}
