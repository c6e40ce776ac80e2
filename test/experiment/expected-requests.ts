/** What the order of requests alone leads one to expect, run or not: how often nodes would meet, for several seeds. */
import { isProtected, nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";
import { requestsOf } from "./request-order.ts";

export interface ExpectedRequests {
  /** Requests between the leaking node and nodes beyond the router, after the leak. */
  readonly crossing: number;
  /** Nodes inside, and beyond the router, that search the leaking node for leaked files. */
  readonly inside: number;
  readonly beyond: number;
}

export function expectRequests(plan: ExperimentPlan, seed: number): ExpectedRequests {
  let crossing = 0;
  const [inside, beyond] = [new Set<number>(), new Set<number>()];
  for (const node of nodesOf(plan)) {
    for (const { at, kind, peer } of requestsOf(plan, seed, node)) {
      if (at < plan.buildUp * 1000 || (node !== plan.leakNode && peer !== plan.leakNode)) continue;
      if (isProtected(plan, node) !== isProtected(plan, peer)) crossing++;
      if (kind === "search" && peer === plan.leakNode) (isProtected(plan, node) ? inside : beyond).add(node);
    }
  }
  return { crossing, inside: inside.size, beyond: beyond.size };
}
