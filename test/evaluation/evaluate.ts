/** Orders simulated hosts by our ranking and by others', and compares what the first ten of each go on to do. */
import { openDatabase } from "../../analytics/database.ts";
import { loadCodeBook } from "../../analytics/load-code-book.ts";
import { rankHosts } from "../../analytics/ranking/rank-hosts.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import { baselines, evidenceAt } from "./baselines.ts";
import { ndcgOfTen } from "./ndcg.ts";
import { addressOf, storeWorld } from "./store-world.ts";
import { harmBetween, simulateHosts, worldStart } from "./world.ts";
import type { SimulatedHost, World } from "./world.ts";

export const horizonHours = [1, 8] as const;
export const ourName = "tattle";

/** Hours of the simulation at which the lists are made: at night, in the morning, at noon, in the evening. */
const snapshotHours = [20, 26, 33, 36, 40];

export interface Judgement {
  readonly name: string;
  /** NDCG@10 of each snapshot, for each of `horizonHours`. */
  readonly values: readonly (readonly number[])[];
}

/** Every ranking in `seeds` networks of this kind. */
export async function judgeRankings(
  world: World,
  book: CodeBook,
  seeds: readonly number[],
): Promise<Judgement[]> {
  const values = new Map(
    [ourName, ...baselines.map(({ name }) => name)].map((name) => [
      name,
      horizonHours.map((): number[] => []),
    ]),
  );
  for (const seed of seeds) {
    const hosts = simulateHosts(world, book, seed);
    for (const { asOf, order } of await orderByUs(hosts, book)) {
      const orders = new Map([[ourName, order], ...ordersOfOthers(hosts, asOf)]);
      for (const [index, hours] of horizonHours.entries()) {
        // A host that nobody flagged yet is in no list, so what it does is not missed by the order.
        const gains = hosts.map((host) =>
          evidenceAt(host, asOf).flows.length === 0 ? 0 : harmBetween(host, asOf, asOf + hours * 3600),
        );
        for (const [name, list] of orders) {
          const value = ndcgOfTen(
            list.map((host) => gains[host] ?? 0),
            gains,
          );
          if (value !== undefined) values.get(name)?.[index]?.push(value);
        }
      }
    }
  }
  return [...values].map(([name, found]) => ({ name, values: found }));
}

interface Snapshot {
  readonly asOf: number;
  /** Indices of hosts, the first to look at first. */
  readonly order: readonly number[];
}

async function orderByUs(hosts: readonly SimulatedHost[], book: CodeBook): Promise<Snapshot[]> {
  const indices = new Map(hosts.map((_, index) => [addressOf(index), index]));
  const database = await openDatabase(":memory:");
  try {
    await database.write(async ({ connection }) => {
      await loadCodeBook(connection, book);
      await storeWorld(connection, hosts);
    });
    const snapshots: Snapshot[] = [];
    for (const hours of snapshotHours) {
      const asOf = worldStart + hours * 3600;
      const { ranked } = await database.read((connection) => rankHosts(connection, asOf));
      const order = ranked.map(({ address }) => indices.get(address) ?? -1);
      snapshots.push({ asOf, order });
    }
    return snapshots;
  } finally {
    await database.close();
  }
}

function ordersOfOthers(hosts: readonly SimulatedHost[], asOf: number): [string, number[]][] {
  const known = hosts
    .map((host, index) => ({ index, evidence: evidenceAt(host, asOf) }))
    .filter(({ evidence }) => evidence.flows.length > 0);
  return baselines.map(({ name, score }) => {
    const scored = known.map(({ index, evidence }) => ({
      index,
      score: score(evidence),
      lastSeen: evidence.flows.at(-1)?.time ?? 0,
    }));
    scored.sort(
      (one, other) => other.score - one.score || other.lastSeen - one.lastSeen || one.index - other.index,
    );
    return [name, scored.map(({ index }) => index)];
  });
}
