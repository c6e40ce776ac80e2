/** States of triage as people see them: a sign and a word, so that no colour has to be told apart. */
import type { HostTriage, TriageState } from "../../../analytics/triage/triage.ts";
import { h } from "../element.ts";
import { formatTime } from "../time-text.ts";

export const stateNames: Readonly<Record<TriageState, string>> = {
  new: "New",
  acknowledged: "Acknowledged",
  contained: "Contained by hand",
  "false-positive": "False positive",
  closed: "Closed",
};

const signs: Readonly<Record<TriageState, string>> = {
  new: "●",
  acknowledged: "◐",
  contained: "■",
  "false-positive": "✕",
  closed: "✓",
};

/** Nothing for a host that nobody decided about. */
export function triageBadge(triage: HostTriage | undefined): HTMLElement | undefined {
  if (!triage) return undefined;
  const { state, decidedState, who, decidedAt, note } = triage;
  if (state === "new" && decidedState === undefined) return undefined;
  const decision = `${who}, ${formatTime(decidedAt)}${note === undefined ? "" : `: ${note}`}`;
  const title =
    decidedState === undefined
      ? decision
      : `Something was detected since it was decided: ${stateNames[decidedState]} (${decision})`;
  return h(
    "span",
    { class: `triage is-${state}`, title },
    h("span", { class: "triage-sign", "aria-hidden": "true" }, signs[state]),
    decidedState === undefined ? stateNames[state] : "New again",
  );
}
