/** Hosts by name and address; flagged ones lead to their page. Names are hostile text; the address always stands beside them. */
import { h } from "../element.ts";
import type { Child } from "../element.ts";
import { formatTime } from "../time-text.ts";
import type { View } from "../view.ts";
import { hrefOf } from "../view.ts";

export function hostLink(host: { address: string; name?: string }, view: View): HTMLElement {
  return h(
    "a",
    {
      class: "host-link",
      href: hrefOf({ ...view, page: "host", address: host.address }),
      "data-row": host.address,
    },
    host.name === undefined ? undefined : h("bdi", { class: "host-name" }, host.name),
    h("bdi", { class: host.name === undefined ? "host-name address" : "address" }, host.address),
  );
}

/** A host without a page of its own. */
export function hostName(address: string, name: string | undefined): Child {
  if (name === undefined) return h("bdi", { class: "address" }, address);
  return [h("bdi", { class: "host-name" }, name), " ", h("bdi", { class: "address" }, address)];
}

/** The other side of a flow: one that is flagged itself leads to its page, and says so unless it is told elsewhere. */
export function peerCell(
  peer: { readonly address: string; readonly name?: string; readonly flaggedSince?: number },
  view: View,
  style: "badge" | "plain" = "badge",
): Child {
  if (peer.flaggedSince === undefined) return hostName(peer.address, peer.name);
  const link = hostLink(peer, view);
  if (style === "plain") return link;
  const title = `flagged itself: ${formatTime(peer.flaggedSince)}`;
  return h(
    "span",
    { class: "flagged-peer" },
    link,
    h("span", { class: "state refused", title }, "flagged too"),
  );
}
