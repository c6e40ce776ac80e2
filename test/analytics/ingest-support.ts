/** Ingestion in tests: packets in text-like fields, frames straight into a sink, and the evidence as canonical rows. */
import type { CaptureInterface, CaptureSummary, FrameSink } from "../../capture/frame-sink.ts";
import type { Database, DatabaseOptions } from "../../analytics/database.ts";
import { expect } from "vitest";
import { openDatabase } from "../../analytics/database.ts";
import { ingestFrames } from "../../analytics/ingest/ingest-frames.ts";
import type { FrameIngestOptions } from "../../analytics/ingest/ingest-frames.ts";
import type { CaptureReport } from "../../analytics/store.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { joinOctets, markOption, tcpPacket } from "../support/segment.ts";

/** 2026-01-01T00:00:00Z, on a minute's start. */
export const midnight = 1_767_225_600;

/** Detected a minute before midnight: category 2, activity 1. */
export const detection: DetectionRecord = { detectedAt: midnight - 60, category: 2, activity: 1 };

export interface TestFrame {
  readonly octets: Uint8Array;
  /** Seconds since 1970; fractions to the microsecond. */
  readonly time: number;
  readonly interface?: CaptureInterface;
  readonly originalLength?: number;
}

/** An interface whose times are seconds and microseconds, as in a classic pcap. */
export function testInterface(linkType: number, index = 0): CaptureInterface {
  return {
    index,
    linkType,
    snapLength: 0,
    clock: { resolution: 6, offsetSeconds: 0, isSplit: true },
    microseconds: (high, low) => high * 1_000_000 + low,
  };
}

const rawInterface = testInterface(linkTypes.raw);

export interface Segment {
  /** `address:port`, IPv4. */
  readonly from: string;
  readonly to: string;
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  /** Octets. */
  readonly payload?: number;
  readonly marks?: readonly DetectionRecord[];
  /** Seconds after midnight. */
  readonly at?: number;
}

/** A raw IP frame with one TCP segment. */
export function segment(fields: Segment): TestFrame {
  const [source = "", sourcePort] = fields.from.split(":");
  const [destination = "", destinationPort] = fields.to.split(":");
  return {
    time: midnight + (fields.at ?? 0),
    octets: tcpPacket(
      { source, destination },
      {
        sourcePort: Number(sourcePort),
        destinationPort: Number(destinationPort),
        sequence: (fields.sequence ?? 0) >>> 0,
        acknowledgment: (fields.acknowledgment ?? 0) >>> 0,
        flags: fields.flags ?? "A",
        payload: new Uint8Array(fields.payload ?? 0),
        ...(fields.marks === undefined ? {} : { options: markOption(fields.marks) }),
      },
    ),
  };
}

export interface Conversation {
  readonly host?: string;
  readonly peer?: string;
  readonly marks?: readonly DetectionRecord[];
  /** Octets that the host sends, and those that the peer sends back. */
  readonly sends?: number;
  readonly receives?: number;
  readonly at?: number;
  readonly sequence?: number;
  readonly peerSequence?: number;
}

/** A whole connection of a flagged host to a peer: handshake, a request, an answer, a last acknowledgment. */
export function conversation(fields: Conversation = {}): TestFrame[] {
  const from = fields.host ?? "10.0.0.1:40000";
  const to = fields.peer ?? "192.0.2.9:443";
  const { marks = [detection], sends = 100, receives = 200, at = 0 } = fields;
  const x = fields.sequence ?? 1000;
  const y = fields.peerSequence ?? 5000;
  const ours = { from, to, marks };
  const theirs = { from: to, to: from };
  return [
    segment({ ...ours, flags: "S", sequence: x, at }),
    segment({ ...theirs, flags: "SA", sequence: y, acknowledgment: x + 1, at: at + 0.1 }),
    segment({ ...ours, sequence: x + 1, acknowledgment: y + 1, at: at + 0.2 }),
    segment({ ...ours, sequence: x + 1, acknowledgment: y + 1, payload: sends, at: at + 0.3 }),
    segment({
      ...theirs,
      sequence: y + 1,
      acknowledgment: x + 1 + sends,
      payload: receives,
      at: at + 0.4,
    }),
    segment({ ...ours, sequence: x + 1 + sends, acknowledgment: y + 1 + receives, at: at + 0.5 }),
  ];
}

/** Hands frames over as a reader would: one buffer that is reused, so that nothing may be kept of it. */
export function drive(
  frames: readonly TestFrame[],
  outcome: CaptureSummary["outcome"] = { state: "complete" },
): (sink: FrameSink) => Promise<CaptureSummary> {
  return (sink) => {
    const buffer = new Uint8Array(Math.max(64, ...frames.map((frame) => frame.octets.length)) + 64);
    sink.useBuffer(buffer, new DataView(buffer.buffer));
    const interfaces = new Map<number, CaptureInterface>();
    for (const { octets, time, interface: source = rawInterface, originalLength } of frames) {
      interfaces.set(source.index, source);
      const seconds = Math.floor(time);
      buffer.fill(0xa5);
      buffer.set(octets, 32);
      const microseconds = Math.round((time - seconds) * 1_000_000);
      sink.frame(32, octets.length, originalLength ?? octets.length, seconds, microseconds, source);
    }
    return Promise.resolve({
      outcome,
      format: "pcap",
      octets: frames.reduce((sum, frame) => sum + frame.octets.length, 24),
      frames: frames.length,
      gaps: [],
      interfaces: [...interfaces.values()],
      names: new Map(),
    });
  };
}

export class TestDatabase {
  readonly database: Database;

  private constructor(database: Database) {
    this.database = database;
  }

  static async open(path = ":memory:", options: DatabaseOptions = {}): Promise<TestDatabase> {
    return new TestDatabase(await openDatabase(path, { seed: "0".repeat(32), ...options }));
  }

  ingest(
    frames: readonly TestFrame[],
    name = "test.pcap",
    options: Partial<FrameIngestOptions> = {},
  ): Promise<CaptureReport> {
    return ingestFrames(this.database, name, drive(frames), {
      ingestedAt: (midnight + 3600) * 1_000_000,
      ...options,
    });
  }

  /** Rows as text, columns joined by blanks. */
  async rows(sql: string): Promise<string[]> {
    const reader = await this.database.read((connection) => connection.runAndReadAll(sql));
    return reader.getRows().map((row) => row.map(String).join(" "));
  }

  /** What the database knows, without its ids: the same whatever the order of ingestion. */
  async evidence(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    // However it came to be: by captures in any order, by one that grew, by one that was checked again.
    expect(await this.rows(wrongSums)).toEqual([]);
    for (const [name, sql] of Object.entries(canonical)) found[name] = await this.rows(sql);
    return found;
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

const sumsOf = (table: string, span: string): string =>
  `SELECT address, detected_at, category, activity, ${span}, trust, first_seen, last_seen, packets
    FROM detection JOIN ${table} USING (detection_id) JOIN host USING (host_id) ORDER BY ALL`;

/** Sums over all times that are not those of the minutes. */
const wrongSums = `
  WITH right_sum AS (
    SELECT detection_id, trust, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(packets)::UBIGINT AS packets
    FROM detection_minute GROUP BY ALL
  )
  (FROM detection_sum EXCEPT ALL FROM right_sum) UNION ALL (FROM right_sum EXCEPT ALL FROM detection_sum)`;

const canonical = {
  captures:
    "SELECT name, content_id, state, packets, marked_packets, first_packet, last_packet FROM capture ORDER BY ALL",
  hosts: "SELECT address FROM host ORDER BY ALL",
  detections: `SELECT address, detected_at, category, activity, minute, trust, first_seen, last_seen, packets
    FROM detection JOIN detection_minute USING (detection_id) JOIN host USING (host_id) ORDER BY ALL`,
  marks: "SELECT address, kind, hex(option) FROM mark JOIN host USING (host_id) ORDER BY ALL",
  flows: `SELECT flow_key, tuple_key, host.address, peer.address, flow_seen.* EXCLUDE (flow_id, capture_id, host_id, peer_id)
    FROM flow_seen JOIN host USING (host_id) JOIN host AS peer ON peer.host_id = peer_id ORDER BY ALL`,
  passed:
    "SELECT flow_key, tuple_key, address, minute FROM flow_passed JOIN host USING (host_id) ORDER BY ALL",
  events: `SELECT time, frame, verdict, rule, host.address, peer.address, tuple_key, host_port, peer_port, length
    FROM enforcement_event JOIN host USING (host_id) JOIN host AS peer ON peer.host_id = peer_id ORDER BY ALL`,
  sightings: `SELECT capture.name, frame, time, hex(option), flow_key, length, detail
    FROM sighting JOIN capture USING (capture_id) JOIN mark USING (mark_id) LEFT JOIN flow_seen USING (flow_id) ORDER BY ALL`,
  activity: `SELECT address, minute, marked_packets, marked_octets FROM host_minute JOIN host USING (host_id) ORDER BY ALL`,
  detectionHours: sumsOf("detection_hour", "hour"),
  detectionDays: sumsOf("detection_day", "day"),
  activityHours: `SELECT address, hour, marked_packets, marked_octets FROM host_hour JOIN host USING (host_id) ORDER BY ALL`,
  activityDays: `SELECT address, day, marked_packets, marked_octets FROM host_day JOIN host USING (host_id) ORDER BY ALL`,
  names: "SELECT address, name FROM captured_name ORDER BY ALL",
  unmarked: `SELECT address, first_unmarked, last_unmarked, packets
    FROM unmarked_run JOIN host USING (host_id) ORDER BY ALL`,
  pairs: `SELECT host.address, peer.address, first_contact
    FROM pair JOIN host USING (host_id) JOIN host AS peer ON peer.host_id = peer_id ORDER BY ALL`,
  peers: `SELECT address, minute, sum(peers) FROM peer_minute JOIN host USING (host_id)
    GROUP BY ALL HAVING sum(peers) <> 0 ORDER BY ALL`,
  peerHours: `SELECT address, hour, sum(peers) FROM peer_hour JOIN host USING (host_id)
    GROUP BY ALL HAVING sum(peers) <> 0 ORDER BY ALL`,
  peerDays: `SELECT address, day, sum(peers) FROM peer_day JOIN host USING (host_id)
    GROUP BY ALL HAVING sum(peers) <> 0 ORDER BY ALL`,
};

/** Octets as an NFLOG frame (link type 239): a prefix and the packet, as libnetfilter_log hands them over. */
export function nflogFrame(prefix: string, packet: Uint8Array): Uint8Array {
  return joinOctets([2, 0, 0, 0], attribute(10, Buffer.from(`${prefix}\0`)), attribute(9, packet));
}

function attribute(type: number, value: Uint8Array): Uint8Array {
  const length = value.length + 4;
  const padding = new Uint8Array((4 - (length % 4)) % 4);
  return joinOctets([length & 255, length >> 8, type, 0], value, padding);
}
