/** The situation in one line of figures. */
import type { Ranking } from "../../../analytics/store.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount } from "../number-text.ts";
import { isBlockedButSeen } from "./blocked-but-seen.ts";
import { bandBadge, bands } from "../parts/severity.ts";

export function rankingSummary({ hosts, unranked }: Ranking): HTMLElement {
  const contained = hosts.filter((host) => host.contained).length;
  const passing = hosts.filter((host) => !host.contained && host.flowsPassed > 0).length;
  const leaking = hosts.filter(isBlockedButSeen).length;
  const inBand = bands.map((band) => ({ band, count: hosts.filter((host) => host.band === band).length }));
  return h(
    "dl",
    { class: "summary" },
    figure("Ranked", formatCount(hosts.length)),
    figure(
      "By band",
      inBand
        .filter(({ count }) => count > 0)
        .map(({ band, count }) => h("span", { class: "band-count" }, bandBadge(band), formatCount(count))),
    ),
    figure("Still passing", formatCount(passing)),
    leaking === 0 ? undefined : figure("Blocked, still passing", formatCount(leaking)),
    figure("Contained", formatCount(contained)),
    figure("Not ranked", formatCount(unranked.length)),
  );
}

function figure(name: string, value: Child): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}
