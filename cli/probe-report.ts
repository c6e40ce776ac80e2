/** What `tattle probe` says: what it is going to send, and what each option met. */
import { passes } from "../live-agent/probe/probe.ts";
import type { Answer, ProbePlan, ProbeReport, ProbeRow } from "../live-agent/probe/probe.ts";
import { printable } from "./printable.ts";
import type { Shell } from "./shell.ts";
import { createStyle } from "./style.ts";
import { formatTable } from "./text-table.ts";

/** One line, before anything is sent. */
export function describePlan({
  host,
  address,
  port,
  interfaceName,
  source,
  mostFrames,
  connections,
}: ProbePlan): string {
  const name = host === address ? address : `${host} (${address})`;
  return printable(
    `probing port ${port} of ${name} from ${source} by ${interfaceName}: at most ${mostFrames} frames, ` +
      `and ${connections} connections that send one line feed`,
  ).concat("\n");
}

/** Whether anything can be concluded: a segment without options was answered. */
export function isUseful({ rows }: ProbeReport): boolean {
  return rows[0]?.syn.result === "answered" || rows[0]?.syn.result === "reset";
}

export function formatProbe(report: ProbeReport, shell: Shell): string {
  const style = createStyle(shell.colour);
  const [without] = report.rows;
  const table = formatTable(
    [{ title: "Option" }, { title: "On a SYN" }, { title: "On data", gives: true }],
    report.rows.map((row) => [
      row.option,
      describeAnswer(row.syn, without?.syn),
      describeAnswer(row.data, without?.data),
    ]),
    { width: shell.columns, paintTitle: style.strong },
  );
  return `${table}\n${conclude(report)}\n`;
}

function conclude(report: ProbeReport): string {
  const [without] = report.rows;
  if (!isUseful(report) || !without)
    return "not even a segment without options was answered, so nothing can be said about options";
  const fails = report.rows.filter((row) => !passesBoth(row, without)).map(({ option }) => option);
  const closed = without.syn.result === "reset" ? "the port is closed, so nothing was tried with data; " : "";
  return fails.length === 0
    ? `${closed}every option fares as well as none`
    : `${closed}not as without options: ${fails.join(", ")}`;
}

function passesBoth(row: ProbeRow, without: ProbeRow): boolean {
  const data = row.data.result === "not tried" || passes(row.data, without.data);
  return passes(row.syn, without.syn) && data;
}

/** What a segment met, in words. */
export function describeAnswer(answer: Answer, without: Answer | undefined): string {
  switch (answer.result) {
    case "answered":
      return "passes";
    case "reset":
      return without?.result === "reset" ? "passes (reset: closed)" : "RST";
    case "icmp":
      return printable(`ICMP ${answer.type}/${answer.code} from ${answer.from}`);
    case "silence":
      return "silence";
    case "not tried":
      return "–";
  }
}

/** The report for programs, with a judgement of each option. */
export function probeJson(report: ProbeReport): object {
  const [without] = report.rows;
  const rows = report.rows.map((row) => ({ ...row, passes: without ? passesBoth(row, without) : false }));
  return { ...report, rows };
}
