/** Where everything of the network timeline stands: rows of hosts, time across. Pure, so that the page and a file agree. */
import type { NetworkMark, NetworkRow, NetworkTimeline } from "../../analytics/network-timeline.ts";

export interface NetworkLayout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  /** Lower edge of the rows. */
  readonly bottom: number;
  readonly rowHeight: number;
  /** Half the size of a symbol. */
  readonly radius: number;
  /** One for each mark, in their order. */
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly mark: NetworkMark;
  /** Detected before the stretch that is shown: it stands at the edge. */
  readonly isBefore: boolean;
}

/** All rows of the paper's 240 nodes on one screen; a few hosts get room for their names. */
const [leastRowHeight, mostRowHeight, usualHeight] = [2.2, 22, 760];
const axisHeight = { elapsed: 30, utc: 44 };

/** Pixels that a letter of a row's label takes, about; those of flagged hosts are bold. */
export function letterWidth({ firstDetected }: NetworkRow): number {
  return firstDetected === undefined ? 6.6 : 7.6;
}
const top = 12;

export function layOutNetwork(timeline: NetworkTimeline, width: number): NetworkLayout {
  const count = Math.max(1, timeline.rows.length);
  const rowHeight = Math.min(mostRowHeight, Math.max(leastRowHeight, usualHeight / count));
  const longest = Math.max(
    0,
    ...timeline.rows.map((row) => (row.name ?? row.address).length * letterWidth(row)),
  );
  const left = Math.min(width < 640 ? 112 : 220, Math.max(60, longest + 16));
  const right = width - 18;
  const bottom = top + count * rowHeight;
  const radius = Math.min(5.2, Math.max(2.6, rowHeight * 0.62));
  const placeOf = positionOf(timeline, left, right);
  const points = timeline.marks.map((mark) => ({
    x: placeOf(Math.max(mark.at, timeline.from)),
    y: top + (mark.row + 0.5) * rowHeight,
    mark,
    isBefore: mark.at < timeline.from - 1e-6,
  }));
  return {
    width,
    height: bottom + axisHeight[timeline.scale],
    left,
    right,
    top,
    bottom,
    rowHeight,
    radius,
    points,
  };
}

/** Horizontal place of a time; a stretch of nothing is in the middle. */
export function positionOf(
  { from, to }: Pick<NetworkTimeline, "from" | "to">,
  left: number,
  right: number,
): (at: number) => number {
  if (to <= from) return () => (left + right) / 2;
  return (at) => left + ((at - from) / (to - from)) * (right - left);
}

/** The symbol nearest to a place, within `reach` pixels. */
export function nearestPoint(layout: NetworkLayout, x: number, y: number, reach: number): Point | undefined {
  let found: Point | undefined;
  let least = reach * reach;
  for (const point of layout.points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance > least) continue;
    least = distance;
    found = point;
  }
  return found;
}
