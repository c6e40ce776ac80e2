/** What the bench prints, and docs/explanation/performance.md. */
import { cpus, totalmem } from "node:os";
import { phases } from "./ingest-bench.ts";
import type { Growth, IngestBench, IngestResult } from "./ingest-bench.ts";
import { checkTargets } from "./targets.ts";

/** The results as Markdown tables. */
export function formatResults(bench: IngestBench): string {
  const { mixed, pcapng, allMarked } = bench;
  return [
    `### Mixed: ${describe(mixed.capture)}`,
    resultTable(
      [...mixed.peers, mixed.ours, pcapng.ours, ...mixed.variants],
      mixed.capture,
      mixed.ours.measurement.wall,
    ),
    `### Every packet marked: ${describe(allMarked.capture)}`,
    resultTable([...allMarked.peers, allMarked.ours], allMarked.capture, allMarked.ours.measurement.wall),
    `${(allMarked.records / 1e6 / allMarked.ours.measurement.wall).toFixed(2)} million records a second; ${(allMarked.databaseOctets / allMarked.markedPackets).toFixed(1)} octets in the database per sighting.`,
    "### Where the time goes",
    phaseTable(bench),
    "### As work grows",
    growthTable("Packets (mixed)", bench.growth, (row) => row.packets),
    growthTable("Flagged hosts (every packet marked)", bench.hosts, (row) => row.factor),
    ...(bench.quick ? [] : ["### Targets", targetTable(bench)]),
  ].join("\n\n");
}

function describe(capture: IngestBench["mixed"]["capture"]): string {
  return `${Math.round(capture.octets / 1e6).toLocaleString("en-US")} MB, ${capture.packets.toLocaleString("en-US")} packets, ${capture.markedPackets.toLocaleString("en-US")} of them marked`;
}

function resultTable(
  results: readonly IngestResult[],
  capture: { readonly octets: number; readonly packets: number },
  ours: number,
): string {
  return [
    "| | Seconds | Processor | GB/s | Million packets/s | Times ours | Peak memory | |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ...results.map(({ name, note, measurement: { wall, processor, peakMemory } }) =>
      row([
        name,
        wall.toFixed(2),
        processor.toFixed(2),
        (capture.octets / 1e9 / wall).toFixed(2),
        (capture.packets / 1e6 / wall).toFixed(2),
        (wall / ours).toFixed(wall / ours < 10 ? 2 : 0),
        megabytes(peakMemory),
        note,
      ]),
    ),
  ].join("\n");
}

/** Differences of medians: each row adds one thing to what the row above it does. */
function phaseTable({ mixed }: IngestBench): string {
  const wall = (name: string): number =>
    mixed.variants.find((each) => each.name === name)?.measurement.wall ?? NaN;
  const start = wall(phases.start);
  const opened = wall(phases.noPackets) - start;
  const walk = wall(phases.walk) - start;
  const total = mixed.ours.measurement.wall;
  const parts: readonly (readonly [string, number])[] = [
    ["Node's start", start],
    ["loading tattle and DuckDB, opening the database, closing it", opened],
    ["reading and walking the capture", walk],
    ["joining its evidence to what the database holds", total - start - opened - walk],
  ];
  return [
    "| | Seconds | Share |",
    "| --- | ---: | ---: |",
    ...parts.map(([what, seconds]) =>
      row([what, seconds.toFixed(2), `${Math.round((seconds / total) * 100)} %`]),
    ),
  ].join("\n");
}

function growthTable(what: string, rows: readonly Growth[], size: (row: Growth) => number): string {
  return [
    `| ${what} | Seconds | Nanoseconds a packet | Peak memory |`,
    "| ---: | ---: | ---: | ---: |",
    ...rows.map((each) =>
      row([
        size(each).toLocaleString("en-US"),
        each.wall.toFixed(2),
        Math.round((each.wall / each.packets) * 1e9).toLocaleString("en-US"),
        megabytes(each.peakMemory),
      ]),
    ),
  ].join("\n");
}

function targetTable(bench: IngestBench): string {
  return [
    "| | Wanted | Found | |",
    "| --- | ---: | ---: | --- |",
    ...checkTargets(bench).map(({ what, wanted, found, isMet }) =>
      row([what, wanted, found, isMet ? "met" : "**missed**"]),
    ),
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function megabytes(octets: number): string {
  return `${Math.round(octets / 1e6)} MB`;
}

/** docs/explanation/performance.md; `reasons` is what people wrote below the tables, kept as it is. */
export function formatPage(bench: IngestBench, versions: string, reasons: string): string {
  return `# Performance

<!-- Down to "Why it is fast" written by \`npm run bench ingest -- --write\`. -->

Every program runs once in each of ${bench.rounds} rounds, one after the other, the files in the page cache; medians of whole processes, their
start included. *Times ours* compares with the whole way of \`tattle ingest\`: reading, finding every mark, hosts, flows and sums, and
the rows committed in a database file that has its tables already. Seconds differ from machine to machine; the ratios differ less.

Machine: ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${bench.loadBefore.toFixed(1)} before the run. ${versions}.

${formatResults(bench)}

${reasons}`;
}
