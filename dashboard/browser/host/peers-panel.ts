/** Exposure: whom a flagged host reached after its detection, with octets both ways. */
import type { ExposedPeer, HostList } from "../../../analytics/host-lists.ts";
import { fetchHostList } from "../api-client.ts";
import { h } from "../element.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
import type { PageContext } from "../pages/page.ts";
import { peerCell } from "../parts/host-link.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { panel } from "../parts/panel.ts";
import { serverTable } from "../parts/server-table.ts";
import { absoluteTime, relativeTime } from "../parts/time.ts";
import { sortList } from "./sort-list.ts";

export function peersPanel({ rows, total, asOf }: HostList<ExposedPeer>, context: PageContext): HTMLElement {
  const { view, signal } = context;
  if (total === 0) {
    return panel(
      { id: "peers", title: "Peers after detection" },
      h("p", { class: "empty" }, "Nothing shows that it reached anybody."),
    );
  }
  const note = `${formatPlural(total, "host")} that answered it: each may hold what left it.`;
  return panel(
    {
      id: "peers",
      title: "Peers after detection",
      note,
      aside: exportMenu("peers", () => ({ host: view.address, asOf: view.asOf })),
    },
    serverTable<ExposedPeer>({
      id: "peers",
      caption: "Peers after detection",
      rows,
      total,
      sort: view.listSorts.peers === "" ? "sent" : view.listSorts.peers,
      onSort: sortList("peers", context),
      loadMore: (offset) => fetchHostList("peers", view, offset, signal),
      columns: [
        { title: "Peer", cell: (peer) => peerCell(peer, view) },
        { title: "First contact", cell: (peer) => absoluteTime(peer.firstContact), sort: "first-contact" },
        { title: "Last seen", cell: (peer) => relativeTime(peer.lastSeen, asOf), sort: "last-seen" },
        {
          title: "Sent",
          meaning:
            "octets of IP packets to the peer; where only an agent saw them, of those that it let through",
          cell: (peer) => formatOctets(peer.sentOctets),
          numeric: true,
          sort: "sent",
        },
        {
          title: "Received",
          meaning: "octets of IP packets from the peer",
          cell: (peer) => formatOctets(peer.receivedOctets),
          numeric: true,
          sort: "received",
        },
        {
          title: "Acknowledged",
          meaning: "payload that the peer acknowledged: it has arrived",
          cell: (peer) => formatOctets(peer.acknowledgedOctets),
          numeric: true,
          sort: "acknowledged",
        },
        { title: "Flows", cell: (peer) => formatCount(peer.flows), numeric: true, sort: "flows" },
        { title: "Passed", cell: (peer) => formatCount(peer.flowsPassed), numeric: true },
        {
          title: "Packets stopped",
          cell: (peer) => formatCount(peer.packetsStopped),
          numeric: true,
          sort: "stopped",
        },
      ],
    }),
  );
}
