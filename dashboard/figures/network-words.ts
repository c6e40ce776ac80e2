/** What the symbols of the network timeline say in words: beside the pointer, in the table, in the legend. */
import type { NetworkCut, NetworkMark, NetworkTimeline } from "../../analytics/network-timeline.ts";
import { formatCount, formatOctets, formatPlural } from "../browser/number-text.ts";
import { formatTime } from "../browser/time-text.ts";

/** What it was. */
export function nameOfMark({ kind, count, octets, title, severity }: NetworkMark): string {
  switch (kind) {
    case "detection":
      return `detected: ${title ?? ""} (${severity ?? ""})`;
    case "drop":
      return `${formatPlural(count, "packet")} stopped, ${formatOctets(octets)}`;
    case "exposure":
      return `${formatPlural(count, "flow")} passed, ${formatOctets(octets)}`;
  }
}

/** Seconds from the host's detection, and seconds since 1970: the scale has one of them. */
export function timesOfMark(timeline: NetworkTimeline, mark: NetworkMark): { elapsed: number; time: number } {
  const zero = timeline.rows[mark.host]?.firstDetected ?? 0;
  return timeline.scale === "elapsed"
    ? { elapsed: mark.at, time: zero + mark.at }
    : { elapsed: mark.at - zero, time: mark.at };
}

/** Everything about one symbol, in lines. */
export function describeMark(timeline: NetworkTimeline, mark: NetworkMark): string {
  const host = nameOfRow(timeline, mark.host);
  const { elapsed, time } = timesOfMark(timeline, mark);
  const who = mark.kind === "detection" ? host : `${host} → ${nameOfRow(timeline, mark.row)}`;
  return [nameOfMark(mark), who, `${formatElapsed(elapsed)} since detection · ${formatTime(time)}`].join(
    "\n",
  );
}

/** `+12.345 s` */
export function formatElapsed(seconds: number): string {
  const text = Math.abs(seconds).toFixed(3);
  return `${seconds < 0 ? "−" : "+"}${text} s`;
}

function nameOfRow({ rows }: NetworkTimeline, place: number): string {
  const row = rows[place];
  return row?.name === undefined ? (row?.address ?? "") : `${row.name} (${row.address})`;
}

/** What is not shown, in one sentence; nothing if all is. */
export function describeCut({ cut, rows, marks }: NetworkTimeline): string {
  const flagged = rows.filter(({ firstDetected }) => firstDetected !== undefined).length;
  const parts = cutParts(cut, { flagged, rows: rows.length, marks: marks.length });
  return parts.length === 0 ? "" : `Not everything is shown: ${parts.join("; ")}.`;
}

function cutParts(cut: NetworkCut, shown: { flagged: number; rows: number; marks: number }): string[] {
  const parts: string[] = [];
  if (cut.flaggedHosts !== undefined) {
    parts.push(
      `the ${formatCount(shown.flagged)} of ${formatCount(cut.flaggedHosts)} flagged hosts with the strongest detections`,
    );
  }
  if (cut.rows !== undefined) {
    parts.push(
      `${formatCount(shown.rows)} of ${formatCount(cut.rows)} hosts, flagged ones and those that something passed to first`,
    );
  }
  if (cut.marks !== undefined) {
    parts.push(
      `${formatCount(shown.marks)} of ${formatCount(cut.marks)} symbols, what passed before what was stopped`,
    );
  }
  return parts;
}
