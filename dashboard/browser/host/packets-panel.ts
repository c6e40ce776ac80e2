/** From a host to its packets: a slice of the captures' files, or the filter and the command that find the same packets. */
import type { SliceSource } from "../../../analytics/packets/selection.ts";
import type { RankedDetection } from "../../../analytics/store.ts";
import type { PacketFilterAnswer } from "../../api.ts";
import { fetchPacketFilter } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import type { PageContext } from "../pages/page.ts";
import { copyText } from "../parts/copy-text.ts";
import { downloadLink } from "../parts/download.ts";
import { exportMenu } from "../parts/export-menu.ts";
import { panel } from "../parts/panel.ts";
import { formatTime } from "../time-text.ts";

/** Query parameters besides the host. */
type Choice = Readonly<Record<string, string>>;

interface NamedChoice {
  readonly label: string;
  readonly choice: Choice;
}

export function packetsPanel(
  { view, signal }: PageContext,
  detections: readonly RankedDetection[],
): HTMLElement {
  const choices = choicesOf(detections);
  const place = h("div", { class: "packets", role: "status" });
  const show = async (choice: Choice): Promise<void> => {
    const query = { host: view.address, ...choice };
    try {
      replaceChildren(place, slice(await fetchPacketFilter(query, signal), query));
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      replaceChildren(place, h("p", { class: "panel-text" }, `The filter did not come: ${reason}`));
    }
  };
  const select = h(
    "select",
    { id: "packets-choice" },
    choices.map(({ label }, index) => h("option", { value: index }, label)),
  );
  select.addEventListener("change", () => void show(choices[select.selectedIndex]?.choice ?? {}));
  void show({});
  return panel(
    {
      id: "packets",
      title: "Packets",
      note: "Out of the captures' files, octet for octet.",
      aside: [
        h("label", { class: "choice", for: "packets-choice" }, "Which ", select),
        exportMenu("sightings", () => ({ host: view.address, asOf: view.asOf }), "Export marked packets"),
      ],
    },
    place,
  );
}

function choicesOf(detections: readonly RankedDetection[]): NamedChoice[] {
  return [
    { label: "all, sent and received", choice: {} },
    { label: "with a mark", choice: { marked: "true" } },
    ...detections.map(({ title, detectedAt, category, activity }) => ({
      label: `with the mark of: ${title}, ${formatTime(detectedAt)}`,
      choice: {
        detectedAt: String(detectedAt),
        category: String(category),
        activity: String(activity),
      },
    })),
  ];
}

function slice(
  { filter, plainFilter, sources }: PacketFilterAnswer,
  query: Choice,
): (HTMLElement | undefined)[] {
  const there = sources.filter(({ state }) => state === "there");
  const address = `/api/packets?${new URLSearchParams({ ...query }).toString()}`;
  const isSame = filter === plainFilter;
  return [
    there.length === 0
      ? h(
          "p",
          { class: "panel-text" },
          "The packets cannot be taken out of any file: ",
          h("em", {}, reasonOf(sources)),
        )
      : h(
          "p",
          { class: "panel-text packets-slice" },
          downloadLink("Download pcapng", address, "button primary"),
          h("span", { class: "note" }, fromText(there.length, sources.length)),
        ),
    missingList(sources),
    copyText("Display filter", filter, isSame ? undefined : "for a Wireshark with tattle's dissector"),
    h(
      "details",
      { class: "twin packets-more" },
      h("summary", {}, isSame ? "As a tshark command" : "For any Wireshark, and as a tshark command"),
      isSame ? undefined : copyText("Display filter", plainFilter, "for any Wireshark"),
      commands(sources),
    ),
  ];
}

function commands(sources: PacketFilterAnswer["sources"]): HTMLElement[] {
  return sources
    .slice(0, 3)
    .map(({ name, command }) =>
      copyText("tshark", command, sources.length === 1 ? undefined : `from ${name}`),
    );
}

function fromText(there: number, all: number): string {
  const captures = there === 1 ? "1 capture" : `${there} captures`;
  return there === all ? `from ${captures}` : `from ${captures} of ${all}`;
}

function reasonOf(sources: readonly SliceSource[]): string {
  return sources.length === 0 ? "no capture shows this host; agents' reports hold none." : "see below.";
}

function missingList(sources: readonly SliceSource[]): HTMLElement | undefined {
  const missing = sources.filter(({ state }) => state !== "there");
  if (missing.length === 0) return undefined;
  return h(
    "ul",
    { class: "packets-missing" },
    missing.slice(0, 10).map(({ name, reason }) => h("li", {}, h("bdi", {}, name), ` ${reason ?? ""}`)),
    missing.length > 10 ? h("li", {}, `and ${missing.length - 10} more`) : undefined,
  );
}
