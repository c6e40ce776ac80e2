/** Ingestion beside the other programs that read captures: one file, everything in turn, medians. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { buildCommand, repositoryRoot } from "../support/build-command.ts";
import { measureInTurn, median } from "./measure.ts";
import type { Contender, Measurement } from "./measure.ts";
import { benchFolder, prepareCapture } from "./prepared-capture.ts";
import { endToEnd } from "./bench-table.ts";

export interface IngestBench {
  readonly captureOctets: number;
  readonly packets: number;
  readonly markedPackets: number;
  readonly rounds: number;
  /** Processes that wanted to run, on average over the minute before (1.0 is one processor's worth). */
  readonly loadBefore: number;
  readonly results: readonly IngestResult[];
}

export interface IngestResult {
  readonly name: string;
  readonly note: string;
  readonly runs: number;
  /** Medians. */
  readonly measurement: Measurement;
}

export interface IngestBenchOptions {
  /** A tenth of the packets and two rounds: a first impression. */
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

/** About 500 MB. */
const fullPackets = 870_000;

/** Makes the capture unless it is there, runs everything, and returns the medians. */
export async function benchIngest({ quick, tell }: IngestBenchOptions): Promise<IngestBench> {
  mkdirSync(benchFolder, { recursive: true });
  const [loadBefore = 0] = loadavg();
  const command = buildCommand();
  const work = mkdtempSync(join(benchFolder, "run-"));
  try {
    const capture = prepareCapture({ packets: quick ? fullPackets / 10 : fullPackets });
    tell(`${capture.path}: ${capture.packets} packets, ${capture.octets} octets`);
    const walker = await bundleWalker(work);
    const entries = contenders({ capture: capture.path, work, walker, command });
    const rounds = quick ? 2 : 5;
    const results = measureInTurn(
      entries.map((entry) => entry.contender),
      rounds,
      tell,
    );
    return {
      captureOctets: capture.octets,
      packets: capture.packets,
      markedPackets: capture.markedPackets,
      rounds,
      loadBefore,
      results: entries.map(({ contender, note }) => summarize(contender, note, results.get(contender) ?? [])),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(command, { recursive: true, force: true });
  }
}

interface Entry {
  readonly contender: Contender;
  readonly note: string;
}

const printedFields = ["frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.options"].flatMap(
  (field) => ["-e", field],
);

interface Paths {
  readonly capture: string;
  readonly work: string;
  readonly walker: string;
  readonly command: string;
}

function contenders({ capture, work, walker, command }: Paths): Entry[] {
  const database = join(work, "evidence.duckdb");
  const usedDatabase = makeUsedDatabase(work, command);
  const clearDatabase = (): void => {
    for (const suffix of ["", ".wal"]) rmSync(database + suffix, { force: true });
  };
  const node = process.execPath;
  const ingest = [node, join(command, "cli/main.js"), "ingest", "--database", database] as const;
  return [
    { contender: { name: "cat", command: ["cat", capture] }, note: "reads only" },
    { contender: { name: "capinfos -c", command: ["capinfos", "-c", capture] }, note: "counts packets" },
    {
      contender: { name: "tcpdump -r -w /dev/null", command: ["tcpdump", "-r", capture, "-w", "/dev/null"] },
      note: "copies packets",
    },
    {
      contender: {
        name: "pcap-parser",
        command: [node, join(repositoryRoot, "test/bench/pcap-parser-loop.mjs"), capture],
      },
      note: "npm; counts packets",
    },
    {
      contender: {
        name: "tshark -Y 'tcp.option_kind == 253'",
        command: ["tshark", "-r", capture, "-Y", "tcp.option_kind == 253", "-T", "fields", ...printedFields],
      },
      note: "finds marked packets, prints them",
    },
    {
      contender: { name: "tattle, reading only", command: [node, walker, capture] },
      note: "finds every mark",
    },
    {
      contender: {
        name: endToEnd,
        command: [...ingest, capture],
        // A database that is in use, as it is from the second capture on; but the capture must be new to it.
        prepare: () => {
          clearDatabase();
          cpSync(usedDatabase, database);
        },
      },
      note: "finds every mark; evidence committed in a database file",
    },
    {
      contender: {
        name: "the same, into a new database",
        command: [...ingest, capture],
        prepare: clearDatabase,
      },
      note: "makes 25 tables first",
    },
  ];
}

/** A database that has seen a capture without packets. */
function makeUsedDatabase(work: string, command: string): string {
  const database = join(work, "used.duckdb");
  const capture = join(repositoryRoot, "test/fixtures/no-packets.pcap");
  execFileSync(process.execPath, [join(command, "cli/main.js"), "ingest", "--database", database, capture]);
  return database;
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

/** tsx would take a second to start; a bundle starts like the built command. */
async function bundleWalker(work: string): Promise<string> {
  const outfile = join(work, "walk-only.mjs");
  await build({
    entryPoints: [join(repositoryRoot, "test/bench/walk-only.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  return outfile;
}
