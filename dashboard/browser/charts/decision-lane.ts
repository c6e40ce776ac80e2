/** What people decided about the host, as a lane of its timeline: a star for each decision. */
import { dot } from "@observablehq/plot";
import type { Markish } from "@observablehq/plot";
import type { TriageEntry } from "../../../analytics/triage/triage.ts";
import { stateNames } from "../triage/states.ts";
import { formatTime } from "../time-text.ts";
import { visible } from "../visible.ts";

export const decisionLane = "Decisions";

/** Decisions often come days after the packets: those stand at the edge of the scale, and say when they were. */
export function decisionDots(
  entries: readonly TriageEntry[],
  scale: { readonly start: number; readonly end: number },
  tip: object,
): Markish {
  const place = ({ decidedAt }: TriageEntry): Date =>
    new Date(Math.min(scale.end, Math.max(scale.start, decidedAt)) * 1000);
  return dot(entries, {
    x: place,
    y: () => decisionLane,
    symbol: "star",
    r: 5,
    fill: "var(--accent)",
    stroke: "var(--panel)",
    title: describe,
    tip,
  });
}

function describe({ state, decidedAt, who, note, undoes }: TriageEntry): string {
  const what = undoes === undefined ? stateNames[state] : `${stateNames[state]}: a decision was taken back`;
  return visible(
    [what, `${who}, ${formatTime(decidedAt)}`, ...(note === undefined ? [] : [note])].join("\n"),
  );
}
