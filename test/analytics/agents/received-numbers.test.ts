/** Which numbers of an agent's spool are stored, whatever order they come in. */
import { expect, test } from "vitest";
import { ReceivedNumbers } from "../../../analytics/agents/received-numbers.ts";
import { seededRandom } from "../../fuzz/random.ts";

test("each number is taken once, in any order, and however often it comes", () => {
  const random = seededRandom(11);
  for (let round = 0; round < 20; round++) {
    let numbers = ReceivedNumbers.none();
    const taken = new Set<number>();
    for (let step = 0; step < 500; step++) {
      const number = random.below(200);
      expect(numbers.take(number)).toBe(!taken.has(number));
      taken.add(number);
      // As after a restart of the dashboard.
      if (random.below(10) === 0) numbers = ReceivedNumbers.of(numbers.last, numbers.holes);
    }
  }
});

test("what is left out is a hole, written as first and last", () => {
  const numbers = ReceivedNumbers.none();
  for (const number of [0, 4, 2, 9]) numbers.take(number);
  expect([numbers.last, numbers.holes]).toEqual([9, "1-1,3-3,5-8"]);
});

test("of a thousand holes and more the oldest closes: memory stays bounded", () => {
  const numbers = ReceivedNumbers.none();
  for (let number = 1; number < 2100; number += 2) numbers.take(number);
  expect(numbers.holes.split(",")).toHaveLength(1000);
  expect(numbers.take(0)).toBe(false);
  expect(numbers.take(2098)).toBe(true);
});
