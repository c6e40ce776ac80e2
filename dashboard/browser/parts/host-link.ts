/** A host by name and address, as a link to its page. Names are hostile text; the address always stands beside them. */
import { h } from "../element.ts";
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
