/** Reads named captures into a store, one after the other: what `ingest` and `open` share. */
import { secondsAhead } from "../analytics/ahead-of-clock.ts";
import type { CaptureReport, Store } from "../analytics/store.ts";
import { withCapture } from "./capture-inputs.ts";
import type { NamedCapture } from "./capture-inputs.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { formatCount } from "./octets-text.ts";
import { printable } from "./printable.ts";
import { ProgressBar } from "./progress-bar.ts";
import type { Shell } from "./shell.ts";
import { formatSpan } from "./time-text.ts";

/** One report a capture; what could not be opened is refused, with the reason. */
export async function ingestCaptures(
  store: Store,
  captures: readonly NamedCapture[],
  shell: Shell,
): Promise<CaptureReport[]> {
  const reports: CaptureReport[] = [];
  for (const capture of captures) {
    shell.signal.throwIfAborted();
    reports.push(await ingestOne(store, capture, shell));
  }
  return reports;
}

async function ingestOne(store: Store, capture: NamedCapture, shell: Shell): Promise<CaptureReport> {
  if ("problem" in capture) return refuse(capture.name, capture.problem, shell);
  const bar = new ProgressBar(shell, capture.name);
  try {
    return await withCapture(capture, shell, async (input) =>
      store.ingest(input, { signal: shell.signal, onProgress: (progress) => bar.update(progress) }),
    );
  } catch (error) {
    if (error instanceof CliError) return refuse(capture.name, error.message, shell);
    throw error;
  } finally {
    bar.finish();
  }
}

function refuse(name: string, reason: string, shell: Shell): CaptureReport {
  return {
    name,
    state: "refused",
    reason: reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason,
    octets: 0,
    packets: 0,
    markedPackets: 0,
    malformedMarks: 0,
    ingestedAt: shell.now(),
  };
}

/** 0 if all is well, 2 if nothing could be used, 3 if something was damaged or refused. */
export function ingestExitCode(reports: readonly CaptureReport[]): number {
  if (!reports.some(hasBeenUsed)) return exitCodes.usage;
  return reports.every((report) => report.state === "complete") ? exitCodes.done : exitCodes.partial;
}

/** A capture that is damaged before its first packet has given nothing, whatever its state is called. */
function hasBeenUsed(report: CaptureReport): boolean {
  return report.state === "complete" || (report.state === "partial" && report.packets > 0);
}

/** One line for each capture that was not read to its end. */
export function describeTrouble(reports: readonly CaptureReport[]): string[] {
  return reports
    .filter((report) => report.state !== "complete")
    .map((report) => printable(`${report.name}: ${describeReason(report)}`));
}

/** The reason, with the offset where one is known. */
export function describeReason(report: CaptureReport): string {
  const { alreadyIngestedAs } = report;
  const known = alreadyIngestedAs === undefined ? [] : [`already ingested as ${alreadyIngestedAs}`];
  const offset = report.reasonOffset;
  const where = offset === undefined ? "" : ` (at octet ${offset})`;
  const grown =
    report.grewFrom === undefined ? [] : [`grown: ${formatCount(report.grewFrom)} packets were known`];
  const reason = report.reason === undefined ? [] : [`${report.reason}${where}`];
  const again = report.tagsCheckedAgain === true ? ["known; tags checked again"] : [];
  const unchecked =
    report.uncheckedTags === undefined
      ? []
      : [`${formatCount(report.uncheckedTags)} ${report.uncheckedTags === 1 ? "tag" : "tags"} without a key`];
  const ahead = secondsAhead(report);
  const future = ahead === undefined ? [] : [`its clock is ${formatSpan(ahead)} ahead of this machine's`];
  return [...known, ...grown, ...again, ...unchecked, ...future, ...reason].join("; ");
}
