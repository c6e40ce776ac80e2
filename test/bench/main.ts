/** `npm run bench`: lists the benches; `npm run bench ingest -- [--quick] [--write]` runs one. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatPage, formatResults } from "./bench-table.ts";
import { benchIngest } from "./ingest-bench.ts";
import { benchRanking, formatRanking } from "./ranking-bench.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});

function firstLine(program: string, flag: string): string {
  return execFileSync(program, [flag], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    .split("\n", 1)
    .join("")
    .replace(/ \(Git.*$|\.$/g, "");
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

switch (positionals[0]) {
  case "ingest": {
    const bench = await benchIngest({ quick: values.quick, tell });
    process.stdout.write(`${formatResults(bench)}\n`);
    if (values.write) {
      const versions = `Node ${process.versions.node}, ${firstLine("tshark", "--version")}, ${firstLine("tcpdump", "--version")}`;
      writeFileSync(
        new URL("../../docs/explanation/performance.md", import.meta.url),
        formatPage(bench, versions),
      );
    }
    break;
  }
  case "ranking": {
    const bench = await benchRanking({ quick: values.quick, tell });
    process.stdout.write(`${formatRanking(bench)}\n`);
    break;
  }
  case undefined:
    process.stdout.write(
      "benches:\n  ingest   captures into the database, beside tshark, tcpdump, capinfos, pcap-parser\n" +
        "  ranking  questions to a database of 100 million sightings\n" +
        "npm run bench ingest -- --quick   a tenth of the size, two rounds\n" +
        "npm run bench ingest -- --write   renews docs/explanation/performance.md\n",
    );
    break;
  default:
    process.stderr.write(`unknown bench "${positionals[0]}"; npm run bench lists them\n`);
    process.exitCode = 2;
}
