/**
 * Elastic Common Schema 8 (elastic.co/guide/en/ecs, field reference): the risk of hosts, detections as alerts, flows,
 * marked packets and decisions as network events. The source is always the marking host.
 */
import type { ExportView } from "./export-query.ts";
import { instantOf, isoOf, maybeNumber, maybeText, numberOf, textOf } from "./row.ts";
import type { ExportRow, Instant } from "./row.ts";
import { activityCode, endsOf, isStopped, protocolName, severityOf, versionOf } from "./words.ts";
import { severities } from "../../wire/code-book.ts";

const ecsVersion = "8.11.0";

/** Undefined for what has no place there. */
export function toEcs(view: ExportView, row: ExportRow): object | undefined {
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

interface EventFields {
  readonly kind: "alert" | "event" | "state";
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly dataset: string;
  readonly [name: string]: unknown;
}

function document(time: Instant, event: EventFields, fields: object): object {
  return {
    "@timestamp": isoOf(time),
    ecs: { version: ecsVersion },
    event: { module: "tattle", ...event },
    ...fields,
  };
}

function hostFields(row: ExportRow): { ip: string[]; name?: string } {
  const name = maybeText(row, "host_name");
  return { ip: [textOf(row, "host")], ...(name === undefined ? {} : { name }) };
}

function host(row: ExportRow): object {
  const score = maybeNumber(row, "score");
  const risk =
    score === undefined
      ? {}
      : {
          risk: {
            calculated_score: score,
            calculated_score_norm: score,
            calculated_level: textOf(row, "band"),
          },
        };
  const activities = maybeText(row, "activities") ?? "";
  return document(
    instantOf(row, "as_of"),
    {
      kind: "state",
      category: ["host"],
      type: ["info"],
      dataset: "tattle.hosts",
      ...(score === undefined ? {} : { risk_score: score }),
    },
    {
      message: `flagged for ${activities}`,
      host: { ...hostFields(row), ...risk },
      related: { ip: [textOf(row, "host")] },
      ...threat((maybeText(row, "attack") ?? "").split("; ")),
    },
  );
}

function detection(row: ExportRow): object {
  const attack = maybeText(row, "attack");
  return document(
    instantOf(row, "last_seen"),
    {
      kind: "alert",
      category: ["intrusion_detection"],
      type: ["info"],
      dataset: "tattle.detections",
      severity: severities.indexOf(severityOf(row)) + 1,
      start: isoOf(instantOf(row, "first_seen")),
      end: isoOf(instantOf(row, "last_seen")),
      created: isoOf(instantOf(row, "detected_at")),
      risk_score: Math.round(numberOf(row, "probability") * 1000) / 10,
    },
    {
      message: textOf(row, "title"),
      host: hostFields(row),
      source: { ip: textOf(row, "host") },
      rule: {
        id: String(activityCode(row)),
        name: textOf(row, "title"),
        category: maybeText(row, "category_title") ?? "unknown",
        ruleset: "tattle",
      },
      related: { ip: [textOf(row, "host")] },
      labels: { trust: textOf(row, "trust") },
      ...threat(attack === undefined ? [] : [attack]),
    },
  );
}

/** `T1204.002` is a sub-technique of `T1204`. */
function threat(attacks: readonly string[]): object {
  const known = attacks.filter((attack) => attack !== "");
  if (known.length === 0) return {};
  const techniques = [...new Set(known.map((attack) => attack.split(".")[0] ?? attack))];
  const below = known.filter((attack) => attack.includes("."));
  return {
    threat: {
      framework: "MITRE ATT&CK",
      technique: { id: techniques, ...(below.length === 0 ? {} : { subtechnique: { id: below } }) },
    },
  };
}

function flow(row: ExportRow): object {
  const outcome = textOf(row, "outcome");
  const [marked, replies] = [numberOf(row, "marked_packets"), numberOf(row, "reply_packets")];
  const [sent, received] = [numberOf(row, "marked_octets"), numberOf(row, "reply_octets")];
  const state = outcome === "stopped" ? ["denied"] : outcome === "passed" ? ["allowed"] : [];
  return document(
    instantOf(row, "last_seen"),
    {
      kind: "event",
      category: ["network"],
      type: ["connection", ...state],
      dataset: "tattle.flows",
      action: outcome,
      start: isoOf(instantOf(row, "first_seen")),
      end: isoOf(instantOf(row, "last_seen")),
    },
    {
      ...ends(row, { packets: marked, bytes: sent }, { packets: replies, bytes: received }),
      host: hostFields(row),
    },
  );
}

function sighting(row: ExportRow): object {
  return document(
    instantOf(row, "time"),
    { kind: "event", category: ["network"], type: ["info"], dataset: "tattle.sightings" },
    {
      ...ends(row, { packets: 1, bytes: numberOf(row, "length") }),
      host: { ip: [textOf(row, "host")] },
      labels: { mark: textOf(row, "option"), carrier: textOf(row, "carrier") },
    },
  );
}

function decision(row: ExportRow): object {
  const verdict = textOf(row, "verdict");
  const rule = maybeText(row, "rule");
  const agent = maybeText(row, "agent");
  const id = maybeText(row, "event_id");
  return document(
    instantOf(row, "time"),
    {
      kind: "event",
      category: ["network"],
      type: [isStopped(verdict) ? "denied" : verdict === "accept" ? "allowed" : "change"],
      dataset: "tattle.events",
      action: verdict,
      ...(id === undefined ? {} : { id }),
    },
    {
      ...ends(row, { packets: 1, bytes: numberOf(row, "length") }),
      host: hostFields(row),
      ...(rule === undefined ? {} : { rule: { name: rule, ruleset: "tattle" } }),
      ...(agent === undefined ? {} : { observer: { name: agent, vendor: "tattle", type: "firewall" } }),
    },
  );
}

function ends(row: ExportRow, sent: object, received: object = {}): object {
  const found = endsOf(row);
  const address = textOf(row, "host");
  if (found === undefined) return { source: { ip: address, ...sent }, related: { ip: [address] } };
  const { host: ip, hostPort, peer, peerPort, protocol, communityId } = found;
  const hasPorts = hostPort !== 0 || peerPort !== 0;
  return {
    source: { ip, ...(hasPorts ? { port: hostPort } : {}), ...sent },
    destination: { ip: peer, ...(hasPorts ? { port: peerPort } : {}), ...received },
    network: {
      type: `ipv${versionOf(ip)}`,
      transport: protocolName(protocol),
      iana_number: String(protocol),
      community_id: communityId,
    },
    related: { ip: [ip, peer] },
  };
}
