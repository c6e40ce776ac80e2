/** What pressing a heading of one of the host's lists does: the order is in the address of the page. */
import { hostListSorts } from "../../../analytics/host-lists.ts";
import type { HostListName } from "../../../analytics/host-lists.ts";
import type { PageContext } from "../pages/page.ts";

export function sortList(name: HostListName, { view, go }: PageContext): (sort: string) => void {
  return (sort) => {
    const listSorts = { ...view.listSorts, [name]: sort === hostListSorts[name][0] ? "" : sort };
    go({ ...view, listSorts });
  };
}
