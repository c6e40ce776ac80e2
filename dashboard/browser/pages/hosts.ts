/** The first page: which hosts are flagged, for what, since when, and how bad that is. */
import type { RankedHost, Ranking } from "../../../analytics/store.ts";
import { fetchRanking } from "../api-client.ts";
import { elapsedChart, severityLegend } from "../charts/elapsed.ts";
import { h, replaceChildren } from "../element.ts";
import { filterHosts } from "../hosts/filter.ts";
import { groupByActivity } from "../hosts/groups.ts";
import { hostTable } from "../hosts/host-table.ts";
import { rankingSummary } from "../hosts/summary.ts";
import { unrankedTable } from "../hosts/unranked-table.ts";
import { formatCount } from "../number-text.ts";
import { panel } from "../parts/panel.ts";
import { severityLabel } from "../parts/severity.ts";
import type { View } from "../view.ts";
import type { Page, PageContext } from "./page.ts";

export async function hostsPage(context: PageContext): Promise<Page> {
  const ranking = await fetchRanking(context.view, context.signal);
  const isEmpty = ranking.hosts.length === 0 && ranking.unranked.length === 0;
  return {
    title: "Flagged hosts",
    asOf: { time: ranking.asOf, isAsked: ranking.asOfSource === "asked", source: ranking.asOfSource },
    content: isEmpty ? nothingYet(context, ranking) : evidence(context, ranking),
  };
}

function evidence(context: PageContext, ranking: Ranking): HTMLElement {
  const { view, note } = context;
  const list = h("div", { class: "host-list" });
  const chart = h("div");
  const count = h("span", { class: "count", role: "status" });
  const show = (filter: string): void => {
    const hosts = filterHosts(ranking.hosts, filter);
    const shownView = { ...view, filter };
    const all = ranking.hosts.length;
    count.textContent = `${formatCount(hosts.length)}${hosts.length === all ? "" : ` of ${formatCount(all)}`} hosts`;
    replaceChildren(list, hostList(hosts, ranking.asOf, shownView, context));
    replaceChildren(chart, elapsedChart(hosts, ranking.asOf, shownView));
  };
  const filter = filterBox(view.filter, (text) => {
    note({ ...view, filter: text });
    show(text);
  });
  show(view.filter);
  return h(
    "div",
    { class: "page hosts-page" },
    h("div", { class: "page-head" }, h("h1", {}, "Flagged hosts"), rankingSummary(ranking)),
    ranking.hosts.length === 0
      ? undefined
      : panel(
          { id: "elapsed", title: "Activity against time elapsed since detection", aside: severityLegend() },
          chart,
        ),
    h(
      "section",
      { class: "panel", "aria-labelledby": "ranked-title", id: "ranked" },
      h(
        "header",
        { class: "panel-head" },
        h("h2", { id: "ranked-title" }, "Ranking"),
        count,
        h("div", { class: "panel-aside" }, filter, groupChoice(context)),
      ),
      list,
    ),
    ranking.unranked.length === 0 ? undefined : unrankedTable(ranking.unranked, ranking.asOf, view),
  );
}

function hostList(
  hosts: readonly RankedHost[],
  asOf: number,
  view: View,
  context: PageContext,
): HTMLElement[] {
  if (hosts.length === 0) {
    const text = view.filter === "" ? "No host is ranked." : "No host fits the filter.";
    return [h("p", { class: "empty" }, text)];
  }
  const options = { asOf, view, go: context.go };
  if (view.group === "none") return [hostTable(hosts, { ...options, caption: "Ranked hosts", id: "all" })];
  return groupByActivity(hosts).map((group) =>
    h(
      "section",
      { class: "activity-group" },
      h(
        "h3",
        {},
        severityLabel(group.severity),
        h("bdi", {}, group.title),
        h("span", { class: "count" }, formatCount(group.hosts.length)),
      ),
      hostTable(group.hosts, { ...options, caption: group.title, id: group.key }),
    ),
  );
}

function filterBox(initial: string, onChange: (text: string) => void): HTMLElement {
  const input = h("input", {
    id: "filter",
    type: "search",
    placeholder: "Filter: name, address, activity, critical, contained …",
    "aria-label": "Filter the hosts",
    value: initial,
    autocomplete: "off",
    spellcheck: "false",
  });
  input.addEventListener("input", () => onChange(input.value.trim()));
  return h("span", { class: "filter" }, input, h("kbd", { "aria-hidden": "true" }, "/"));
}

function groupChoice({ view, go }: PageContext): HTMLElement {
  const choice = (group: View["group"], label: string): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        id: `group-${group}`,
        class: "button",
        "aria-pressed": String(view.group === group),
        // The filter may have changed since this was built; the address has it.
        onclick: () => go({ ...view, filter: currentFilter(), group }),
      },
      label,
    );
  return h(
    "span",
    { class: "button-group", role: "group", "aria-label": "Grouping" },
    choice("none", "One list"),
    choice("activity", "By activity"),
  );
}

function currentFilter(): string {
  return document.querySelector<HTMLInputElement>("#filter")?.value.trim() ?? "";
}

function nothingYet({ chooseFiles }: PageContext, ranking: Ranking): HTMLElement {
  const text =
    ranking.asOfSource === "asked"
      ? "Nothing had been seen by then. Move the time, or add a capture."
      : "Drop capture files anywhere on this page (pcap, pcapng, also compressed), and the hosts that tattle on themselves appear here, ranked.";
  return h(
    "div",
    { class: "page" },
    h("div", { class: "page-head" }, h("h1", {}, "Flagged hosts")),
    h(
      "div",
      { class: "panel nothing" },
      h("h2", {}, "No marked packet has been seen"),
      h("p", {}, text),
      h("button", { type: "button", class: "button primary", onclick: chooseFiles }, "Add captures"),
    ),
  );
}
