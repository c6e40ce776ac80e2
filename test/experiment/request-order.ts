/**
 * What a node asks for, of whom and when. Only the seed decides, so that every run with it asks for the same things in
 * the same order, whatever became of earlier requests.
 */
import { seededRandom } from "../fuzz/random.ts";
import { isInterested, nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";

export interface FileRequest {
  /** Milliseconds since the first node may ask. */
  readonly at: number;
  /** Download: an ordinary file. Search: whatever the peer publishes of what leaked. */
  readonly kind: "download" | "search";
  readonly peer: number;
  readonly file: string;
  /** Milliseconds after which the node has had enough of a download: none is ever finished. */
  readonly patience: number;
}

/** Every node publishes these. */
export const ordinaryFiles = ["holiday.mpg", "lecture.mpg"] as const;

const decimals = 1_000_000;

/** All requests of a node, in the order of time. */
export function requestsOf(plan: ExperimentPlan, seed: number, node: number): FileRequest[] {
  const downloads = requestsOfKind(plan, seed, node, "download");
  const searches = isInterested(node) ? requestsOfKind(plan, seed, node, "search") : [];
  return [...downloads, ...searches].toSorted((left, right) => left.at - right.at);
}

function requestsOfKind(
  plan: ExperimentPlan,
  seed: number,
  node: number,
  kind: FileRequest["kind"],
): FileRequest[] {
  const random = seededRandom(seed * 1_000_003 + node * 8_191 + (kind === "search" ? 1 : 0));
  const share = (): number => random.below(decimals) / decimals;
  const peers = nodesOf(plan).filter((other) => other !== node);
  const pace = (kind === "search" ? plan.searchPace : plan.pace) * 1000;
  const end = (plan.buildUp + plan.seconds) * 1000;
  const requests: FileRequest[] = [];
  for (let at = share() * pace; at < end; at += pace * (0.5 + share())) {
    const [peer, file] = [random.pick(peers), random.pick(ordinaryFiles)];
    requests.push({ at: Math.round(at), kind, peer, file, patience: 3000 + random.below(9000) });
  }
  return requests;
}
