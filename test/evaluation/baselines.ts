/**
 * How others order hosts, from the same evidence: marked flows that a sensor saw up to a moment. Among equals the newest
 * sight comes first.
 */
import { carriedAt, gravest, severityPoints } from "./world.ts";
import type { Flow, SimulatedHost } from "./world.ts";

export interface Baseline {
  readonly name: string;
  readonly score: (evidence: Evidence) => number;
}

/** One host at a moment. */
export interface Evidence {
  readonly host: SimulatedHost;
  readonly asOf: number;
  /** Marked flows that were seen, up to the moment. */
  readonly flows: readonly Flow[];
}

export function evidenceAt(host: SimulatedHost, asOf: number): Evidence {
  const flows = host.flows.filter(
    (flow) => flow.seen && flow.time <= asOf && carriedAt(host, flow.time).length > 0,
  );
  return { host, asOf, flows };
}

const hour = 3600;
const zeta = 1.5;
/** The sum of 1 / i^1.5, by which Elastic's risk engine normalises. */
const zetaSum = 2.5924;

/** Points of the detections whose marks were seen since a time, largest first. */
function pointsSince({ host, flows }: Evidence, since: number): number[] {
  const recent = flows.filter((flow) => flow.time > since);
  return host.incidents
    .filter(({ detectedAt, cleanedAt }) =>
      recent.some((flow) => detectedAt <= flow.time && flow.time < cleanedAt),
    )
    .map(({ severity }) => severityPoints[severity])
    .toSorted((one, other) => other - one);
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0);

/** Each marked flow has the points of the gravest mark that it carries. */
function pointsOfLastHour({ host, asOf, flows }: Evidence): number {
  const recent = flows.filter((flow) => flow.time > asOf - hour);
  return total(recent.map((flow) => severityPoints[gravest(carriedAt(host, flow.time))]));
}

export const baselines: readonly Baseline[] = [
  {
    name: "Elastic: weighted sum of the alerts of 30 days, asset criticality on the odds",
    score: (evidence) => {
      const points = pointsSince(evidence, evidence.asOf - 30 * 24 * hour);
      const risk = total(points.map((value, index) => value / (index + 1) ** zeta)) / zetaSum / 100;
      const odds = (risk / (1 - risk)) * evidence.host.weight;
      return odds / (1 + odds);
    },
  },
  {
    name: "sum of the points of each flow of the last hour, as ntopng computes it",
    score: pointsOfLastHour,
  },
  {
    name: "the same times the asset's weight, which ntopng does not know",
    score: (evidence) => evidence.host.weight * pointsOfLastHour(evidence),
  },
  {
    name: "sum of the points of the detections of 24 hours (as Splunk's risk-based alerting)",
    score: (evidence) => evidence.host.weight * total(pointsSince(evidence, evidence.asOf - 24 * hour)),
  },
  {
    name: "marked flows of 24 hours",
    score: ({ asOf, flows }) => flows.filter((flow) => flow.time > asOf - 24 * hour).length,
  },
  { name: "last seen first", score: ({ flows }) => flows.at(-1)?.time ?? 0 },
];
