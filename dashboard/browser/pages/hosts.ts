/** The first page: which hosts are flagged, for what, since when, and how bad that is. */
import type { RankedHost, Ranking } from "../../../analytics/store.ts";
import { fetchRanking } from "../api-client.ts";
import { elapsedChart, severityLegend } from "../charts/elapsed.ts";
import { h, replaceChildren } from "../element.ts";
import { groupByActivity } from "../hosts/groups.ts";
import { hostTable } from "../hosts/host-table.ts";
import { rankingSummary } from "../hosts/summary.ts";
import { unrankedTable } from "../hosts/unranked-table.ts";
import { formatCount, formatPlural } from "../number-text.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { problemOf } from "../problem.ts";
import { panel } from "../parts/panel.ts";
import { severityLabel } from "../parts/severity.ts";
import { createPicks } from "../triage/picks.ts";
import type { Picks } from "../triage/picks.ts";
import type { View } from "../view.ts";
import type { Page, PageContext } from "./page.ts";

export async function hostsPage(context: PageContext): Promise<Page> {
  const ranking = await fetchRanking(context.view, 0, context.signal);
  const isEmpty = ranking.summary.ranked === 0 && ranking.summary.unranked === 0;
  return {
    title: "Flagged hosts",
    asOf: { time: ranking.asOf, isAsked: ranking.asOfSource === "asked", source: ranking.asOfSource },
    content: isEmpty ? nothingYet(context, ranking) : evidence(context, ranking),
  };
}

/** A pause in typing, after which the server is asked. Milliseconds. */
const typingPause = 120;

function evidence(context: PageContext, ranking: Ranking): HTMLElement {
  const { note } = context;
  const list = h("div", { class: "host-list" });
  const chart = h("div");
  const count = h("span", { class: "count", role: "status" });
  let current = { filter: context.view.filter, asOf: ranking.asOf, total: ranking.total };
  const picks = createPicks(list, { current: () => current, refresh: context.refresh });
  const show = (view: View, { hosts, total }: Pick<Ranking, "hosts" | "total">): void => {
    if (current.filter !== view.filter) picks.reset();
    current = { filter: view.filter, asOf: ranking.asOf, total };
    count.textContent = countText(hosts.length, total, ranking.summary.ranked);
    const more = async (): Promise<void> => {
      const next = await fetchRanking(view, hosts.length, context.signal);
      show(view, { hosts: [...hosts, ...next.hosts], total: next.total });
    };
    replaceChildren(
      list,
      hostList(hosts, ranking.asOf, view, context, picks),
      hosts.length < total ? moreButton(total - hosts.length, more) : undefined,
    );
    replaceChildren(
      chart,
      elapsedChart(hosts, ranking.asOf, view),
      hosts.length < total
        ? h(
            "p",
            { class: "note chart-note" },
            `Of the first ${formatCount(hosts.length)} hosts of the list below.`,
          )
        : undefined,
    );
  };
  const ask = latest(context.signal, async (view: View, signal) => {
    const found = await fetchRanking(view, 0, signal);
    if (!signal.aborted) show(view, found);
  });
  let typed = context.view.filter;
  const filter = filterBox(context.view.filter, (text) => {
    typed = text;
    const view = { ...context.view, filter: text };
    note(view);
    ask(view);
  });
  const rankingExport = (): HTMLElement =>
    exportMenu("hosts", () => {
      const { asOf, sort } = context.view;
      return { asOf, sort, filter: typed.trim() };
    });
  show(context.view, ranking);
  return h(
    "div",
    { class: "page hosts-page" },
    h("div", { class: "page-head" }, h("h1", {}, "Flagged hosts"), rankingSummary(ranking.summary)),
    ranking.summary.ranked === 0
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
        h("div", { class: "panel-aside" }, filter, groupChoice(context), rankingExport()),
      ),
      list,
      picks.bar,
    ),
    ranking.unranked.length === 0 ? undefined : unrankedTable(ranking, context.view),
  );
}

/** `First 200 of 1,204 hosts that fit, 10,000 in all`, and less where that says the same. */
function countText(shown: number, fitting: number, all: number): string {
  const first = shown < fitting ? `First ${formatCount(shown)} of ` : "";
  return fitting === all
    ? `${first}${formatPlural(all, "host")}`
    : `${first}${formatCount(fitting)} of ${formatPlural(all, "host")}`;
}

function moreButton(left: number, more: () => Promise<void>): HTMLElement {
  const button = h(
    "button",
    { type: "button", id: "more-hosts", class: "button more" },
    `Ask for more: ${formatPlural(left, "host")} left`,
  );
  button.addEventListener("click", () => {
    button.disabled = true;
    more().catch((error: unknown) => {
      button.disabled = false;
      button.textContent = `Try again: ${problemOf(error)}`;
    });
  });
  return button;
}

/** Runs `work` after a pause, for the last of what was asked for; what was under way is given up. */
function latest<Input>(
  outer: AbortSignal,
  work: (input: Input, signal: AbortSignal) => Promise<void>,
): (input: Input) => void {
  let running = new AbortController();
  let pause: ReturnType<typeof setTimeout> | undefined;
  return (input) => {
    running.abort();
    running = new AbortController();
    const signal = AbortSignal.any([outer, running.signal]);
    clearTimeout(pause);
    pause = setTimeout(() => {
      // What was given up is no failure; the next word asks again.
      work(input, signal).catch(() => undefined);
    }, typingPause);
  };
}

function hostList(
  hosts: readonly RankedHost[],
  asOf: number,
  view: View,
  context: PageContext,
  picks: Picks,
): HTMLElement[] {
  if (hosts.length === 0) {
    const text = view.filter === "" ? "No host is ranked." : "No host fits the filter.";
    return [h("p", { class: "empty" }, text)];
  }
  // The server may not have answered to the last word of the filter yet.
  const go = (next: View): void =>
    context.go({ ...next, filter: next.page === "hosts" ? currentFilter() : "" });
  const options = { asOf, view, go, isPicked: (address: string) => picks.has(address) };
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
