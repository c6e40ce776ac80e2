/** The table that a bench prints and that docs/explanation/performance.md holds. */
import { cpus, totalmem } from "node:os";
import type { IngestBench, IngestResult } from "./ingest-bench.ts";

/** Name of the row that the ratios are about. */
export const endToEnd = "tattle ingest";

/** The results as a Markdown table. */
export function formatResults(bench: IngestBench): string {
  const ours = bench.results.find((result) => result.name === endToEnd)?.measurement.wall ?? NaN;
  const rows = bench.results.map((result) => formatRow(result, bench, ours));
  return [
    "| | Seconds | Processor | GB/s | Million packets/s | Times ours | Peak memory | |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ...rows,
  ].join("\n");
}

function formatRow(result: IngestResult, bench: IngestBench, ours: number): string {
  const { wall, processor, peakMemory } = result.measurement;
  const once = result.runs === 1 && bench.rounds > 1 ? "one run; " : "";
  const cells = [
    result.name,
    wall.toFixed(2),
    processor.toFixed(2),
    (bench.captureOctets / 1e9 / wall).toFixed(2),
    (bench.packets / 1e6 / wall).toFixed(2),
    (wall / ours).toFixed(wall / ours < 10 ? 2 : 1),
    `${Math.round(peakMemory / 1e6)} MB`,
    `${once}${result.note}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** docs/explanation/performance.md. */
export function formatPage(bench: IngestBench, versions: string): string {
  const capture = `${Math.round(bench.captureOctets / 1e6)} MB, ${bench.packets.toLocaleString("en-US")} packets, ${bench.markedPackets.toLocaleString("en-US")} of them marked`;
  return `# Performance

<!-- Written by \`npm run bench ingest -- --write\`. -->

One capture (${capture}), ${bench.rounds} rounds in which every program runs
once after the other, the file in the page cache, medians of whole processes, their start included. Programs that take more than
a minute run once.

${formatResults(bench)}

Machine: ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${bench.loadBefore.toFixed(1)} before the run. ${versions}.

*Times ours* compares with the whole way of \`tattle ingest\`: reading, finding every mark, hosts, flows and sums, and the rows
committed in a database file that has its tables already. Seconds differ from machine to machine; the ratios differ less. Repeat it with \`npm run bench ingest\`.

## Why it is fast

- The file is read in large pieces into one page-aligned buffer; an ordinary buffer makes reading more than twice as slow.
- Nothing is allocated per packet, and payload is never touched.
- Rows go into DuckDB as columns, memory to memory. Inserting them one by one would be a thousand times slower.
- Rankings read sums per minute, not packets.

tshark does far more with each packet: it dissects every protocol and follows every conversation. It stands here because it is
how one would look for marks without tattle.
`;
}
