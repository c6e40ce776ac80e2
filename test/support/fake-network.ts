/** A network timeline like the paper's Figure 6: 240 nodes in ten groups, node 25 flagged, the router of nodes 25 to 48 dropping. */
import type { NetworkMark, NetworkTimeline } from "../../analytics/network-timeline.ts";
import { seededRandom } from "../fuzz/random.ts";

export const figureSeconds = 600;

/** The same for the same number of marks. Node n has the address 10.0.(group).(n). */
export function makeNetworkTimeline(asOf: number, markCount = 10_000): NetworkTimeline {
  const random = seededRandom(6);
  const rows = Array.from({ length: 240 }, (_, index) => ({
    address: `10.0.${Math.floor(index / 24) + 1}.${index + 1}`,
    ...(index === 24 ? { name: "node-25", firstDetected: asOf - figureSeconds } : {}),
  }));
  const passed: NetworkMark[] = [
    { at: 360, row: 47 },
    { at: 437, row: 41 },
  ].map(({ at, row }) => ({ kind: "exposure", host: 24, row, at, count: 1, octets: 48_000 }));
  const stopped = Array.from({ length: markCount - passed.length - 1 }, (_, index): NetworkMark => {
    const outside = random.below(216);
    return {
      kind: "drop",
      host: 24,
      row: outside < 24 ? outside : outside + 24,
      at: ((index + 1) / markCount) * figureSeconds,
      count: 1 + random.below(5),
      octets: 1500,
    };
  });
  return {
    asOf,
    asOfSource: "newest packet",
    scale: "elapsed",
    from: 0,
    to: figureSeconds,
    binSeconds: figureSeconds / 1500,
    rows,
    marks: [
      {
        kind: "detection",
        host: 24,
        row: 24,
        at: 0,
        count: 1,
        octets: 0,
        title: "Files put into a sharing folder",
        severity: "high",
      },
      ...passed,
      ...stopped,
    ],
    cut: {},
  };
}
