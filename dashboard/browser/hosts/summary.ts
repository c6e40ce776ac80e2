/** The situation in one line of figures: of all hosts, whatever the filter. */
import type { RankingSummary } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount } from "../number-text.ts";
import { bandBadge, bands } from "../parts/severity.ts";

export function rankingSummary(summary: RankingSummary): HTMLElement {
  const { blockedButPassing: leaking } = summary;
  return h(
    "dl",
    { class: "summary" },
    figure("Ranked", formatCount(summary.ranked)),
    figure(
      "By band",
      bands
        .filter((band) => summary.bands[band] > 0)
        .map((band) => h("span", { class: "band-count" }, bandBadge(band), formatCount(summary.bands[band]))),
    ),
    figure("Still passing", formatCount(summary.passing)),
    leaking === 0 ? undefined : figure("Blocked, still passing", formatCount(leaking)),
    figure("Contained", formatCount(summary.contained)),
    figure("Not ranked", formatCount(summary.unranked)),
  );
}

function figure(name: string, value: Child): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}
