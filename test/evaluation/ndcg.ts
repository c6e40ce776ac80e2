/**
 * Normalised discounted cumulative gain of the first ten (Järvelin, Kekäläinen 2002): what an analyst finds who looks at
 * ten hosts from the top, against the best order that there could be. undefined if there is nothing to find.
 */
export function ndcgOfTen(gainsInOrder: readonly number[], allGains: readonly number[]): number | undefined {
  const best = discounted(allGains.toSorted((one, other) => other - one));
  return best === 0 ? undefined : discounted(gainsInOrder) / best;
}

function discounted(gains: readonly number[]): number {
  return gains.slice(0, 10).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}
