/** How long to wait after a failure: doubling up to a limit, with jitter so that many agents do not come back at once. */
export interface BackoffSettings {
  /** After the first failure, seconds. */
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

export const defaultBackoff: BackoffSettings = { firstSeconds: 5, longestSeconds: 3600 };

/** Seconds after the nth failure (from 1): between half of the doubled time and all of it. `random` is 0 to 1. */
export function backoffSeconds(settings: BackoffSettings, failures: number, random: number): number {
  const doubled = settings.firstSeconds * 2 ** Math.min(failures - 1, 30);
  return Math.min(settings.longestSeconds, doubled) * (0.5 + random / 2);
}
