/**
 * Evidence of one host as plain values: put into a database's tables on one side, scored by a second, independent
 * reading of docs/explanation/ranking.md on the other. Times are whole seconds since 1970.
 */
import type { DuckDBConnection } from "@duckdb/node-api";

export const trusts = ["lone", "established", "verified", "implausible", "invalid"] as const;

export interface ModelSight {
  readonly time: number;
  readonly trust: (typeof trusts)[number];
}

export interface ModelDetection {
  readonly detectedAt: number;
  readonly category: number;
  readonly activity: number;
  readonly sights: readonly ModelSight[];
}

export interface ModelFlow {
  /** Minutes in which the peer acknowledged octets: times of their beginnings. */
  readonly passed: readonly number[];
  readonly drops: readonly number[];
}

export interface ModelHost {
  readonly weight: number;
  readonly detections: readonly ModelDetection[];
  readonly flows: readonly ModelFlow[];
  /** When each peer was reached first. */
  readonly peers: readonly number[];
}

/** s of the default code book's activities used in tests, and H of their categories. */
export interface Weights {
  readonly severity: (category: number, activity: number) => number;
  readonly halfLifeHours: (category: number) => number;
}

const qualities: Readonly<Record<ModelSight["trust"], number>> = {
  lone: 0.2,
  established: 0.6,
  verified: 1,
  implausible: 0,
  invalid: 0,
};

/** By the other side's answers, or by a tag. */
const isBorneOut = (trust: ModelSight["trust"]): boolean => trust === "established" || trust === "verified";

const minute = (time: number): number => Math.floor(time / 60);

/** The score at `asOf`, or undefined if no detection counts: written from the documentation, not from the SQL. */
export function expectedScore(host: ModelHost, asOf: number, weights: Weights): number | undefined {
  const isSeen = (sight: ModelSight): boolean => minute(sight.time) <= minute(asOf);
  const seen = host.detections
    .map((detection) => ({ ...detection, sights: detection.sights.filter(isSeen) }))
    .filter((detection) => detection.sights.some((sight) => qualities[sight.trust] > 0));
  if (seen.length === 0) return undefined;

  const items = seen.map((detection) => {
    const weight = weights.severity(detection.category, detection.activity);
    const chanceBy = (counts: (trust: ModelSight["trust"]) => boolean): number =>
      Math.max(
        0,
        ...detection.sights
          .filter((sight) => counts(sight.trust))
          .map((sight) => {
            const hours = (asOf - Math.min(sight.time, asOf)) / 3600;
            return (
              weight * qualities[sight.trust] * 2 ** (-hours / weights.halfLifeHours(detection.category))
            );
          }),
      );
    return { detection, borneOut: chanceBy(isBorneOut), lone: chanceBy((trust) => trust === "lone") };
  });
  // Lone packets raise one detection only: the one that leaves the least doubt.
  const doubts = items.map((raised) =>
    items.reduce((product, item) => {
      const chance = item === raised ? Math.max(item.borneOut, item.lone) : item.borneOut;
      return product * (1 - chance);
    }, 1),
  );
  const remaining = Math.min(...doubts);
  const chance = Math.min(0.97, Math.max(0.01, 1 - remaining));

  const recent = (time: number): boolean => minute(time) <= minute(asOf) && minute(time) > minute(asOf) - 60;
  const dropped = (flow: ModelFlow): number =>
    Math.max(-Infinity, ...flow.drops.filter((time) => time <= asOf));
  const passed = host.flows.filter((flow) =>
    flow.passed.some((time) => recent(time) && minute(time) > minute(dropped(flow))),
  ).length;
  const stopped = host.flows.filter((flow) => recent(dropped(flow))).length;
  const peers = host.peers.filter((time) => minute(time) <= minute(asOf)).length;
  const borneOut = seen.filter((detection) => detection.sights.some((sight) => isBorneOut(sight.trust)));
  const lastSeen = Math.max(
    ...borneOut.flatMap((detection) =>
      detection.sights.filter((sight) => isBorneOut(sight.trust)).map((sight) => Math.min(sight.time, asOf)),
    ),
  );
  const oldest = Math.min(...borneOut.map((detection) => detection.detectedAt));
  const dwell = borneOut.length === 0 ? 0 : Math.max(0, lastSeen - oldest) / 3600;
  const logOdds =
    Math.log(chance / (1 - chance)) +
    0.5 * Math.log2(1 + passed) +
    0.2 * Math.log2(1 + peers) +
    0.05 * Math.log2(1 + dwell) -
    (stopped > 0 && passed === 0 ? 2 : 0) +
    Math.log(host.weight);
  return 100 / (1 + Math.exp(-logOdds));
}

const tables = [
  "host",
  "asset",
  "detection",
  "detection_minute",
  "detection_hour",
  "flow_passed",
  "enforcement_event",
  "peer_minute",
  "host_minute",
  "host_hour",
  "peer_hour",
  "detection_day",
  "detection_sum",
  "host_day",
  "peer_day",
];

/** Puts the hosts into empty tables: the first has the address 10.0.0.1. */
export async function storeModel(connection: DuckDBConnection, hosts: readonly ModelHost[]): Promise<void> {
  for (const table of tables) await connection.run(`DELETE FROM ${table}`);
  let detectionId = 0;
  let flowKey = 0;
  for (const [index, host] of hosts.entries()) {
    const hostId = index + 1;
    await connection.run("INSERT INTO host VALUES ($1, $2)", [hostId, `10.0.0.${hostId}`]);
    await connection.run("INSERT INTO asset VALUES ($1, NULL, $2)", [`10.0.0.${hostId}`, host.weight]);
    for (const detection of host.detections) {
      detectionId++;
      await connection.run("INSERT INTO detection VALUES ($1, $2, make_timestamp($3::BIGINT), $4, $5)", [
        detectionId,
        hostId,
        BigInt(detection.detectedAt) * 1_000_000n,
        detection.category,
        detection.activity,
      ]);
      for (const sight of detection.sights) {
        const time = BigInt(sight.time) * 1_000_000n;
        await connection.run(
          "INSERT INTO detection_minute VALUES ($1, 1, date_trunc('minute', make_timestamp($2::BIGINT)), $3, make_timestamp($2::BIGINT), make_timestamp($2::BIGINT), 1)",
          [detectionId, time, trusts.indexOf(sight.trust)],
        );
      }
    }
    for (const flow of host.flows) {
      flowKey++;
      for (const time of flow.passed) {
        await connection.run(
          "INSERT INTO flow_passed VALUES (1, $1, $1, $2, date_trunc('minute', make_timestamp($3::BIGINT)))",
          [flowKey, hostId, BigInt(time) * 1_000_000n],
        );
      }
      for (const time of flow.drops) {
        await connection.run(
          "INSERT INTO enforcement_event BY NAME SELECT 1 AS capture_id, make_timestamp($3::BIGINT) AS time, 1 AS frame, 'drop' AS verdict, $2 AS host_id, 1 AS peer_id, $1 AS tuple_key, 6 AS protocol, 1 AS host_port, 1 AS peer_port, 60 AS length",
          [flowKey, hostId, BigInt(time) * 1_000_000n],
        );
      }
    }
    for (const time of host.peers) {
      await connection.run(
        "INSERT INTO peer_minute VALUES ($1, date_trunc('minute', make_timestamp($2::BIGINT)), 1)",
        [hostId, BigInt(time) * 1_000_000n],
      );
    }
  }
  for (const sum of longerSums) await connection.run(sum);
}

/** What an ingest adds up beside the minutes. */
const longerSums = [
  "INSERT INTO detection_hour SELECT detection_id, 1, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets) FROM detection_minute GROUP BY ALL",
  "INSERT INTO detection_day SELECT detection_id, 1, date_trunc('day', hour), trust, min(first_seen), max(last_seen), sum(packets) FROM detection_hour GROUP BY ALL",
  "INSERT INTO detection_sum SELECT detection_id, trust, min(first_seen), max(last_seen), sum(packets) FROM detection_minute GROUP BY ALL",
  "INSERT INTO peer_hour SELECT host_id, date_trunc('hour', minute), sum(peers) FROM peer_minute GROUP BY ALL",
  "INSERT INTO peer_day SELECT host_id, date_trunc('day', hour), sum(peers) FROM peer_hour GROUP BY ALL",
];
