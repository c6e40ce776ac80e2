/** A ratio of two measured rates, from pairs that were measured one after the other, with its 95 % interval. */

export interface Ratio {
  readonly pairs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Student's t for a two-sided 95 % interval, by degrees of freedom from 1 on. */
const students = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086,
];

/** The geometric mean: a pair that is twice as fast and one that is half as fast make 1. */
export function ratioOf(pairs: readonly (readonly [rate: number, base: number])[]): Ratio {
  const logarithms = pairs.map(([rate, base]) => Math.log(rate / base));
  const mean = logarithms.reduce((sum, one) => sum + one, 0) / pairs.length;
  const squares = logarithms.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const error = Math.sqrt(squares / (pairs.length - 1) / pairs.length);
  const reach = error * (students[pairs.length - 2] ?? 2.08);
  return {
    pairs: pairs.length,
    ratio: Math.exp(mean),
    low: Math.exp(mean - reach),
    high: Math.exp(mean + reach),
  };
}

/** Measures one way and the other, `pairs` times, beginning with each in turn. */
export async function measurePairs<Result>(
  pairs: number,
  one: () => Promise<Result>,
  base: () => Promise<Result>,
): Promise<[one: Result, base: Result][]> {
  const results: [Result, Result][] = [];
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const rate = await one();
      results.push([rate, await base()]);
    } else {
      const rate = await base();
      results.push([await one(), rate]);
    }
  }
  return results;
}
