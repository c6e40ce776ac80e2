/** What enforcement points did to packets of one host: the newest, and older ones when asked for. */
import type { EnforcementEntry, HostReport } from "../../../analytics/store.ts";
import { fetchEvents } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import { formatCount } from "../number-text.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { panel } from "../parts/panel.ts";
import { table } from "../parts/table.ts";
import { absoluteTime } from "../parts/time.ts";

/** Rows to begin with, and those of a part that was asked for. */
const firstRows = 50;

export function enforcementLog(
  { asOf, events, eventCount, olderEvents }: HostReport,
  address: string,
  signal: AbortSignal,
): HTMLElement {
  if (eventCount === 0) {
    return panel(
      { id: "enforcement", title: "Enforcement" },
      h("p", { class: "empty" }, "No enforcement point has reported a packet of this host."),
    );
  }
  const place = h("div");
  const problem = h("p", { class: "panel-text", role: "alert", hidden: true });
  const show = (known: readonly EnforcementEntry[], next: string | undefined, rows: number): void => {
    const older = async (button: HTMLButtonElement): Promise<void> => {
      button.disabled = true;
      try {
        const page = await fetchEvents(address, next ?? "", signal);
        problem.hidden = true;
        show([...known, ...page.events], page.next, known.length + firstRows);
      } catch (error) {
        button.disabled = false;
        problem.hidden = false;
        problem.textContent = `Older events did not come: ${error instanceof Error ? error.message : String(error)}`;
      }
    };
    replaceChildren(place, [
      eventTable(known, rows),
      ...(next === undefined ? [] : [olderButton(eventCount - known.length, older)]),
    ]);
  };
  show(events, olderEvents, firstRows);
  return panel(
    {
      id: "enforcement",
      title: "Enforcement",
      note: `${formatCount(eventCount)} packets were acted on.`,
      aside: exportMenu("events", () => ({ host: address, asOf: String(asOf) })),
    },
    place,
    problem,
  );
}

function olderButton(left: number, older: (button: HTMLButtonElement) => Promise<void>): HTMLElement {
  const button = h(
    "button",
    { type: "button", class: "button older" },
    `Load older ones: ${formatCount(left)} left`,
  );
  button.addEventListener("click", () => void older(button));
  return button;
}

function eventTable(events: readonly EnforcementEntry[], rows: number): HTMLElement {
  return table<EnforcementEntry>(
    "Enforcement events",
    [
      { title: "Time", cell: (event) => absoluteTime(event.time) },
      { title: "Verdict", cell: (event) => h("span", { class: "outcome" }, event.verdict) },
      { title: "Rule", cell: (event) => h("bdi", {}, event.rule ?? "–") },
      { title: "Peer", cell: (event) => h("bdi", { class: "address" }, event.peer) },
      { title: "Peer port", cell: (event) => event.peerPort, numeric: true },
      { title: "Host port", cell: (event) => event.hostPort, numeric: true },
    ],
    events,
    rows,
  );
}
