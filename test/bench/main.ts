/** `npm run bench`: lists the benches; `npm run bench ingest -- [--quick] [--write]` runs one. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchAgent } from "./agent/agent-bench.ts";
import { formatAgentPage, formatAgentResults } from "./agent/agent-page.ts";
import { benchDissector, formatDissectorResults } from "./dissector/dissector-bench.ts";
import { benchIngest, firstLine } from "./ingest/ingest-bench.ts";
import { formatPage, formatResults } from "./ingest/ingest-page.ts";
import { evaluateRanking, formatEvaluation, formatEvaluationPage } from "../evaluation/report.ts";
import { keep } from "../experiment/kept-results.ts";
import { defaultCodeBook } from "../support/tshark.ts";
import { benchMarker, formatMarker } from "./marker-bench.ts";
import { benchPages, formatPages } from "./page-bench.ts";
import { benchRanking, formatRanking } from "./ranking-bench.ts";
import { benchWatchers, formatWatchers } from "./watchers/watchers-bench.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    slow: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

switch (positionals[0]) {
  case "ingest": {
    const bench = await benchIngest({ quick: values.quick, slow: values.slow, tell });
    process.stdout.write(`${formatResults(bench)}\n`);
    if (values.write) {
      const versions = `Node ${process.versions.node}, ${firstLine("tshark")}, ${firstLine("tcpdump")}`;
      const page = new URL("../../docs/explanation/performance.md", import.meta.url);
      const written = readFileSync(page, "utf8");
      // What people wrote below the tables stays.
      const reasons = written.slice(written.indexOf("## Why it is fast"));
      writeFileSync(page, formatPage(bench, versions, reasons));
    }
    break;
  }
  case "agent": {
    const bench = await benchAgent({ quick: values.quick, tell });
    process.stdout.write(`${formatAgentResults(bench)}\n`);
    if (values.write) {
      const page = new URL("../../docs/explanation/performance-agent.md", import.meta.url);
      writeFileSync(page, formatAgentPage(bench, readFileSync(page, "utf8")));
    }
    break;
  }
  case "marker": {
    const bench = await benchMarker({ quick: values.quick, tell });
    process.stdout.write(`${formatMarker(bench)}\n`);
    break;
  }
  case "dissector": {
    const results = benchDissector({ quick: values.quick, tell });
    process.stdout.write(`${formatDissectorResults(results)}\n`);
    break;
  }
  case "ranking": {
    const bench = await benchRanking({ quick: values.quick, tell });
    process.stdout.write(`${formatRanking(bench)}\n`);
    break;
  }
  case "pages": {
    process.stdout.write(`${formatPages(await benchPages(tell))}\n`);
    break;
  }
  case "watchers": {
    const bench = await benchWatchers(values.quick, tell);
    process.stdout.write(`${formatWatchers(bench)}\n`);
    if (values.write) keep("watchers", bench);
    break;
  }
  case "ranking-quality": {
    const evaluation = await evaluateRanking(defaultCodeBook(), values.quick ? 5 : 60, tell);
    process.stdout.write(`${formatEvaluation(evaluation)}\n`);
    if (values.write) {
      const page = new URL("../../docs/explanation/ranking-quality.md", import.meta.url);
      writeFileSync(page, formatEvaluationPage(evaluation));
    }
    break;
  }
  case undefined:
    process.stdout.write(
      "benches:\n  ingest   captures into the database, beside tshark, tcpdump, capinfos, pcap-parser\n" +
        "  agent    the live agent in network namespaces; needs root\n" +
        "  marker   what marking costs a sender, and how soon a detection is on the wire; needs root and iperf3\n" +
        "  watchers  libpcap, iptables, NFQUEUE and tattle's rules beside each other (the paper's Table 4); needs root\n" +
        "  dissector  processor time of tshark with the dissector over without\n" +
        "  ranking  questions to a database of 100 million sightings\n" +
        "  pages    the dashboard in headless Chromium: octets of the bundle, time until pages are drawn\n" +
        "  ranking-quality  what the first ten hosts of the list go on to do, beside other orders, in a simulation\n" +
        "npm run bench ingest -- --quick   a fifth of the size, no targets\n" +
        "npm run bench ingest -- --slow    measures again what takes minutes and is kept otherwise\n" +
        "npm run bench ingest -- --write   renews docs/explanation/performance.md; agent its own page;\n" +
        "                                  watchers what npm run experiment -- --page makes its page of\n",
    );
    break;
  default:
    process.stderr.write(`unknown bench "${positionals[0]}"; npm run bench lists them\n`);
    process.exitCode = 2;
}
