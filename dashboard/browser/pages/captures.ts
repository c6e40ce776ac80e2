/** What the ranking is made of: every capture, how reading it ended, and what it held. */
import { secondsAhead } from "../../../analytics/ahead-of-clock.ts";
import type { CaptureReport } from "../../../analytics/store.ts";
import { fetchCaptures, fetchMoment } from "../api-client.ts";
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { panel } from "../parts/panel.ts";
import { table } from "../parts/table.ts";
import { absoluteTime } from "../parts/time.ts";
import { formatSpan } from "../time-text.ts";
import type { Page, PageContext } from "./page.ts";

export async function capturesPage({ view, signal, chooseFiles }: PageContext): Promise<Page> {
  // The ranking is asked only for the time that it stands at: that is shown, and movable, on every page.
  const [{ captures }, { asOf, asOfSource }] = await Promise.all([
    fetchCaptures(signal),
    fetchMoment(view, signal),
  ]);
  return {
    title: "Captures",
    asOf: { time: asOf, isAsked: asOfSource === "asked", source: asOfSource },
    content: h(
      "div",
      { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Captures")),
      h(
        "div",
        { class: "drop-target" },
        h("p", {}, h("strong", {}, "Drop capture files anywhere on the page"), " or"),
        h("button", { type: "button", class: "button primary", onclick: chooseFiles }, "Choose files"),
        h(
          "p",
          { class: "note" },
          "pcap, pcapng and snoop, also compressed with gzip. The same content is never counted twice.",
        ),
      ),
      panel(
        {
          id: "captures",
          title: "Ingested",
          note: `${formatCount(captures.length)}, newest first`,
          aside: exportMenu("captures", () => ({})),
        },
        captures.length === 0
          ? h("p", { class: "empty" }, "No capture has been ingested.")
          : captureTable(captures),
      ),
    ),
  };
}

function captureTable(captures: readonly CaptureReport[]): HTMLElement {
  return table<CaptureReport>(
    "Captures",
    [
      { title: "Capture", cell: nameOf },
      { title: "State", cell: ({ state }) => h("span", { class: `state ${state}` }, state) },
      { title: "Format", cell: ({ format }) => format ?? h("span", { class: "zero" }, "–") },
      { title: "Size", cell: ({ octets }) => formatOctets(octets), numeric: true },
      { title: "Packets", cell: ({ packets }) => formatCount(packets), numeric: true },
      { title: "Marked", cell: ({ markedPackets }) => formatCount(markedPackets), numeric: true },
      { title: "Malformed", cell: ({ malformedMarks }) => formatCount(malformedMarks), numeric: true },
      {
        title: "First and last packet",
        cell: ({ firstPacket, lastPacket }) =>
          h("div", { class: "capture-times" }, timeOrNone(firstPacket), timeOrNone(lastPacket)),
      },
      { title: "Ingested", cell: ({ ingestedAt }) => absoluteTime(ingestedAt) },
    ],
    captures,
  );
}

/** The name, and why not all of it was read. */
function nameOf(capture: CaptureReport): Child {
  const { name, reason, reasonOffset, grewFrom } = capture;
  const ahead = secondsAhead(capture);
  return h(
    "div",
    { class: "capture-cell" },
    h("bdi", { class: "capture-name" }, name),
    reason === undefined
      ? undefined
      : h(
          "span",
          { class: "reason" },
          h("bdi", {}, reason),
          reasonOffset === undefined ? "" : `, at octet ${formatCount(reasonOffset)}`,
        ),
    grewFrom === undefined
      ? undefined
      : h("span", { class: "reason" }, `grown: ${formatPlural(grewFrom, "packet")} known before`),
    ahead === undefined
      ? undefined
      : h("span", { class: "reason" }, `its clock is ${formatSpan(ahead)} ahead of the server's`),
  );
}

function timeOrNone(time: number | undefined): Child {
  return time === undefined ? h("span", { class: "zero" }, "–") : absoluteTime(time);
}
