/** What ingestion has to reach, and whether it did: each a ratio of one run, or a size. */
import { names } from "./peers.ts";
import type { IngestBench, IngestResult } from "./ingest-bench.ts";

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean;
}

/** RSS that no capture may exceed, octets. */
const memoryLimit = 256 * 2 ** 20;

export function checkTargets(bench: IngestBench): Target[] {
  const { mixed, pcapng, allMarked, growth } = bench;
  const ours = mixed.ours.measurement.wall;
  const times = (results: readonly IngestResult[], name: string): number =>
    (results.find((result) => result.name === name)?.measurement.wall ?? NaN) / ours;
  const most = (what: string, limit: number, found: number): Target => ({
    what,
    wanted: `at most ${limit}`,
    found: found.toFixed(2),
    isMet: found <= limit,
  });
  const least = (what: string, limit: number, found: number): Target => ({
    what,
    wanted: `at least ${limit}`,
    found: found.toFixed(found < 10 ? 2 : 0),
    isMet: found >= limit,
  });
  const { peers } = mixed;
  const memory = bench.peakMemory;
  const first = growth[0];
  const last = growth.at(-1);
  const perPacket = (index: "first" | "last"): number => {
    const row = index === "first" ? first : last;
    return row ? row.wall / row.packets : NaN;
  };
  return [
    most("times cat", 2, 1 / times(peers, names.cat)),
    most("times capinfos -c", 1, 1 / times(peers, names.capinfos)),
    least("times faster than tshark", 400, times(peers, names.tshark)),
    least("times faster than tuned tshark", 100, times(peers, names.tunedTshark)),
    least("times faster than pcap-parser", 10, times(peers, names.pcapParser)),
    least(
      "all marked: times faster than tshark",
      60,
      (allMarked.peers.find(({ name }) => name === names.tshark)?.measurement.wall ?? NaN) /
        allMarked.ours.measurement.wall,
    ),
    least(
      "all marked: million records a second",
      2,
      allMarked.records / 1e6 / allMarked.ours.measurement.wall,
    ),
    most("pcapng: times the pcap", 1.2, pcapng.ours.measurement.wall / ours),
    most("MiB of memory, the most of all runs", memoryLimit / 2 ** 20, memory / 2 ** 20),
    most("octets in the database per sighting", 15, allMarked.databaseOctets / allMarked.markedPackets),
    most(
      `cost of a packet at ${last?.factor ?? 0} times the packets, times that at 1`,
      1.1,
      perPacket("last") / perPacket("first"),
    ),
  ];
}
