/** What the page shows, and its address: every choice of the analyst is in the URL, so that it can be shared and gone back to. */
import { sortKeys } from "../../analytics/store.ts";
import type { SortKey } from "../../analytics/store.ts";

export interface View {
  readonly page: "hosts" | "host" | "captures" | "agents" | "nowhere";
  /** Of the host page; empty elsewhere. */
  readonly address: string;
  /** ISO 8601 as the API takes it; empty: the newest evidence. */
  readonly asOf: string;
  readonly sort: SortKey;
  readonly group: "none" | "activity";
  readonly filter: string;
  /** Activities in the chart: the most severe few, or all. */
  readonly rows: "few" | "all";
}

export function parseView(url: URL): View {
  const parameters = url.searchParams;
  const sort = sortKeys.find((key) => key === parameters.get("sort"));
  return {
    ...parsePath(url.pathname),
    asOf: parameters.get("asOf") ?? "",
    sort: sort ?? "score",
    group: parameters.get("group") === "activity" ? "activity" : "none",
    filter: parameters.get("filter") ?? "",
    rows: parameters.get("rows") === "all" ? "all" : "few",
  };
}

function parsePath(path: string): Pick<View, "page" | "address"> {
  if (path === "/") return { page: "hosts", address: "" };
  if (path === "/agents") return { page: "agents", address: "" };
  if (path === "/captures") return { page: "captures", address: "" };
  const address = /^\/hosts\/([^/]+)$/.exec(path)?.[1];
  return address === undefined
    ? { page: "nowhere", address: "" }
    : { page: "host", address: decodeURIComponent(address) };
}

/** The address of a view; what is at its default is left out. */
export function hrefOf(view: View): string {
  const parameters = new URLSearchParams();
  if (view.asOf !== "") parameters.set("asOf", view.asOf);
  if (view.sort !== "score") parameters.set("sort", view.sort);
  if (view.group !== "none") parameters.set("group", view.group);
  if (view.filter !== "") parameters.set("filter", view.filter);
  if (view.rows !== "few") parameters.set("rows", view.rows);
  // Colons are legal in a query and in a path segment (RFC 3986), and times and IPv6 addresses read better with them.
  const query = parameters.toString().replaceAll("%3A", ":");
  return `${pathOf(view)}${query === "" ? "" : `?${query}`}`;
}

function pathOf(view: View): string {
  switch (view.page) {
    case "hosts":
    case "nowhere":
      return "/";
    case "host":
      return `/hosts/${encodeURIComponent(view.address).replaceAll("%3A", ":")}`;
    case "captures":
      return "/captures";
    case "agents":
      return "/agents";
  }
}
