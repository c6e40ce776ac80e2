/** One host: why it scores what it scores, what was detected when, whom it reached, and what was done about it. */
import type { HostReport, RankedDetection, RankedHost, Unmarked } from "../../../analytics/store.ts";
import { unmarkedMeaning } from "../../../analytics/unmarked-meaning.ts";
import { findActivity, findCategory } from "../../../wire/code-book.ts";
import type { CodeBook } from "../../../wire/code-book.ts";
import { fetchHost, fetchHostList, fetchTriage } from "../api-client.ts";
import { timelineChart } from "../charts/timeline.ts";
import { explainTerms, waterfallChart } from "../charts/waterfall.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { enforcementLog } from "../hosts/enforcement-log.ts";
import { stateBadge, unmarkedBadge } from "../hosts/host-table.ts";
import { flowsPanel } from "../host/flows-panel.ts";
import { packetsPanel } from "../host/packets-panel.ts";
import { peersPanel } from "../host/peers-panel.ts";
import { secondHopPanel } from "../host/second-hop-panel.ts";
import { formatCount, formatPlural } from "../number-text.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { panel } from "../parts/panel.ts";
import { scoreBar } from "../parts/score.ts";
import { bandBadge, severityLabel, trustBadge } from "../parts/severity.ts";
import { table } from "../parts/table.ts";
import { absoluteTime, elapsedTime, relativeTime } from "../parts/time.ts";
import { triageBadge } from "../triage/states.ts";
import { triagePanel } from "../triage/triage-panel.ts";
import { hrefOf } from "../view.ts";
import type { View } from "../view.ts";
import type { Page, PageContext } from "./page.ts";

export async function hostPage(context: PageContext): Promise<Page> {
  const { view, codeBook, signal } = context;
  const [report, triage, peers, secondHop, flows] = await Promise.all([
    fetchHost(view, signal),
    fetchTriage(view.address, signal),
    fetchHostList("peers", view, 0, signal),
    fetchHostList("second-hop", view, 0, signal),
    // In the usual order the report brings them along.
    view.listSorts.flows === "" ? undefined : fetchHostList("flows", view, 0, signal),
  ]);
  const { ranked, unranked, asOf } = report;
  const detections = ranked?.detections ?? unranked?.detections ?? [];
  const name = ranked?.name ?? unranked?.name;
  return {
    title: name === undefined ? view.address : `${name} (${view.address})`,
    asOf: { time: asOf, isAsked: view.asOf !== "", source: "newest" },
    content: h(
      "div",
      { class: "page host-page" },
      h(
        "div",
        { class: "page-head host-head" },
        h("a", { class: "back", href: hrefOf({ ...view, page: "hosts", address: "" }) }, "← Flagged hosts"),
        h(
          "div",
          { class: "host-title" },
          h("h1", {}, h("bdi", {}, name ?? view.address)),
          name === undefined ? undefined : h("bdi", { class: "address" }, view.address),
          ranked ? [stateBadge(ranked), unmarkedBadge(ranked), triageBadge(ranked.triage)] : undefined,
        ),
        ranked ? hostFacts(ranked, asOf) : undefined,
      ),
      ranked?.unmarked ? unmarkedPanel(ranked.unmarked, asOf) : undefined,
      ranked ? scorePanel(ranked) : whyUnranked(report),
      triagePanel({
        address: view.address,
        triage: ranked?.triage,
        entries: triage.entries,
        refresh: context.refresh,
      }),
      panel(
        { id: "timeline", title: "Timeline", note: "UTC" },
        timelineChart(report, detections, triage.entries),
      ),
      detectionsPanel(detections, asOf, codeBook, view),
      peersPanel(peers, context),
      secondHopPanel(secondHop, context),
      flowsPanel(flows ?? { rows: report.flows, total: report.flowCount }, context),
      enforcementLog(report, view.address, signal),
      packetsPanel(context, detections),
    ),
  };
}

function hostFacts(host: RankedHost, asOf: number): HTMLElement {
  const fact = (name: string, value: Child): HTMLElement =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "summary" },
    fact("Elapsed since detection", elapsedTime(host.firstDetected, asOf)),
    fact("Last seen", relativeTime(host.lastSeen, asOf)),
    fact("Flows passed, last hour", formatCount(host.flowsPassed)),
    fact("Flows stopped, last hour", formatCount(host.flowsStopped)),
    fact("Peers reached", formatCount(host.peers)),
    fact("Marked packets", formatCount(host.markedPackets)),
  );
}

function scorePanel(host: RankedHost): HTMLElement {
  return panel(
    { id: "score", title: "Score", note: "Each step adds to the one before; the steps sum to the score." },
    h(
      "div",
      { class: "score-panel" },
      h(
        "div",
        { class: "score-sum" },
        h(
          "p",
          { class: `score-large band-${host.band}` },
          bandBadge(host.band),
          h("span", {}, host.score.toFixed(1)),
        ),
        scoreBar(host.score, host.band),
        explainTerms(host),
      ),
      waterfallChart(host),
    ),
  );
}

function unmarkedPanel({ since, lastSeen, packets }: Unmarked, asOf: number): HTMLElement {
  return panel(
    { id: "unmarked", title: "Now unmarked", note: "It counts for nothing in the score." },
    h(
      "p",
      { class: "panel-text" },
      `It sent at least ${formatPlural(packets, "TCP packet")} without a mark since `,
      absoluteTime(since),
      ", the last ",
      relativeTime(lastSeen, asOf),
      ".",
    ),
    h("p", { class: "panel-text" }, unmarkedMeaning),
  );
}

function whyUnranked({ unranked }: HostReport): HTMLElement {
  const reason =
    unranked?.reason === "does not verify"
      ? "The tags of its marks do not verify: they are forged, or an address or port was rewritten on the way."
      : "Its marks tell of detections after the packet, or more than ten years before.";
  return h(
    "div",
    { class: "panel nothing" },
    h("h2", {}, "Not ranked"),
    h("p", {}, unranked ? reason : "By that time no packet of it had been seen with a mark that counts."),
  );
}

function detectionsPanel(
  detections: readonly RankedDetection[],
  asOf: number,
  codeBook: CodeBook,
  view: View,
): HTMLElement {
  return panel(
    {
      id: "detections",
      title: "Detections",
      note: "Repeats in packets do not count again.",
      aside: exportMenu("detections", () => ({ host: view.address, asOf: view.asOf })),
    },
    table<RankedDetection>(
      "Detections",
      [
        { title: "Severity", cell: ({ severity }) => severityLabel(severity) },
        { title: "What was detected", cell: (detection) => whatWasDetected(detection, codeBook) },
        { title: "ATT&CK", cell: ({ attack }) => attack ?? h("span", { class: "zero" }, "–") },
        { title: "Detected", cell: ({ detectedAt }) => absoluteTime(detectedAt) },
        { title: "Elapsed", cell: ({ detectedAt }) => elapsedTime(detectedAt, asOf), numeric: true },
        { title: "Last seen", cell: ({ lastSeen }) => relativeTime(lastSeen, asOf), numeric: true },
        { title: "Packets", cell: ({ packets }) => formatCount(packets), numeric: true },
        { title: "Trust", cell: ({ trust }) => trustBadge(trust) },
        { title: "p now", cell: ({ probability }) => probability.toFixed(2), numeric: true },
      ],
      detections,
    ),
  );
}

function whatWasDetected({ category, activity, title }: RankedDetection, codeBook: CodeBook): Child {
  const known = findActivity(codeBook, category, activity);
  const kind = findCategory(codeBook, category)?.title ?? `category ${category}`;
  return h(
    "div",
    { class: "detected" },
    h("strong", {}, h("bdi", {}, title)),
    h("span", { class: "detected-codes" }, `${kind} · ${category}/${activity}`),
    h("p", {}, known?.description ?? "The code book has no entry for these numbers."),
  );
}
