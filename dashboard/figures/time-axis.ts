/** Ticks of a time axis that people think in: whole seconds, minutes, hours; labels of elapsed time or of UTC. */
import type { NetworkScale } from "../../analytics/network-timeline.ts";
import { formatSpan } from "../browser/time-text.ts";

export interface Tick {
  /** Seconds on the scale. */
  readonly at: number;
  readonly label: string;
  /** The day, at the first tick and where it changes; UTC only. */
  readonly day?: string;
}

const [minute, hour, day] = [60, 3600, 86_400];
/** Seconds. */
const steps = [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30]
  .concat([1, 2, 5, 10, 20, 30].map((count) => count * minute))
  .concat([1, 2, 3, 6, 12].map((count) => count * hour))
  .concat([1, 2, 5, 10, 30, 90, 365, 3650].map((count) => count * day));

/** At most `most` ticks within the stretch, on multiples of their distance. */
export function timeTicks(scale: NetworkScale, from: number, to: number, most: number): Tick[] {
  const step = steps.find((each) => (to - from) / each <= Math.max(1, most)) ?? 3650 * day;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  const times = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
  if (scale === "elapsed") return times.map((at) => ({ at, label: elapsedLabel(at, step) }));
  let shownDay = "";
  return times.map((at) => {
    const text = new Date(Math.round(at * 1000)).toISOString();
    const ownDay = text.slice(0, 10);
    const label = step >= minute ? text.slice(11, 16) : step >= 1 ? text.slice(11, 19) : text.slice(11, 23);
    if (ownDay === shownDay) return { at, label };
    shownDay = ownDay;
    return { at, label, day: ownDay };
  });
}

/** The paper counts in seconds; up to a quarter of an hour that is easier than minutes and seconds. */
function elapsedLabel(at: number, step: number): string {
  if (step < 1) return `${Number(at.toFixed(6))} s`;
  if (step < minute) return `${at} s`;
  return formatSpan(at);
}
