/** A host that some enforcement point stops, and whose flows pass all the same: by another way, or since it is stopped no more. */
import type { RankedHost } from "../../../analytics/store.ts";

/** Flows that were stopped do not count as passed, unless they passed again later (docs/explanation/ranking.md). */
export function isBlockedButSeen({ flowsStopped, flowsPassed }: RankedHost): boolean {
  return flowsStopped > 0 && flowsPassed > 0;
}
