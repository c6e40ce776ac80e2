/** What the page shows, and its address: every choice of the analyst is in the URL, so that it can be shared and gone back to. */
import { hostListSorts } from "../../analytics/host-lists.ts";
import type { HostListName } from "../../analytics/host-lists.ts";
import { networkScales } from "../../analytics/network-timeline.ts";
import type { NetworkScale } from "../../analytics/network-timeline.ts";
import { sortKeys } from "../../analytics/store.ts";
import type { SortKey } from "../../analytics/store.ts";

/** What the network timeline shows; empty text: all there is, or no band. */
export interface NetworkView {
  readonly scale: NetworkScale;
  /** Seconds on the scale. */
  readonly from: string;
  readonly to: string;
  /** Address of the one flagged host to show. */
  readonly host: string;
  /** Networks behind which the band lies, by commas. */
  readonly protect: string;
  /** Flows of which fewer octets passed are left out. */
  readonly leastOctets: string;
}

export interface View {
  readonly page: "hosts" | "host" | "network" | "captures" | "agents" | "nowhere";
  /** Of the host page; empty elsewhere. */
  readonly address: string;
  /** ISO 8601 as the API takes it; empty: the newest evidence. */
  readonly asOf: string;
  readonly sort: SortKey;
  readonly group: "none" | "activity";
  readonly filter: string;
  /** Activities in the chart: the most severe few, or all. */
  readonly rows: "few" | "all";
  readonly network: NetworkView;
  /** Orders of the lists of the host page; empty: the usual one. */
  readonly listSorts: Readonly<Record<HostListName, string>>;
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
    listSorts: {
      peers: listSort("peers", parameters),
      "second-hop": listSort("second-hop", parameters),
      flows: listSort("flows", parameters),
    },
    network: {
      scale: networkScales.find((scale) => scale === parameters.get("scale")) ?? "elapsed",
      from: parameters.get("from") ?? "",
      to: parameters.get("to") ?? "",
      host: parameters.get("host") ?? "",
      protect: parameters.get("protect") ?? "",
      leastOctets: parameters.get("leastOctets") ?? "",
    },
  };
}

function parsePath(path: string): Pick<View, "page" | "address"> {
  if (path === "/") return { page: "hosts", address: "" };
  if (path === "/network") return { page: "network", address: "" };
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
  if (view.page === "host") {
    for (const [name, sort] of Object.entries(view.listSorts)) if (sort !== "") parameters.set(name, sort);
  }
  if (view.page === "network") addNetwork(parameters, view.network);
  // Colons are legal in a query and in a path segment (RFC 3986), and times and IPv6 addresses read better with them; so do
  // networks with their slashes and commas.
  const query = parameters.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",");
  return `${pathOf(view)}${query === "" ? "" : `?${query}`}`;
}

/** The usual order is left out of the address. */
function listSort(name: HostListName, parameters: URLSearchParams): string {
  const sort = hostListSorts[name].slice(1).find((known) => known === parameters.get(name));
  return sort ?? "";
}

function addNetwork(parameters: URLSearchParams, { scale, ...network }: NetworkView): void {
  if (scale !== "elapsed") parameters.set("scale", scale);
  for (const [name, value] of Object.entries(network)) if (value !== "") parameters.set(name, value);
}

function pathOf(view: View): string {
  switch (view.page) {
    case "hosts":
    case "nowhere":
      return "/";
    case "host":
      return `/hosts/${encodeURIComponent(view.address).replaceAll("%3A", ":")}`;
    case "network":
      return "/network";
    case "captures":
      return "/captures";
    case "agents":
      return "/agents";
  }
}
