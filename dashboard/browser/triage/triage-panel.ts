/** How one host stands: the decision to take, and every one that was taken. */
import type { HostTriage, TriageEntry } from "../../../analytics/triage/triage.ts";
import { h } from "../element.ts";
import { panel } from "../parts/panel.ts";
import { table } from "../parts/table.ts";
import { absoluteTime } from "../parts/time.ts";
import { decisionForm } from "./decision-form.ts";
import { stateNames, triageBadge } from "./states.ts";

export interface TriagePanelOptions {
  readonly address: string;
  readonly triage: HostTriage | undefined;
  /** Of this host, newest first. */
  readonly entries: readonly TriageEntry[];
  readonly refresh: () => void;
}

export function triagePanel({ address, triage, entries, refresh }: TriagePanelOptions): HTMLElement {
  const state = triage?.state ?? "new";
  const note = "It orders the queue and leaves the score alone.";
  return panel(
    { id: "triage", title: "Triage", note, aside: triageBadge(triage) },
    decisionForm({
      id: "decide",
      hosts: { addresses: [address] },
      count: 1,
      state: state === "new" ? "acknowledged" : state,
      onDecided: refresh,
    }),
    entries.length === 0
      ? h("p", { class: "empty" }, "Nobody has decided about this host yet.")
      : table<TriageEntry>(
          "Decisions",
          [
            { title: "When", cell: ({ decidedAt }) => absoluteTime(decidedAt) },
            { title: "Who", cell: ({ who }) => h("bdi", {}, who) },
            { title: "State", cell: (entry) => stateNames[entry.state] },
            { title: "Note", cell: noteOf },
          ],
          entries,
          10,
        ),
  );
}

function noteOf({ note, undoes }: TriageEntry): HTMLElement {
  return h("bdi", {}, undoes === undefined ? (note ?? "") : `takes back change ${undoes}`);
}
