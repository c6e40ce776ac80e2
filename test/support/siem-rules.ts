/**
 * What the published specifications require of the objects that tattle exports, named field by field: no package of npm
 * has the schemas. Each check returns what is wrong, in words.
 *
 *   EVE    docs.suricata.io, EVE JSON Format (common section, alert, flow, drop) and the schema.json of its sources
 *   ECS    elastic.co/guide/en/ecs 8.11: base, event (allowed values), source, destination, network, host, threat
 *   OCSF   schema.ocsf.io 1.7.0: Detection Finding, Network Activity, and the objects inside
 *   STIX   OASIS STIX 2.1: sections 2.9, 3.2, 3.6, 4.1, 4.5, 4.14, 5.2, 6.4, 6.10, 6.12, 8
 */
export type Json = Readonly<Record<string, unknown>>;

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const eveTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$/;
const stixTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const communityId = /^1:[A-Za-z0-9+/]{27}=$/;

type Rule = (value: unknown) => boolean;
/** A number, for a comparison; of anything else a comparison is false. */
const number = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);
const text: Rule = (value) => typeof value === "string" && value !== "";
const whole: Rule = (value) => Number.isSafeInteger(value) && number(value) >= 0;
const matching =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const oneOf =
  (...values: unknown[]): Rule =>
  (value) =>
    values.includes(value);
const listOf =
  (rule: Rule): Rule =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(rule);

/** Rules by path; a path that ends with ? may be absent. */
function breaches(object: Json, rules: Record<string, Rule>): string[] {
  return Object.entries(rules).flatMap(([path, rule]) => {
    const name = path.replace("?", "");
    const value = name
      .split(".")
      .reduce<unknown>((inside, key) => (inside as Json | undefined)?.[key], object);
    if (value === undefined) return path.endsWith("?") ? [] : [`${name} is missing`];
    return rule(value) ? [] : [`${name} is ${JSON.stringify(value)}`];
  });
}

export function breachesOfEve(event: Json): string[] {
  const common = {
    timestamp: matching(eveTime),
    event_type: oneOf("alert", "flow", "drop"),
    src_ip: text,
    "src_port?": whole,
    "dest_ip?": text,
    "dest_port?": whole,
    "proto?": text,
    "community_id?": matching(communityId),
    "flow_id?": whole,
  };
  const own: Record<string, Record<string, Rule>> = {
    alert: {
      "alert.action": oneOf("allowed", "blocked"),
      "alert.gid": whole,
      "alert.signature_id": whole,
      "alert.rev": whole,
      "alert.signature": text,
      "alert.category": text,
      "alert.severity": (value) => whole(value) && number(value) >= 1 && number(value) <= 255,
      "alert.metadata": (value) => Object.values(value as Json).every(listOf(text)),
    },
    flow: {
      "flow.pkts_toserver": whole,
      "flow.pkts_toclient": whole,
      "flow.bytes_toserver": whole,
      "flow.bytes_toclient": whole,
      "flow.start": matching(eveTime),
      "flow.end": matching(eveTime),
      "flow.age": whole,
      "flow.state": oneOf("new", "established", "closed", "bypassed"),
      "flow.reason": oneOf("timeout", "forced", "shutdown", "unknown"),
      dest_ip: text,
      proto: text,
      flow_id: whole,
    },
    drop: { "drop.len": whole, "drop.reason": text },
  };
  return breaches(event, { ...common, ...own[String(event["event_type"])] });
}

export function breachesOfEcs(document: Json): string[] {
  const types = ["access", "allowed", "change", "connection", "denied", "end", "indicator", "info", "start"];
  return breaches(document, {
    "@timestamp": matching(iso),
    "ecs.version": matching(/^8\.\d+\.\d+$/),
    "event.kind": oneOf("alert", "event", "state"),
    "event.category": listOf(oneOf("network", "host", "intrusion_detection")),
    "event.type": listOf(oneOf(...types)),
    "event.module": oneOf("tattle"),
    "event.dataset": matching(/^tattle\.[a-z]+$/),
    "event.severity?": whole,
    "event.risk_score?": (value) => number(value) >= 0 && number(value) <= 100,
    "source.ip?": text,
    "source.port?": whole,
    "destination.ip?": text,
    "destination.port?": whole,
    "network.community_id?": matching(communityId),
    "network.transport?": matching(/^[a-z0-9-]+$/),
    "network.type?": oneOf("ipv4", "ipv6"),
    "network.iana_number?": text,
    "host.ip": listOf(text),
    "host.risk.calculated_score_norm?": (value) => number(value) >= 0 && number(value) <= 100,
    "related.ip": listOf(text),
    "threat.framework?": oneOf("MITRE ATT&CK"),
    "threat.technique.id?": listOf(matching(/^T\d{4}$/)),
    "threat.technique.subtechnique.id?": listOf(matching(/^T\d{4}\.\d{3}$/)),
  });
}

export function breachesOfOcsf(event: Json): string[] {
  const isFinding = event["class_uid"] === 2004;
  const common = {
    class_uid: oneOf(2004, 4001),
    category_uid: oneOf(isFinding ? 2 : 4),
    activity_id: isFinding ? oneOf(1, 2, 3) : oneOf(1, 2, 3, 4, 5, 6, 7),
    type_uid: oneOf(number(event["class_uid"]) * 100 + number(event["activity_id"])),
    time: (value: unknown) => whole(value) && number(value) > 1e12,
    severity_id: oneOf(0, 1, 2, 3, 4, 5, 6),
    "metadata.version": oneOf("1.7.0"),
    "metadata.product.name": text,
    "metadata.product.vendor_name": text,
  };
  const finding = {
    "finding_info.uid": text,
    "finding_info.title": text,
    "finding_info.attacks?": listOf(
      (attack) => breaches(attack as Json, { "technique.uid": matching(/^T\d{4}$/) }).length === 0,
    ),
    "confidence_id?": oneOf(0, 1, 2, 3),
    "risk_level_id?": oneOf(0, 1, 2, 3, 4),
    resources: listOf((resource) => text((resource as Json)["uid"])),
  };
  const network = {
    "src_endpoint.ip": text,
    "dst_endpoint.ip?": text,
    "connection_info.direction_id?": oneOf(0, 1, 2, 3),
    "connection_info.protocol_num?": whole,
    "connection_info.protocol_ver_id?": oneOf(4, 6),
    "connection_info.community_uid?": matching(communityId),
    action_id: oneOf(0, 1, 2, 3, 4),
    disposition_id: oneOf(1, 2, 6, 11, 17),
    "metadata.profiles": listOf(oneOf("security_control")),
    "traffic.bytes": whole,
  };
  return breaches(event, { ...common, ...(isFinding ? finding : network) });
}

/** Of a whole bundle: each object, and that what objects refer to is in it. */
export function breachesOfStix(bundle: Json): string[] {
  const objects = bundle["objects"] as Json[];
  const ids = new Set<unknown>(objects.map((object) => object["id"]));
  const reference =
    (...types: string[]): Rule =>
    (value) =>
      ids.has(value) && types.some((type) => String(value).startsWith(`${type}--`));
  const domain = { created: matching(stixTime), modified: matching(stixTime) };
  const byTattle = { ...domain, created_by_ref: reference("identity") };
  const count: Rule = (value) => whole(value) && number(value) >= 1 && number(value) <= 999_999_999;
  const rules: Record<string, Record<string, Rule>> = {
    identity: { ...domain, name: text, identity_class: oneOf("system") },
    "ipv4-addr": { value: matching(/^\d+\.\d+\.\d+\.\d+$/) },
    "ipv6-addr": { value: matching(/:/) },
    "attack-pattern": {
      ...byTattle,
      name: text,
      "external_references?": listOf(
        (entry) => breaches(entry as Json, { source_name: text, external_id: text }).length === 0,
      ),
    },
    "observed-data": {
      ...byTattle,
      first_observed: matching(stixTime),
      last_observed: matching(stixTime),
      number_observed: count,
      object_refs: listOf(reference("ipv4-addr", "ipv6-addr", "network-traffic")),
    },
    sighting: {
      ...byTattle,
      sighting_of_ref: reference("attack-pattern"),
      observed_data_refs: listOf(reference("observed-data")),
      where_sighted_refs: listOf(reference("identity")),
      first_seen: matching(stixTime),
      last_seen: matching(stixTime),
      count,
      confidence: (value) => whole(value) && number(value) <= 100,
    },
    "network-traffic": {
      protocols: listOf(matching(/^[a-z0-9-]+$/)),
      src_ref: reference("ipv4-addr", "ipv6-addr"),
      dst_ref: reference("ipv4-addr", "ipv6-addr"),
      start: matching(stixTime),
      end: matching(stixTime),
      is_active: oneOf(false),
      "src_port?": (value) => whole(value) && number(value) <= 65_535,
      "dst_port?": (value) => whole(value) && number(value) <= 65_535,
    },
  };
  const wrong = objects.flatMap((object) => {
    const type = String(object["type"]);
    const common = {
      type: oneOf(...Object.keys(rules)),
      spec_version: oneOf("2.1"),
      id: matching(new RegExp(`^${type}--${uuid}$`)),
    };
    const late =
      String(object["modified"]) < String(object["created"]) ? ["modified before it was created"] : [];
    return [...breaches(object, { ...common, ...rules[type] }), ...late].map(
      (breach) => `${type}: ${breach}`,
    );
  });
  if (ids.size !== objects.length) wrong.push("an id comes twice");
  return [
    ...breaches(bundle, { type: oneOf("bundle"), id: matching(new RegExp(`^bundle--${uuid}$`)) }),
    ...wrong,
  ];
}
