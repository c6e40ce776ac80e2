/** The network over time: who was detected, what was stopped on its way, and what passed (the paper's Figure 6). */
import type { NetworkMark, NetworkTimeline } from "../../../analytics/network-timeline.ts";
import { describeCut, formatElapsed, nameOfMark, timesOfMark } from "../../figures/network-words.ts";
import { protectedBy } from "../../figures/protected-networks.ts";
import { fetchNetwork } from "../api-client.ts";
import { chartFigure } from "../charts/figure.ts";
import { drawNetworkChart } from "../charts/network.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { networkControls, networkSymbol, zoomKeys } from "../network/controls.ts";
import { formatCount, formatOctets } from "../number-text.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { hostLink } from "../parts/host-link.ts";
import { table } from "../parts/table.ts";
import { absoluteTime } from "../parts/time.ts";
import type { View } from "../view.ts";
import { hrefOf } from "../view.ts";
import type { Page, PageContext } from "./page.ts";

export async function networkPage(context: PageContext): Promise<Page> {
  const { view, signal } = context;
  const timeline = await fetchNetwork(view, signal);
  return {
    title: "Network over time",
    asOf: { time: timeline.asOf, isAsked: timeline.asOfSource === "asked", source: timeline.asOfSource },
    content: h(
      "div",
      { class: "page network-page" },
      h("div", { class: "page-head" }, h("h1", {}, "Network over time"), summary(timeline)),
      h(
        "section",
        { class: "panel", "aria-labelledby": "network-title", id: "network" },
        h(
          "header",
          { class: "panel-head" },
          h("h2", { id: "network-title" }, "What left flagged hosts, and what was stopped"),
          h(
            "div",
            { class: "panel-aside" },
            legend(view.network.protect !== ""),
            exportMenu("network", () => exported(view)),
          ),
        ),
        networkControls(timeline, context),
        timeline.marks.length === 0 ? nothingShown(view) : chart(timeline, context),
      ),
    ),
  };
}

/** A stretch of elapsed time is none of the clock's: then all of it is exported. */
function exported({ asOf, network }: View): Record<string, string> {
  const { scale, from, to, host, leastOctets } = network;
  return { asOf, host, leastOctets, ...(scale === "utc" ? { from, to } : {}) };
}

function chart(timeline: NetworkTimeline, { view, go }: PageContext): HTMLElement {
  const cut = describeCut(timeline);
  const zoomTo = (from: number, to: number): void => go(zoomed(view, timeline, from, to));
  const figure = chartFigure({
    label:
      "Hosts over time: detections, packets stopped, flows passed. Plus and minus zoom, arrows move, 0 shows all.",
    draw: (width) =>
      drawNetworkChart(
        {
          timeline,
          isProtected: bandOf(view),
          hrefOf: (address) => hrefOf({ ...view, page: "host", address }),
          zoomTo,
          openHost: (address) => go({ ...view, page: "host", address }),
        },
        width,
      ),
    twin: twin(timeline, view),
  });
  const plot = figure.querySelector<HTMLElement>(".chart");
  plot?.setAttribute("tabindex", "0");
  plot?.setAttribute("id", "network-chart");
  plot?.addEventListener(
    "keydown",
    zoomKeys(timeline, zoomTo, () => go(unzoomed(view))),
  );
  return h("div", {}, cut === "" ? undefined : h("p", { class: "network-cut", role: "note" }, cut), figure);
}

function zoomed(view: View, { from, to }: NetworkTimeline, newFrom: number, newTo: number): View {
  // As many decimals as a thousandth of the stretch needs.
  const decimals = Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(Math.max(1e-6, to - from)))));
  const text = (time: number): string => String(Number(time.toFixed(decimals)));
  return { ...view, network: { ...view.network, from: text(newFrom), to: text(newTo) } };
}

function unzoomed(view: View): View {
  return { ...view, network: { ...view.network, from: "", to: "" } };
}

/** A network that cannot be read has no band; the field that it stands in says so. */
function bandOf(view: View): (address: string) => boolean {
  try {
    return protectedBy(view.network.protect);
  } catch {
    return () => false;
  }
}

function summary({ rows, marks }: NetworkTimeline): HTMLElement {
  const sum = (kind: NetworkMark["kind"]): number =>
    marks.reduce((total, mark) => total + (mark.kind === kind ? mark.count : 0), 0);
  const exposed = new Set(marks.flatMap(({ kind, row }) => (kind === "exposure" ? [row] : [])));
  const figure = (name: string, value: Child): HTMLElement =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "summary" },
    figure(
      "Flagged hosts",
      formatCount(rows.filter(({ firstDetected }) => firstDetected !== undefined).length),
    ),
    figure("Packets stopped", formatCount(sum("drop"))),
    figure("Flows passed", formatCount(sum("exposure"))),
    figure("To so many hosts", formatCount(exposed.size)),
  );
}

function legend(hasBand: boolean): HTMLElement {
  return h(
    "ul",
    { class: "legend network-legend" },
    h("li", {}, networkSymbol("detection"), "detection"),
    h("li", {}, networkSymbol("drop"), "stopped on the way to this host"),
    h("li", {}, networkSymbol("exposure"), "passed to this host"),
    hasBand ? h("li", {}, networkSymbol("band"), "protected network") : undefined,
  );
}

function nothingShown(view: View): HTMLElement {
  const isZoomed = view.network.from !== "" || view.network.to !== "";
  const text = isZoomed
    ? "Nothing happened in this stretch of time."
    : "No flagged host is known by then that this shows.";
  return h("p", { class: "empty" }, text);
}

function twin(timeline: NetworkTimeline, view: View): HTMLElement {
  const hostCell = (place: number): Child => {
    const row = timeline.rows[place];
    if (!row) return "";
    if (row.firstDetected !== undefined) return hostLink(row, view);
    return row.name === undefined
      ? h("bdi", { class: "address" }, row.address)
      : [h("bdi", { class: "host-name" }, row.name), " ", h("bdi", { class: "address" }, row.address)];
  };
  return table<NetworkMark>(
    "What happened, by kind and time",
    [
      { title: "What", cell: (mark) => [networkSymbol(mark.kind), " ", nameOfMark(mark)] },
      { title: "Flagged host", cell: (mark) => hostCell(mark.host) },
      { title: "To", cell: (mark) => (mark.kind === "detection" ? "" : hostCell(mark.row)) },
      {
        title: "Since detection",
        cell: (mark) => formatElapsed(timesOfMark(timeline, mark).elapsed),
        numeric: true,
      },
      { title: "Time", cell: (mark) => absoluteTime(timesOfMark(timeline, mark).time) },
      { title: "Packets or flows", cell: (mark) => formatCount(mark.count), numeric: true },
      { title: "Octets", cell: (mark) => formatOctets(mark.octets), numeric: true },
    ],
    timeline.marks,
    50,
  );
}
