/** Which hosts fit the words of the filter box: every word must occur somewhere in what the row says. */
import { isBlockedButSeen } from "./blocked-but-seen.ts";
import type { RankedHost } from "../../../analytics/store.ts";

export function filterHosts(hosts: readonly RankedHost[], filter: string): readonly RankedHost[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return hosts;
  return hosts.filter((host) => {
    const text = searchText(host);
    return words.every((word) => text.includes(word));
  });
}

function searchText(host: RankedHost): string {
  const detections = host.detections.flatMap(({ title, severity, trust, attack }) => [
    title,
    severity,
    trust,
    attack ?? "",
  ]);
  const state = host.contained ? "contained" : isBlockedButSeen(host) ? "active blocked" : "active";
  return [host.address, host.name ?? "", host.band, state, ...detections].join("\n").toLowerCase();
}
