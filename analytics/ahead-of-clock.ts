/** Captures whose clock is ahead of the machine that ingested them: a sensor's clock is wrong, or its local time was taken for UTC. */

/** Seconds; sql/queries/as_of.sql believes the same. */
const believedAhead = 300;

/** By how many seconds the newest packet is later than its ingestion; undefined if that can be. */
export function secondsAhead(capture: {
  readonly lastPacket?: number;
  readonly ingestedAt: number;
}): number | undefined {
  const ahead = (capture.lastPacket ?? capture.ingestedAt) - capture.ingestedAt;
  return ahead > believedAhead ? ahead : undefined;
}
