/**
 * Which numbers of a spool are stored: all up to the last one, but for holes. Agents send in order, so there are none
 * but where an event was refused for its content, or where a sender does not keep the order: nothing it sends is lost.
 */

/** Both included. */
type Hole = readonly [first: number, last: number];

/** No honest sender comes near it; beyond it the oldest hole closes, and its numbers count as stored. */
const mostHoles = 1000;

export class ReceivedNumbers {
  /** -1: none yet. */
  last: number;
  #holes: Hole[];

  private constructor(last: number, holes: Hole[]) {
    this.last = last;
    this.#holes = holes;
  }

  static none(): ReceivedNumbers {
    return new ReceivedNumbers(-1, []);
  }

  /** `holes` as the getter gives them. */
  static of(last: number, holes: string): ReceivedNumbers {
    const pairs = holes === "" ? [] : holes.split(",").map((hole) => hole.split("-").map(Number));
    return new ReceivedNumbers(
      last,
      pairs.map(([first = 0, end = 0]): Hole => [first, end]),
    );
  }

  /** `3-5,9-9` */
  get holes(): string {
    return this.#holes.map(([first, last]) => `${first}-${last}`).join(",");
  }

  /** Whether the number was not stored yet; from now on it counts as stored. */
  take(number: number): boolean {
    if (number > this.last) {
      if (number > this.last + 1) this.#open([this.last + 1, number - 1]);
      this.last = number;
      return true;
    }
    const index = this.#holes.findIndex(([first, last]) => first <= number && number <= last);
    const hole = this.#holes[index];
    if (!hole) return false;
    const [first, last] = hole;
    const rest: Hole[] = [
      [first, number - 1],
      [number + 1, last],
    ];
    this.#holes.splice(index, 1, ...rest.filter(([from, to]) => from <= to));
    this.#bound();
    return true;
  }

  #open(hole: Hole): void {
    this.#holes.push(hole);
    this.#bound();
  }

  #bound(): void {
    if (this.#holes.length > mostHoles) this.#holes.shift();
  }
}
