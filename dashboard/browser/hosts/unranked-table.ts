/** Hosts whose marks cannot count: shown, so that nobody wonders where they are, and never ranked. */
import type { Ranking, UnrankedHost } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import { hostLink } from "../parts/host-link.ts";
import { formatCount } from "../number-text.ts";
import { panel } from "../parts/panel.ts";
import { activityChip, trustBadge } from "../parts/severity.ts";
import { table } from "../parts/table.ts";
import { absoluteTime, relativeTime } from "../parts/time.ts";
import type { View } from "../view.ts";

const reasons: Readonly<Record<UnrankedHost["reason"], string>> = {
  implausible: "implausible: detected after the packet, or more than ten years before",
  "does not verify": "the tag of the mark does not verify: forged, or rewritten on the way",
};

export function unrankedTable({ unranked, summary, asOf }: Ranking, view: View): HTMLElement {
  const newest =
    unranked.length < summary.unranked
      ? ` The newest ${formatCount(unranked.length)} of ${formatCount(summary.unranked)}.`
      : "";
  return panel(
    {
      id: "unranked",
      title: "Not ranked",
      note: `Their marks are implausible or do not verify, so they accuse nobody.${newest}`,
    },
    table<UnrankedHost>(
      "Hosts that are not ranked",
      [
        { title: "Host", cell: (host) => hostLink(host, view) },
        { title: "Why", cell: (host) => reasons[host.reason] },
        {
          title: "Claims",
          cell: (host) => h("span", { class: "chips" }, host.detections.slice(0, 3).map(activityChip)),
        },
        {
          title: "Detected at",
          cell: ({ detections: [first] }) =>
            first ? [absoluteTime(first.detectedAt), " ", trustBadge(first.trust)] : "",
        },
        { title: "Last seen", cell: (host) => relativeTime(host.lastSeen, asOf) },
      ],
      unranked,
    ),
  );
}
