/**
 * STIX 2.1 (OASIS standard of 10 June 2021) as one bundle: a detection is a sighting of an attack pattern at a host, with
 * observed data; a flow is observed network traffic. Ids are made from the content (UUID version 5, section 2.9), so that
 * who takes in two exports has every object once.
 */
import { createHash } from "node:crypto";
import { instantOf, isoOf, maybeText, numberOf, textOf } from "./row.ts";
import type { ExportRow, Instant } from "./row.ts";
import { activityCode, endsOf, protocolName, versionOf } from "./words.ts";

type StixObject = Readonly<Record<string, unknown>> & { readonly id: string };

/** The standard's, for observables (section 2.9); and one of ours for the rest, which must not use it. */
const namespaces = {
  observables: "00abedb4-aa42-466c-9c01-fed23315a9b7",
  objects: "7f1c2f6e-6c0f-5f0b-9d52-6f5d1b2c9e10",
};

/** Of the objects that are the same in every export. */
const published = "2026-01-01T00:00:00.000Z";
const mostObserved = 999_999_999;

/** A bundle, in parts; what several rows share is in it once. */
export class StixBundle {
  readonly #known = new Set<string>();
  readonly #identity: StixObject;

  constructor() {
    this.#identity = this.#make("identity", "tattle", {
      created: published,
      modified: published,
      name: "tattle",
      identity_class: "system",
    });
  }

  /** `id` tells bundles apart. */
  begin(id: string): string {
    const bundle = uuidOf(namespaces.objects, `bundle ${id}`);
    this.#known.add(this.#identity.id);
    const text = JSON.stringify(this.#identity);
    return `{"type":"bundle","id":"bundle--${bundle}","objects":[\n${text}`;
  }

  /** What a row adds. */
  add(view: "detections" | "flows", row: ExportRow): string {
    const objects = view === "detections" ? this.#detection(row) : this.#flow(row);
    return objects
      .filter(({ id }) => !this.#known.has(id))
      .map((entry) => {
        this.#known.add(entry.id);
        return `,\n${JSON.stringify(entry)}`;
      })
      .join("");
  }

  end(): string {
    return "\n]}\n";
  }

  #detection(row: ExportRow): StixObject[] {
    const address = addressOf(textOf(row, "host"));
    const pattern = this.#attackPattern(row);
    const key = `${textOf(row, "host")} ${isoOf(instantOf(row, "detected_at"))} ${activityCode(row)}`;
    const times = this.#times(instantOf(row, "detected_at"), instantOf(row, "last_seen"));
    const packets = Math.min(Math.max(1, numberOf(row, "packets")), mostObserved);
    const [first, last] = [instantOf(row, "first_seen"), instantOf(row, "last_seen")].map(stixTime);
    const observed = this.#make("observed-data", key, {
      ...times,
      first_observed: first,
      last_observed: last,
      number_observed: packets,
      object_refs: [address.id],
    });
    const sighting = this.#make("sighting", key, {
      ...times,
      first_seen: first,
      last_seen: last,
      count: packets,
      sighting_of_ref: pattern.id,
      observed_data_refs: [observed.id],
      where_sighted_refs: [this.#identity.id],
      description: `${textOf(row, "host")} was flagged: ${textOf(row, "title")} (${textOf(row, "trust")})`,
      confidence: Math.round(numberOf(row, "probability") * 100),
    });
    return [address, pattern, observed, sighting];
  }

  #attackPattern(row: ExportRow): StixObject {
    const attack = maybeText(row, "attack");
    return this.#make("attack-pattern", `activity ${activityCode(row)} ${textOf(row, "title")}`, {
      created: published,
      modified: published,
      created_by_ref: this.#identity.id,
      name: textOf(row, "title"),
      ...(attack === undefined
        ? {}
        : { external_references: [{ source_name: "mitre-attack", external_id: attack }] }),
    });
  }

  #flow(row: ExportRow): StixObject[] {
    const ends = endsOf(row);
    if (ends === undefined) return [];
    const [source, destination] = [addressOf(ends.host), addressOf(ends.peer)];
    const [start, end] = [instantOf(row, "first_seen"), instantOf(row, "last_seen")];
    const hasPorts = ends.hostPort !== 0 || ends.peerPort !== 0;
    const traffic = observable(
      "network-traffic",
      {
        start: stixTime(start),
        end: stixTime(end),
        src_ref: source.id,
        dst_ref: destination.id,
        ...(hasPorts ? { src_port: ends.hostPort, dst_port: ends.peerPort } : {}),
        protocols: [`ipv${versionOf(ends.host)}`, protocolName(ends.protocol)],
      },
      {
        is_active: false,
        src_byte_count: numberOf(row, "marked_octets"),
        dst_byte_count: numberOf(row, "reply_octets"),
        src_packets: numberOf(row, "marked_packets"),
        dst_packets: numberOf(row, "reply_packets"),
      },
    );
    const observed = this.#make("observed-data", `flow ${traffic.id}`, {
      ...this.#times(start, end),
      first_observed: stixTime(start),
      last_observed: stixTime(end),
      number_observed: 1,
      object_refs: [traffic.id, source.id, destination.id],
      external_references: [{ source_name: "community-id", external_id: ends.communityId }],
    });
    return [source, destination, traffic, observed];
  }

  /** A detection that the host's clock puts behind its packets was not modified before it was created. */
  #times(created: Instant, modified: Instant): object {
    const [first, last] = [created, modified].map(({ microseconds }) => microseconds);
    const later = Math.max(first ?? 0, last ?? 0);
    return {
      created: stixTime(created),
      modified: stixTime({ microseconds: later }),
      created_by_ref: this.#identity.id,
    };
  }

  #make(type: string, key: string, properties: object): StixObject {
    const id = `${type}--${uuidOf(namespaces.objects, `${type} ${key}`)}`;
    return { type, spec_version: "2.1", id, ...properties };
  }
}

function addressOf(value: string): StixObject {
  return observable(`ipv${versionOf(value)}-addr`, { value }, {});
}

/** An observable, whose id is made from the properties that the standard names for its type. */
function observable(
  type: string,
  identifying: Readonly<Record<string, unknown>>,
  others: object,
): StixObject {
  const id = `${type}--${uuidOf(namespaces.observables, canonical(identifying))}`;
  return { type, spec_version: "2.1", id, ...identifying, ...others };
}

/** JSON with its members in order and no spaces (RFC 8785); these values are flat. */
function canonical(value: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(Object.fromEntries(members));
}

/** UUID version 5 (RFC 9562 section 5.5). */
function uuidOf(namespace: string, name: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** To the millisecond: section 3.2 asks it of created and modified. */
function stixTime({ microseconds }: Instant): string {
  return new Date(Math.floor(microseconds / 1000)).toISOString();
}
