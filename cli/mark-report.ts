/** What `tattle mark` says about records, the state of the marker and the outcome of a change. */
import type { MarkSettings } from "../live-agent/marker/mark-settings.ts";
import type { KeptRecord } from "../live-agent/marker/mark-state.ts";
import type { MarkerStatus, Outcome } from "../live-agent/marker/marker.ts";
import { describeActivity, findActivity, findCategory } from "../wire/code-book.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { printable } from "./printable.ts";
import type { Shell } from "./shell.ts";
import { createStyle } from "./style.ts";
import { formatTable } from "./text-table.ts";
import { formatInstant, formatSpan, formatTime } from "./time-text.ts";

/** Records for programs, newest first. */
export function recordsJson(records: readonly KeptRecord[], book: CodeBook): readonly object[] {
  return records.map(({ detectedAt, category, activity, until }) => ({
    category,
    activity,
    categoryName: findCategory(book, category)?.name ?? null,
    activityName: findActivity(book, category, activity)?.name ?? null,
    detectedAt: formatInstant(detectedAt),
    until: until === undefined ? null : formatInstant(until),
  }));
}

/** Records as a table, newest first. */
export function formatRecords(records: readonly KeptRecord[], book: CodeBook, shell: Shell): string {
  if (records.length === 0) return "no records: this host's packets are not marked\n";
  const now = shell.now();
  return formatTable(
    [
      { title: "Code", align: "right" },
      { title: "Activity", gives: true },
      { title: "Detected" },
      { title: "Elapsed", align: "right" },
      { title: "Ends" },
    ],
    records.map(({ detectedAt, category, activity, until }) => [
      `${category}/${activity}`,
      describeActivity(book, category, activity),
      formatTime(detectedAt),
      formatSpan(now - detectedAt),
      until === undefined ? "when removed" : `in ${formatSpan(until - now)}`,
    ]),
    { width: shell.columns, paintTitle: createStyle(shell.colour).strong },
  );
}

/** The whole state of the marker. */
export function formatStatus(
  status: MarkerStatus,
  settings: MarkSettings,
  book: CodeBook,
  shell: Shell,
): string {
  const style = createStyle(shell.colour);
  const { counts } = status;
  const lines = [
    status.marking ? "marking is on" : style.warning("marking is off; records are kept"),
    `option kind ${settings.kind}, cgroup ${printable(status.cgroup)}`,
    ...(counts
      ? [
          `packets since the program was loaded: ${counts.whole} with every record, ${counts.shortened} with fewer, ` +
            `${counts.unmarked} without room for any`,
        ]
      : []),
    ...status.problems.map((problem) =>
      style.bad(`problem: ${printable(problem)}; tattle mark restore repairs it`),
    ),
  ];
  return `${formatRecords(status.records, book, shell)}\n${lines.join("\n")}\n`;
}

/** What a change led to. */
export function describeOutcome({ state, adoption }: Outcome, headline: string): string {
  const paused =
    !state.marking && !headline.startsWith("off") ? ["marking is off, so no packet carries it"] : [];
  return [headline, ...paused, ...describeAdoption(adoption)].map((text) => `${printable(text)}\n`).join("");
}

function describeAdoption(adoption: Outcome["adoption"]): string[] {
  if (!adoption) return [];
  const { adopted, refused, problem } = adoption;
  if (problem === undefined && refused === 0)
    return [`connections and listeners that were open: ${adopted} adopted`];
  const reason = problem ?? `the kernel refused ${refused} (it takes Linux 6.12 or newer)`;
  return [
    `connections that were open before stay unmarked until they are opened again, and answers of servers started ` +
      `before are marked only from their first data on: ${reason}`,
  ];
}
