/** What a page shows, as a file: a menu of its forms, which takes the page's own parameters along. */
import { formatsOf } from "../../../analytics/export/export-query.ts";
import type { ExportFormat, ExportView } from "../../../analytics/export/export-query.ts";
import { h, replaceChildren } from "../element.ts";
import { downloadLink } from "./download.ts";

const names: Readonly<Record<ExportFormat, string>> = {
  csv: "CSV",
  ndjson: "NDJSON",
  parquet: "Parquet",
  eve: "EVE JSON (Suricata)",
  ecs: "ECS (Elastic)",
  ocsf: "OCSF",
  stix: "STIX 2.1",
};

/** `parameters` are asked for when the menu opens: a filter may have been typed since. Empty ones are left out. */
export function exportMenu(
  view: ExportView,
  parameters: () => Readonly<Record<string, string>>,
  label = "Export",
): HTMLElement {
  const list = h("ul", {});
  const fill = (): void => {
    const given = Object.entries(parameters()).filter(([, value]) => value !== "");
    replaceChildren(
      list,
      formatsOf[view].map((format) => {
        const query = new URLSearchParams([["format", format], ...given]).toString();
        return h("li", {}, downloadLink(names[format], `/api/export/${view}?${query}`, "menu-item"));
      }),
    );
  };
  fill();
  const menu = h(
    "details",
    { class: "menu", ontoggle: fill },
    h("summary", { class: "button" }, label),
    list,
  );
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  // A menu that somebody left is in the way.
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}
