/** The ranked hosts as a table; its headings are the orders that the API offers. */
import { isBlockedButSeen } from "./blocked-but-seen.ts";
import type { RankedHost, SortKey } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount, formatPlural } from "../number-text.ts";
import { hostLink } from "../parts/host-link.ts";
import { scoreCell } from "../parts/score.ts";
import { activityChip } from "../parts/severity.ts";
import { elapsedTime, relativeTime } from "../parts/time.ts";
import { triageBadge } from "../triage/states.ts";
import type { View } from "../view.ts";

interface HostTableOptions {
  /** Tells the sort buttons of several tables apart. */
  readonly id: string;
  readonly caption: string;
  readonly asOf: number;
  readonly view: View;
  readonly go: (view: View) => void;
  readonly isPicked: (address: string) => boolean;
}

interface HostColumn {
  readonly title: string;
  readonly meaning?: string;
  /** The first one when the heading is pressed; pressed again, the next one. */
  readonly sorts?: readonly SortKey[];
  readonly kind: string;
  readonly numeric?: boolean;
  readonly cell: (host: RankedHost, asOf: number, view: View) => Child;
}

/** Rows that are built at once; more come when asked for. */
const rowLimit = 200;
const shownChips = 2;

const columns: readonly HostColumn[] = [
  { title: "Host", kind: "host", cell: (host, _asOf, view) => hostLink(host, view) },
  { title: "Score", kind: "score", sorts: ["score"], cell: (host) => scoreCell(host.score, host.band) },
  { title: "Activities", kind: "activities", sorts: ["activity"], cell: chips },
  {
    title: "Elapsed",
    meaning: "time elapsed since the oldest detection that counts",
    kind: "elapsed",
    sorts: ["elapsed", "elapsed-asc"],
    cell: (host, asOf) => elapsedTime(host.firstDetected, asOf),
  },
  {
    title: "Last seen",
    meaning: "last marked packet",
    kind: "last-seen",
    sorts: ["last-seen"],
    cell: (host, asOf) => relativeTime(host.lastSeen, asOf),
  },
  {
    title: "Passed 1 h",
    meaning: "flows of the last hour that got through",
    kind: "passed",
    numeric: true,
    cell: (host) => muteZero(host.flowsPassed),
  },
  {
    title: "Stopped 1 h",
    meaning: "flows of the last hour that were stopped",
    kind: "stopped",
    numeric: true,
    cell: (host) => muteZero(host.flowsStopped),
  },
  {
    title: "Peers",
    meaning: "hosts reached after detection",
    kind: "peers",
    numeric: true,
    sorts: ["peers"],
    cell: (host) => muteZero(host.peers),
  },
  {
    title: "State",
    kind: "state",
    cell: (host) => [stateBadge(host), unmarkedBadge(host), triageBadge(host.triage)],
  },
];

export function hostTable(hosts: readonly RankedHost[], options: HostTableOptions): HTMLElement {
  const body = h("tbody");
  const more = h("button", { type: "button", class: "button more" });
  const show = (): void => {
    const from = body.childElementCount;
    body.append(
      ...hosts.slice(from, from + rowLimit).map((host, index) => hostRow(host, from + index, options)),
    );
    more.hidden = body.childElementCount === hosts.length;
    more.textContent = `Show more: ${formatPlural(hosts.length - body.childElementCount, "host")} left`;
  };
  more.addEventListener("click", show);
  show();
  return h(
    "div",
    { class: "table-scroll" },
    h(
      "table",
      { class: "hosts" },
      h("caption", { class: "sr-only" }, options.caption),
      h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "is-rank numeric" }, "#"), heads(options))),
      body,
    ),
    more,
  );
}

function heads({ id, view, go }: HostTableOptions): HTMLElement[] {
  return columns.map((column) => {
    const sorts = column.sorts ?? [];
    const position = sorts.indexOf(view.sort);
    const next = sorts[(position + 1) % Math.max(1, sorts.length)];
    const direction = position === -1 ? undefined : view.sort === "elapsed-asc" ? "ascending" : "descending";
    return h(
      "th",
      { scope: "col", class: classOf(column), "aria-sort": direction, title: column.meaning },
      next === undefined
        ? column.title
        : h(
            "button",
            {
              type: "button",
              id: `sort-${column.kind}-${id}`,
              class: "sort",
              // Not the filter that this table was built with: it is built anew with each change of the filter.
              onclick: () => go({ ...view, sort: next }),
            },
            column.title,
            h("span", { class: "sort-arrow", "aria-hidden": "true" }),
          ),
    );
  });
}

function classOf({ kind, numeric }: HostColumn): string {
  return `is-${kind}${numeric ? " numeric" : ""}`;
}

function hostRow(host: RankedHost, index: number, { asOf, view, isPicked }: HostTableOptions): HTMLElement {
  return h(
    "tr",
    { class: host.contained ? "is-contained" : undefined },
    h("td", { class: "is-rank numeric" }, pickBox(host, isPicked), index + 1),
    columns.map((column) =>
      h("td", { class: classOf(column), "data-title": column.title }, column.cell(host, asOf, view)),
    ),
  );
}

/** What it does is in triage/picks.ts. */
function pickBox({ address, name }: RankedHost, isPicked: (address: string) => boolean): HTMLElement {
  const label = `Pick ${name === undefined ? address : `${name} (${address})`}`;
  const checked = isPicked(address);
  return h("input", { type: "checkbox", class: "pick", value: address, checked, "aria-label": label });
}

function chips(host: RankedHost): Child {
  const shown = host.detections.slice(0, shownChips);
  const rest = host.detections.slice(shownChips);
  return h(
    "span",
    { class: "chips" },
    shown.map(activityChip),
    rest.length === 0
      ? undefined
      : h(
          "span",
          { class: "chip chip-rest", title: rest.map(({ title }) => title).join(", ") },
          `+${rest.length}`,
        ),
  );
}

function muteZero(count: number): HTMLElement {
  return h("span", { class: count === 0 ? "zero" : undefined }, formatCount(count));
}

/** Contained, passing, or only seen; worst of all blocked somewhere and passing all the same, by another way or again. */
export function stateBadge(host: RankedHost): HTMLElement {
  if (host.contained) return h("span", { class: "state contained" }, "contained");
  if (isBlockedButSeen(host)) {
    const title = `${formatCount(host.flowsStopped)} flows were stopped, and ${formatCount(host.flowsPassed)} passed`;
    return h("span", { class: "state refused", title }, "blocked, still passing");
  }
  return host.flowsPassed > 0
    ? h("span", { class: "state passing" }, "passing")
    : h("span", { class: "state quiet" }, "quiet");
}

/** Nothing for a host that marks, or that sends nothing. */
export function unmarkedBadge({ unmarked }: RankedHost): HTMLElement | undefined {
  if (!unmarked) return undefined;
  const title = `${formatPlural(unmarked.packets, "packet")} without a mark since ${new Date(unmarked.since * 1000).toISOString()}`;
  return h("span", { class: "state refused", title }, "now unmarked");
}
