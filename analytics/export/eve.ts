/**
 * EVE JSON as Suricata writes it (docs.suricata.io, EVE JSON Format, and its schema.json): detections and marked packets as
 * alerts, flows as flows, stopped packets as drops. The source is always the marking host.
 */
import { createHash } from "node:crypto";
import type { ExportView } from "./export-query.ts";
import { instantOf, isoOf, maybeText, numberOf, secondsOf, textOf } from "./row.ts";
import type { ExportRow, Instant } from "./row.ts";
import { activityCode, endsOf, isStopped, protocolName, severityOf } from "./words.ts";
import type { Severity } from "../../wire/code-book.ts";

/** 1 is the most severe. */
const severityNumbers: Readonly<Record<Severity, number>> = {
  critical: 1,
  high: 2,
  medium: 3,
  low: 4,
  info: 5,
};

/** Signature numbers of marked packets and of decided ones, behind those of activities (0 to 65535). */
const markedPacket = 65_536;
const decidedPacket = 65_537;

/** Undefined for what EVE has no word for. */
export function toEve(view: ExportView, row: ExportRow): object | undefined {
  switch (view) {
    case "detections":
      return detection(row);
    case "flows":
      return flow(row);
    case "sightings":
      return sighting(row);
    case "events":
      return event(row);
    case "hosts":
    case "peers":
    case "network":
    case "captures":
      return undefined;
  }
}

function detection(row: ExportRow): object {
  const attack = maybeText(row, "attack");
  return {
    timestamp: eveTime(instantOf(row, "last_seen")),
    event_type: "alert",
    src_ip: textOf(row, "host"),
    alert: {
      ...signature(activityCode(row), textOf(row, "title"), maybeText(row, "category_title") ?? "unknown"),
      action: "allowed",
      severity: severityNumbers[severityOf(row)],
      metadata: {
        detected_at: [isoOf(instantOf(row, "detected_at"))],
        trust: [textOf(row, "trust")],
        ...(attack === undefined ? {} : { mitre_technique_id: [attack] }),
      },
    },
  };
}

function flow(row: ExportRow): object {
  const first = instantOf(row, "first_seen");
  const last = instantOf(row, "last_seen");
  return {
    timestamp: eveTime(last),
    event_type: "flow",
    ...tuple(row, first),
    flow: {
      pkts_toserver: numberOf(row, "marked_packets"),
      pkts_toclient: numberOf(row, "reply_packets"),
      bytes_toserver: numberOf(row, "marked_octets"),
      bytes_toclient: numberOf(row, "reply_octets"),
      start: eveTime(first),
      end: eveTime(last),
      age: Math.floor(secondsOf(last) - secondsOf(first)),
      state: row["established"] === true ? "established" : "new",
      reason: "unknown",
      alerted: true,
    },
  };
}

function sighting(row: ExportRow): object {
  return {
    timestamp: eveTime(instantOf(row, "time")),
    event_type: "alert",
    ...tuple(row),
    alert: {
      ...signature(markedPacket, "packet with a mark", "flagged host"),
      action: "allowed",
      severity: severityNumbers.medium,
      metadata: { mark: [textOf(row, "option")], carrier: [textOf(row, "carrier")] },
    },
  };
}

function event(row: ExportRow): object {
  const verdict = textOf(row, "verdict");
  const common = { timestamp: eveTime(instantOf(row, "time")), ...tuple(row) };
  if (isStopped(verdict))
    return { ...common, event_type: "drop", drop: { len: numberOf(row, "length"), reason: "rules" } };
  const rule = maybeText(row, "rule");
  return {
    ...common,
    event_type: "alert",
    alert: {
      ...signature(decidedPacket, `packet with a mark: ${verdict}`, "flagged host"),
      action: "allowed",
      severity: severityNumbers.medium,
      metadata: { verdict: [verdict], ...(rule === undefined ? {} : { rule: [rule] }) },
    },
  };
}

function signature(id: number, text: string, category: string): object {
  return { gid: 1, signature_id: id, rev: 1, signature: text, category };
}

/** `2026-05-04T12:00:00.000000+0000` */
function eveTime(time: Instant): string {
  return `${isoOf(time).slice(0, -1)}+0000`;
}

function tuple(row: ExportRow, began?: Instant): object {
  const ends = endsOf(row);
  if (ends === undefined) return { src_ip: textOf(row, "host") };
  const { host, hostPort, peer, peerPort, protocol, communityId } = ends;
  const hasPorts = hostPort !== 0 || peerPort !== 0;
  const name = protocolName(protocol);
  return {
    src_ip: host,
    ...(hasPorts ? { src_port: hostPort } : {}),
    dest_ip: peer,
    ...(hasPorts ? { dest_port: peerPort } : {}),
    proto: name === "ipv6-icmp" ? "IPv6-ICMP" : name.toUpperCase(),
    community_id: communityId,
    ...(began ? { flow_id: flowId(communityId, began) } : {}),
  };
}

/** A number for the flow that a double holds exactly. */
function flowId(id: string, began: Instant): number {
  const digest = createHash("sha1").update(`${id} ${began.microseconds}`).digest();
  return digest.readUIntBE(0, 6);
}
