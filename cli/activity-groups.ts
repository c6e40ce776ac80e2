/** The ranking turned round: for each activity, the hosts that were flagged for it. */
import type { RankedHost } from "../analytics/store.ts";
import { severities } from "../wire/code-book.ts";
import type { Severity } from "../wire/code-book.ts";

export interface ActivityGroup {
  readonly category: number;
  readonly activity: number;
  readonly title: string;
  readonly severity: Severity;
  /** In the order of the ranking; a host flagged for several activities stands in several groups. */
  readonly hosts: readonly RankedHost[];
}

/** Groups of hosts by activity: most severe first, then by code. */
export function groupByActivity(hosts: readonly RankedHost[]): ActivityGroup[] {
  const groups = new Map<number, ActivityGroup & { hosts: RankedHost[] }>();
  for (const host of hosts) {
    for (const { category, activity, title, severity } of host.detections) {
      const code = category * 256 + activity;
      const group = groups.get(code) ?? { category, activity, title, severity, hosts: [] };
      groups.set(code, group);
      if (!group.hosts.includes(host)) group.hosts.push(host);
    }
  }
  return [...groups.values()].sort(
    (left, right) =>
      severities.indexOf(right.severity) - severities.indexOf(left.severity) ||
      left.category - right.category ||
      left.activity - right.activity,
  );
}
