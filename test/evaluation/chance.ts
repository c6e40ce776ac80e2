/** Random quantities of the simulation, the same for the same seed. */
import { seededRandom } from "../fuzz/random.ts";
import type { Random } from "../fuzz/random.ts";

export class Chance {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From 0 to 1, without 1. */
  fraction(): number {
    return this.#random.below(2 ** 32) / 2 ** 32;
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return this.#random.pick(items);
  }

  /** Exponentially distributed, of that mean. */
  wait(mean: number): number {
    return -mean * Math.log(1 - this.fraction());
  }

  /** Log-normally distributed: sigma 1 puts two thirds between a third of the median and three times it. */
  spread(median: number, sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
    return median * Math.exp(sigma * normal);
  }

  /** Poisson-distributed, of that mean: as many waits of mean 1 as fit. */
  count(mean: number): number {
    let events = 0;
    for (let at = this.wait(1); at < mean; at += this.wait(1)) events++;
    return events;
  }
}
