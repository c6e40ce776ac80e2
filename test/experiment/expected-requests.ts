/** What the order of requests alone leads one to expect, run or not, for several seeds: who meets whom, and when. */
import { isProtected, nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";
import { requestsOf } from "./request-order.ts";
import type { FileRequest } from "./request-order.ts";

export interface ExpectedRequests {
  readonly seed: number;
  /** Requests between the leaking node and nodes beyond the router, after the leak. */
  readonly crossing: number;
  /** Nodes inside, and beyond the router, that search the leaking node. */
  readonly inside: number;
  readonly beyond: number;
  /** If takers pass it on: seconds after the leak when the first inside, and then the first beyond has it; null if never. */
  readonly firstInside: number | null;
  readonly firstBeyond: number | null;
}

interface Ask extends FileRequest {
  readonly node: number;
  /** Seconds since the leak. */
  readonly since: number;
}

export function expectRequests(plan: ExperimentPlan, seed: number): ExpectedRequests {
  const asks = nodesOf(plan)
    .flatMap((node) => requestsOf(plan, seed, node).map((request) => ({ ...request, node })))
    .map((ask): Ask => ({ ...ask, since: ask.at / 1000 - plan.buildUp }))
    .filter(({ since }) => since >= 0);
  const met = asks.filter(({ node, peer }) => node === plan.leakNode || peer === plan.leakNode);
  const searchers = new Set(
    met.filter(({ kind, peer }) => kind === "search" && peer === plan.leakNode).map(({ node }) => node),
  );
  const inside = [...searchers].filter((node) => isProtected(plan, node)).length;
  return {
    seed,
    crossing: met.filter(({ node, peer }) => isProtected(plan, node) !== isProtected(plan, peer)).length,
    inside,
    beyond: searchers.size - inside,
    ...spread(plan, asks),
  };
}

/** How the files go from node to node, the router stopping only what the leaking node sends. */
function spread(
  plan: ExperimentPlan,
  asks: readonly Ask[],
): Pick<ExpectedRequests, "firstInside" | "firstBeyond"> {
  const has = new Set<number>();
  let [firstInside, firstBeyond]: [number | null, number | null] = [null, null];
  const searches = asks.filter(({ kind }) => kind === "search");
  for (const { node, peer, since } of searches.toSorted((left, right) => left.since - right.since)) {
    const fromLeak = peer === plan.leakNode && isProtected(plan, node);
    if (has.has(node) || !(fromLeak || has.has(peer))) continue;
    has.add(node);
    if (isProtected(plan, node)) firstInside ??= since;
    else firstBeyond ??= since;
  }
  return { firstInside, firstBeyond };
}
