/** Ingestion beside the other programs that read captures: the same files, everything in turn, medians. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import type { GeneratedCapture } from "../../support/generate-capture.ts";
import { KeptResults } from "../kept-results.ts";
import { measure, measureInTurn, median } from "../measure.ts";
import type { Contender, Measurement } from "../measure.ts";
import { benchFolder, prepareCapture } from "../prepared-capture.ts";
import type { PreparedCapture } from "../prepared-capture.ts";
import { Ours } from "./ours.ts";
import { allPeers, tshark } from "./peers.ts";
import type { Peer } from "./peers.ts";

export interface IngestResult {
  readonly name: string;
  readonly note: string;
  readonly runs: number;
  /** Medians. */
  readonly measurement: Measurement;
}

export interface CaptureBench {
  readonly capture: PreparedCapture;
  readonly peers: readonly IngestResult[];
  readonly ours: IngestResult;
}

/** One row of how cost grows. */
export interface Growth {
  readonly factor: number;
  readonly packets: number;
  /** Seconds, median. */
  readonly wall: number;
  readonly peakMemory: number;
}

export interface IngestBench {
  readonly quick: boolean;
  readonly rounds: number;
  /** Processes that wanted to run, on average over the minute before (1.0 is one processor's worth). */
  readonly loadBefore: number;
  readonly mixed: CaptureBench & { readonly variants: readonly IngestResult[] };
  readonly pcapng: CaptureBench;
  readonly allMarked: CaptureBench & {
    readonly records: number;
    readonly markedPackets: number;
    readonly databaseOctets: number;
  };
  readonly growth: readonly Growth[];
  readonly hosts: readonly Growth[];
  /** The most that any run of ours took, octets. */
  readonly peakMemory: number;
}

export interface IngestBenchOptions {
  /** A fifth of the packets, and no targets. */
  readonly quick: boolean;
  /** Measures peers that take minutes again, even if they are kept. */
  readonly slow: boolean;
  readonly tell: (line: string) => void;
}

export const endToEnd = "tattle ingest";
/** Rows that tell where the time goes. */
export const phases = {
  walk: "walk only",
  noPackets: "a capture without packets",
  start: "Node's start",
} as const;
const rounds = 5;
const factors = [1, 2, 4, 8];
const hostCounts = [100, 10_000, 1_000_000];

/** Makes the captures unless they are there, runs everything, and returns the medians. */
export async function benchIngest(options: IngestBenchOptions): Promise<IngestBench> {
  mkdirSync(benchFolder, { recursive: true });
  const work = mkdtempSync(join(benchFolder, "run-"));
  const ours = new Ours(work);
  try {
    return new Bench(ours, join(work, "wireshark"), options).run();
  } finally {
    ours.remove();
    rmSync(work, { recursive: true, force: true });
  }
}

class Bench {
  readonly #ours: Ours;
  readonly #settings: string;
  readonly #options: IngestBenchOptions;
  #peakMemory = 0;

  constructor(ours: Ours, settings: string, options: IngestBenchOptions) {
    this.#ours = ours;
    this.#settings = settings;
    this.#options = options;
  }

  run(): IngestBench {
    const [loadBefore = 0] = loadavg();
    const packets = this.#options.quick ? 1_000_000 : 5_000_000;
    const pcap = this.#capture({ packets });
    const pcapng = this.#capture({ packets, format: "pcapng" });
    const mixed = this.#mixed(pcap, pcapng);
    return {
      quick: this.#options.quick,
      rounds,
      loadBefore,
      ...mixed,
      allMarked: this.#allMarked(this.#capture({ packets, mix: "all-marked-small" })),
      growth: this.#grow(factors, (factor) => ({ packets: (packets / 8) * factor })),
      hosts: this.#grow(hostCounts, (flaggedHosts) => ({
        packets: packets / 5,
        mix: "all-marked-small",
        flaggedHosts,
      })),
      peakMemory: this.#peakMemory,
    };
  }

  #mixed(pcap: PreparedCapture, pcapng: PreparedCapture): Pick<IngestBench, "mixed" | "pcapng"> {
    const peers = allPeers(pcap.path, this.#settings);
    const ours = this.#ours.endToEnd(endToEnd, pcap.path);
    const asPcapng = this.#ours.endToEnd("the same packets as pcapng", pcapng.path);
    const variants: Peer[] = [
      {
        contender: this.#ours.intoNewDatabase("into a new database", pcap.path),
        note: "makes the tables first",
      },
      {
        contender: this.#ours.apartFromReplies("without replies", pcap.path),
        note: "does not look for answers to flagged hosts: no peers, no flows that passed",
      },
      {
        contender: this.#ours.walkOnly(phases.walk, pcap.path),
        note: "finds every mark and keeps the evidence, without a database",
      },
      {
        contender: this.#ours.nothing(phases.noPackets),
        note: "starts, opens the database, closes it",
      },
      { contender: { name: phases.start, command: [process.execPath, "--eval", "0"] }, note: "" },
    ];
    const quickPeers = peers.filter((peer) => peer.isSlow !== true);
    const results = this.#inTurn([
      ...quickPeers.map((peer) => peer.contender),
      ours,
      asPcapng,
      ...variants.map((variant) => variant.contender),
    ]);
    const summarizeAll = (entries: readonly Peer[]): IngestResult[] =>
      entries.map(({ contender, note }) => summarize(contender, note, results.get(contender) ?? []));
    const slow = peers.filter((peer) => peer.isSlow === true).map((peer) => this.#slowly(peer, pcap));
    const note = "finds every mark; evidence committed in a database file";
    return {
      mixed: {
        capture: pcap,
        peers: [...summarizeAll(quickPeers), ...slow],
        ours: summarize(ours, note, results.get(ours) ?? []),
        variants: summarizeAll(variants),
      },
      pcapng: { capture: pcapng, peers: [], ours: summarize(asPcapng, "", results.get(asPcapng) ?? []) },
    };
  }

  #allMarked(capture: PreparedCapture): IngestBench["allMarked"] {
    const ours = this.#ours.endToEnd("tattle ingest, all marked", capture.path);
    const results = this.#inTurn([ours]);
    return {
      capture,
      peers: [this.#slowly(tshark(capture.path), capture)],
      ours: summarize(ours, "", results.get(ours) ?? []),
      records: capture.records,
      markedPackets: capture.markedPackets,
      databaseOctets: this.#ours.databaseOctets(ours.name),
    };
  }

  #grow(steps: readonly number[], wanted: (factor: number) => GeneratedCapture): Growth[] {
    const rows = steps.map((factor) => {
      const capture = this.#capture(wanted(factor));
      return {
        factor,
        capture,
        contender: this.#ours.endToEnd(`${factor} of ${capture.packets}`, capture.path),
      };
    });
    const results = this.#inTurn(rows.map(({ contender }) => contender));
    return rows.map(({ factor, capture, contender }) => {
      const { wall, peakMemory } = summarize(contender, "", results.get(contender) ?? []).measurement;
      return { factor, packets: capture.packets, wall, peakMemory };
    });
  }

  #capture(wanted: GeneratedCapture): PreparedCapture {
    const capture = prepareCapture(wanted);
    this.#options.tell(`${capture.path}: ${capture.packets} packets, ${capture.octets} octets`);
    return capture;
  }

  #inTurn(contenders: readonly Contender[]): ReadonlyMap<Contender, readonly Measurement[]> {
    const results = measureInTurn(contenders, rounds, this.#options.tell);
    for (const [contender, measurements] of results) {
      // Contenders of ours are those that prepare a database.
      if (!contender.prepare) continue;
      this.#peakMemory = Math.max(this.#peakMemory, ...measurements.map(({ peakMemory }) => peakMemory));
    }
    return results;
  }

  /** Once, unless it is kept from a former run. */
  #slowly({ contender, note }: Peer, capture: PreparedCapture): IngestResult {
    const kept = new KeptResults(capture.path);
    const version = firstLine(contender.command[0]);
    const known = this.#options.slow ? undefined : kept.find(contender.name, version);
    if (known) {
      const of = `${note}; one run, of ${known.measuredOn}`;
      return { name: contender.name, note: of, runs: 1, measurement: known.measurement };
    }
    this.#options.tell(`${contender.name}: minutes`);
    const measurement = measure(contender);
    kept.keep(contender.name, version, measurement);
    return { name: contender.name, note: `${note}; one run`, runs: 1, measurement };
  }
}

/** What a program says of its version. */
export function firstLine(program: string): string {
  return execFileSync(program, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    .split("\n", 1)
    .join("")
    .replace(/ \(Git.*$|\.$/g, "");
}

function summarize(contender: Contender, note: string, runs: readonly Measurement[]): IngestResult {
  const middle = (field: keyof Measurement): number => median(runs.map((run) => run[field]));
  return {
    name: contender.name,
    note,
    runs: runs.length,
    measurement: {
      wall: middle("wall"),
      processor: middle("processor"),
      peakMemory: middle("peakMemory"),
    },
  };
}
