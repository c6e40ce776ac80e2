/**
 * How large an experiment is and how its network is numbered, after the paper's section 5: nodes 1 to N in groups behind
 * a router each, node n of group g at 10.g.0.n.
 */

export interface ExperimentPlan {
  readonly groups: number;
  readonly nodesPerGroup: number;
  /** The group whose router has the agent, from 1. */
  readonly protectedGroup: number;
  /** The node that leaks; it is in the protected group. */
  readonly leakNode: number;
  /** Seconds from the first request to the leak. */
  readonly buildUp: number;
  /** Seconds from the leak to the end. */
  readonly seconds: number;
  /** Seconds between two requests of a node, on average. */
  readonly pace: number;
  /** Seconds between two searches of a node that wants leaked files, on average. */
  readonly searchPace: number;
}

/** The paper's, and what it does not say: the paces (docs/explanation/experiment.md). */
export const fullPlan: ExperimentPlan = {
  groups: 10,
  nodesPerGroup: 24,
  protectedGroup: 2,
  leakNode: 25,
  buildUp: 30,
  seconds: 600,
  pace: 15,
  searchPace: 6,
};

export const quickPlan: ExperimentPlan = {
  groups: 4,
  nodesPerGroup: 6,
  protectedGroup: 2,
  leakNode: 7,
  buildUp: 4,
  seconds: 60,
  pace: 2.5,
  searchPace: 1,
};

/** Seconds that the agent collects news before it tells people: as shipped in the long run; the quick one would be over by then. */
export function collectingSeconds({ seconds }: ExperimentPlan): number {
  return seconds < 300 ? 5 : 30;
}

/** Port of every file sharer. */
export const sharingPort = 4000;

/** Node numbers, from 1. */
export function nodesOf({ groups, nodesPerGroup }: ExperimentPlan): number[] {
  return Array.from({ length: groups * nodesPerGroup }, (_, index) => index + 1);
}

export function groupOf({ nodesPerGroup }: ExperimentPlan, node: number): number {
  return Math.ceil(node / nodesPerGroup);
}

export function isProtected(plan: ExperimentPlan, node: number): boolean {
  return groupOf(plan, node) === plan.protectedGroup;
}

/** A sixth of all want what the leak publishes: in the paper 40 of 240, those that took it were 42 and 48. */
export function isInterested(node: number): boolean {
  return node % 6 === 0;
}

export function addressOf(plan: ExperimentPlan, node: number): string {
  return `10.${groupOf(plan, node)}.0.${node}`;
}

export function networkOf(group: number): string {
  return `10.${group}.0.0/24`;
}

/** The router of a group, as its nodes see it. */
export function routerAddress(group: number): string {
  return `10.${group}.0.254`;
}

/** The number of the node with this address; undefined if none has it. */
export function nodeAt(plan: ExperimentPlan, address: string): number | undefined {
  return nodesOf(plan).find((node) => addressOf(plan, node) === address);
}
