/** Hosts by what they were flagged for: most severe activity first, a host under each of its activities. */
import type { RankedHost } from "../../../analytics/store.ts";
import { severities } from "../../../wire/code-book.ts";
import type { Severity } from "../../../wire/code-book.ts";

export interface ActivityGroup {
  /** `2-1`: category and activity. */
  readonly key: string;
  readonly title: string;
  readonly severity: Severity;
  /** In the order that they came in. */
  readonly hosts: RankedHost[];
}

export function groupByActivity(hosts: readonly RankedHost[]): ActivityGroup[] {
  const groups = new Map<number, ActivityGroup>();
  for (const host of hosts) {
    for (const { category, activity, title, severity } of host.detections) {
      const code = category * 256 + activity;
      const group = groups.get(code) ?? { key: `${category}-${activity}`, title, severity, hosts: [] };
      groups.set(code, group);
      if (group.hosts.at(-1) !== host) group.hosts.push(host);
    }
  }
  const order = ([code, group]: readonly [number, ActivityGroup]): number =>
    code - severities.indexOf(group.severity) * 65_536;
  return [...groups].toSorted((left, right) => order(left) - order(right)).map(([, group]) => group);
}
