/** Secondary leak (the paper, section 6.1): whom the peers of a flagged host reached after it had reached them. */
import type { HostList, SecondHop } from "../../../analytics/host-lists.ts";
import { fetchHostList } from "../api-client.ts";
import { h } from "../element.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
import type { PageContext } from "../pages/page.ts";
import { peerCell } from "../parts/host-link.ts";
import { panel } from "../parts/panel.ts";
import { serverTable } from "../parts/server-table.ts";
import { absoluteTime } from "../parts/time.ts";
import { sortList } from "./sort-list.ts";

export function secondHopPanel(list: HostList<SecondHop>, context: PageContext): HTMLElement {
  const { view, signal } = context;
  const { rows, total } = list;
  const shown =
    total === 0
      ? h("p", { class: "empty" }, "None of them was seen to reach anybody after that.")
      : serverTable<SecondHop>({
          id: "second-hop",
          caption: "Second hop",
          rows,
          total,
          sort: view.listSorts["second-hop"] === "" ? "first-passed" : view.listSorts["second-hop"],
          onSort: sortList("second-hop", context),
          loadMore: (offset) => fetchHostList("second-hop", view, offset, signal),
          columns: [
            {
              title: "Through",
              cell: (hop) =>
                peerCell(
                  {
                    address: hop.via,
                    flaggedSince: hop.viaContact,
                    ...(hop.viaName === undefined ? {} : { name: hop.viaName }),
                  },
                  view,
                  "plain",
                ),
            },
            { title: "Reached by this host", cell: (hop) => absoluteTime(hop.viaContact) },
            { title: "Passed on to", cell: (hop) => peerCell(hop, view) },
            { title: "First after that", cell: (hop) => absoluteTime(hop.firstPassed), sort: "first-passed" },
            { title: "Flows", cell: (hop) => formatCount(hop.flows), numeric: true, sort: "flows" },
            {
              title: "Acknowledged",
              meaning: "payload that the other side acknowledged",
              cell: (hop) => formatOctets(hop.acknowledgedOctets),
              numeric: true,
              sort: "acknowledged",
            },
          ],
        });
  return panel(
    { id: "second-hop", title: "Second hop", note: "Whom its peers reached after it had reached them." },
    h("p", { class: "caveat", role: "note" }, caveat(list)),
    shown,
  );
}

/** What cannot be seen is more than what can: it is said before the list, not after it. */
function caveat({ reached = 0, followed = 0 }: HostList<SecondHop>): string {
  if (reached === 0) return "It reached nobody, so nothing can have been passed on.";
  const seen =
    followed === 0
      ? `None of the ${formatPlural(reached, "peer")} is flagged itself`
      : `${formatCount(followed)} of ${formatPlural(reached, "peer")} ${followed === 1 ? "is" : "are"} flagged`;
  return (
    `${seen}: only a flagged host marks its packets, so what the others pass on cannot be seen here. ` +
    "What is listed is contact after contact: it may have carried what left this host, or something else."
  );
}
