/** The flows that a host marked, and what became of each. */
import type { HostFlow } from "../../../analytics/store.ts";
import { fetchHostList } from "../api-client.ts";
import { h } from "../element.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
import type { PageContext } from "../pages/page.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { hostName } from "../parts/host-link.ts";
import { panel } from "../parts/panel.ts";
import { serverTable } from "../parts/server-table.ts";
import { absoluteTime } from "../parts/time.ts";
import { sortList } from "./sort-list.ts";

const outcomeSigns: Readonly<Record<HostFlow["outcome"], string>> = {
  passed: "→",
  stopped: "×",
  unanswered: "·",
  connected: "↔",
};

export function flowsPanel(
  { rows, total }: { rows: readonly HostFlow[]; total: number },
  context: PageContext,
): HTMLElement {
  const { view, signal } = context;
  return panel(
    {
      id: "flows",
      title: "Flows",
      note: `${formatPlural(total, "flow")} that it marked.`,
      aside: exportMenu("flows", () => ({ host: view.address, asOf: view.asOf })),
    },
    serverTable<HostFlow>({
      id: "flows",
      caption: "Flows",
      rows,
      total,
      sort: view.listSorts.flows === "" ? "last-seen" : view.listSorts.flows,
      onSort: sortList("flows", context),
      loadMore: (offset) => fetchHostList("flows", view, offset, signal),
      columns: [
        {
          title: "Outcome",
          cell: ({ outcome }) =>
            h("span", { class: `outcome ${outcome}` }, `${outcomeSigns[outcome]} ${outcome}`),
        },
        { title: "Peer", cell: ({ peer, peerName }) => hostName(peer, peerName) },
        { title: "Peer port", cell: (flow) => flow.peerPort, numeric: true },
        { title: "Host port", cell: (flow) => flow.hostPort, numeric: true },
        { title: "First seen", cell: (flow) => absoluteTime(flow.firstSeen), sort: "first-seen" },
        { title: "Last seen", cell: (flow) => absoluteTime(flow.lastSeen), sort: "last-seen" },
        {
          title: "Marked packets",
          cell: (flow) => formatCount(flow.markedPackets),
          numeric: true,
          sort: "packets",
        },
        { title: "Sent", cell: (flow) => formatOctets(flow.markedOctets), numeric: true, sort: "sent" },
        {
          title: "Acknowledged",
          meaning: "payload that the peer acknowledged",
          cell: (flow) => formatOctets(flow.acknowledgedOctets),
          numeric: true,
          sort: "acknowledged",
        },
      ],
    }),
  );
}
