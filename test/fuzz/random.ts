/** Seeded random numbers (mulberry32): the same seed gives the same cases on every machine. */
export interface Random {
  /** Whole number from 0 to `bound` - 1. */
  below(bound: number): number;
  octets(count: number): Uint8Array;
  pick<Item>(items: readonly Item[]): Item;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound: number): number => next() % bound;
  return {
    below,
    octets: (count) => Uint8Array.from({ length: count }, () => next() & 255),
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
}

/** A copy with some octets flipped, a part cut off, doubled or zeroed: what damaged and hostile input looks like. */
export function mutate(octets: Uint8Array, random: Random): Uint8Array {
  const copy = octets.slice();
  const changes = 1 + random.below(8);
  for (let change = 0; change < changes && copy.length > 0; change++) {
    const at = random.below(copy.length);
    const style = random.below(4);
    if (style === 0) copy[at] = random.below(256);
    else if (style === 1) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    else if (style === 2) copy[at] = random.pick([0, 1, 2, 3, 9, 39, 40, 127, 128, 253, 254, 255]);
    else copy.copyWithin(at, random.below(copy.length), random.below(copy.length));
  }
  return random.below(6) === 0 ? copy.subarray(0, random.below(copy.length + 1)) : copy;
}
