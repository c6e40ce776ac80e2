/**
 * Open Cybersecurity Schema Framework 1.7.0 (schema.ocsf.io): hosts and detections as Detection Finding (2004), flows,
 * marked packets and decisions as Network Activity (4001). The source is always the marking host.
 */
import type { ExportView } from "./export-query.ts";
import { instantOf, isInstant, isoOf, maybeNumber, maybeText, numberOf, textOf } from "./row.ts";
import type { ExportRow, Instant } from "./row.ts";
import { activityCode, endsOf, protocolName, severityOf, versionOf } from "./words.ts";
import { severities } from "../../wire/code-book.ts";
import type { Band } from "../store.ts";

const ocsfVersion = "1.7.0";

const classes = {
  finding: { category_uid: 2, category_name: "Findings", class_uid: 2004, class_name: "Detection Finding" },
  network: {
    category_uid: 4,
    category_name: "Network Activity",
    class_uid: 4001,
    class_name: "Network Activity",
  },
} as const;

/** Undefined for what has no class there. */
export function toOcsf(view: ExportView, row: ExportRow): object | undefined {
  switch (view) {
    case "hosts":
      return host(row);
    case "detections":
      return detection(row);
    case "flows":
      return flow(row);
    case "sightings":
      return sighting(row);
    case "events":
      return decision(row);
    case "peers":
    case "network":
    case "captures":
      return undefined;
  }
}

function base(kind: keyof typeof classes, activity: number, time: Instant, severity: number): object {
  const { class_uid: classId } = classes[kind];
  return {
    ...classes[kind],
    activity_id: activity,
    type_uid: classId * 100 + activity,
    time: milliseconds(time),
    severity_id: severity,
    metadata: {
      version: ocsfVersion,
      product: { name: "tattle", vendor_name: "tattle" },
      ...(kind === "network" ? { profiles: ["security_control"] } : {}),
    },
  };
}

function milliseconds({ microseconds }: Instant): number {
  return Math.floor(microseconds / 1000);
}

function severityId(row: ExportRow): number {
  return severities.indexOf(severityOf(row)) + 1;
}

function host(row: ExportRow): object {
  const address = textOf(row, "host");
  const score = maybeNumber(row, "score");
  const first = row["first_detected"];
  return {
    ...base("finding", 2, instantOf(row, "as_of"), severityId(row)),
    message: `${address} is flagged for ${maybeText(row, "activities") ?? "nothing that counts"}`,
    finding_info: {
      uid: `host ${address}`,
      title: "Flagged host",
      ...(isInstant(first) ? { first_seen_time: milliseconds(first) } : {}),
      last_seen_time: milliseconds(instantOf(row, "last_seen")),
      ...attacks((maybeText(row, "attack") ?? "").split("; ")),
    },
    ...(score === undefined
      ? {}
      : {
          risk_score: Math.round(score),
          risk_level: textOf(row, "band"),
          risk_level_id: riskLevel(textOf(row, "band")),
        }),
    ...resources(row),
  };
}

const riskLevels: Readonly<Record<Band, number>> = { minimal: 0, low: 1, moderate: 2, high: 3, critical: 4 };

/** 0 informational to 4 critical: as many levels as there are bands. */
function riskLevel(band: string): number {
  return riskLevels[band as Band];
}

function detection(row: ExportRow): object {
  const address = textOf(row, "host");
  const detectedAt = instantOf(row, "detected_at");
  const attack = maybeText(row, "attack");
  const trust = textOf(row, "trust");
  return {
    ...base("finding", 1, instantOf(row, "last_seen"), severityId(row)),
    message: textOf(row, "title"),
    finding_info: {
      uid: `${address} ${isoOf(detectedAt)} ${activityCode(row)}`,
      title: textOf(row, "title"),
      types: [maybeText(row, "category_title") ?? "unknown"],
      created_time: milliseconds(detectedAt),
      first_seen_time: milliseconds(instantOf(row, "first_seen")),
      last_seen_time: milliseconds(instantOf(row, "last_seen")),
      ...attacks(attack === undefined ? [] : [attack]),
    },
    confidence_id: trust === "verified" ? 3 : trust === "established" ? 2 : 1,
    confidence: trust,
    count: numberOf(row, "packets"),
    evidences: [{ src_endpoint: { ip: address } }],
    ...resources(row),
  };
}

function attacks(known: readonly string[]): object {
  const named = known.filter((attack) => attack !== "");
  if (named.length === 0) return {};
  return {
    attacks: named.map((attack) => {
      const [technique = attack] = attack.split(".");
      const below = attack === technique ? {} : { sub_technique: { uid: attack } };
      return { technique: { uid: technique }, ...below };
    }),
  };
}

function resources(row: ExportRow): object {
  const name = maybeText(row, "host_name");
  return { resources: [{ uid: textOf(row, "host"), type: "host", ...(name === undefined ? {} : { name }) }] };
}

/** Of the security control profile: action and disposition. */
const dispositions = {
  accept: { action_id: 1, disposition_id: 1 },
  drop: { action_id: 2, disposition_id: 6 },
  reject: { action_id: 2, disposition_id: 2 },
  alter: { action_id: 4, disposition_id: 11 },
  strip: { action_id: 4, disposition_id: 11 },
  unknown: { action_id: 3, disposition_id: 17 },
} as const;

function dispositionOf(verdict: string): object {
  switch (verdict) {
    case "accept":
    case "drop":
    case "reject":
    case "alter":
    case "strip":
      return { ...dispositions[verdict], action: verdict };
    default:
      return dispositions.unknown;
  }
}

function flow(row: ExportRow): object {
  const outcome = textOf(row, "outcome");
  const verdict = outcome === "stopped" ? "drop" : outcome === "passed" ? "accept" : "";
  const [sent, received] = [numberOf(row, "marked_octets"), numberOf(row, "reply_octets")];
  const [marked, replies] = [numberOf(row, "marked_packets"), numberOf(row, "reply_packets")];
  return {
    ...base("network", 6, instantOf(row, "last_seen"), 1),
    start_time: milliseconds(instantOf(row, "first_seen")),
    end_time: milliseconds(instantOf(row, "last_seen")),
    ...endpoints(row),
    traffic: {
      bytes_out: sent,
      bytes_in: received,
      bytes: sent + received,
      packets_out: marked,
      packets_in: replies,
      packets: marked + replies,
    },
    ...dispositionOf(verdict),
    status_detail: outcome,
  };
}

function sighting(row: ExportRow): object {
  const length = numberOf(row, "length");
  return {
    ...base("network", 6, instantOf(row, "time"), 1),
    ...endpoints(row),
    traffic: { bytes_out: length, bytes: length, packets_out: 1, packets: 1 },
    ...dispositionOf(""),
    unmapped: { mark: textOf(row, "option"), carrier: textOf(row, "carrier") },
  };
}

function decision(row: ExportRow): object {
  const verdict = textOf(row, "verdict");
  const rule = maybeText(row, "rule");
  const agent = maybeText(row, "agent");
  const length = numberOf(row, "length");
  return {
    ...base("network", verdict === "drop" || verdict === "reject" ? 5 : 6, instantOf(row, "time"), 1),
    ...endpoints(row),
    traffic: { bytes_out: length, bytes: length, packets_out: 1, packets: 1 },
    ...dispositionOf(verdict),
    ...(rule === undefined ? {} : { firewall_rule: { name: rule, uid: rule } }),
    ...(agent === undefined ? {} : { unmapped: { agent } }),
  };
}

function endpoints(row: ExportRow): object {
  const found = endsOf(row);
  if (found === undefined) return { src_endpoint: { ip: textOf(row, "host") } };
  const { host: ip, hostPort, peer, peerPort, protocol, communityId } = found;
  const hasPorts = hostPort !== 0 || peerPort !== 0;
  return {
    src_endpoint: { ip, ...(hasPorts ? { port: hostPort } : {}) },
    dst_endpoint: { ip: peer, ...(hasPorts ? { port: peerPort } : {}) },
    connection_info: {
      direction_id: 0,
      protocol_num: protocol,
      protocol_name: protocolName(protocol),
      protocol_ver_id: versionOf(ip),
      community_uid: communityId,
    },
  };
}
