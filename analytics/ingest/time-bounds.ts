/** First and last packet of a capture. Compares times as they stand in the file; only the bounds are converted. */
import type { CaptureInterface } from "../../capture/frame-sink.ts";
import { withinDatabase } from "./capture-time.ts";

export class TimeBounds {
  #first = Infinity;
  #last = -Infinity;
  #clock: CaptureInterface | undefined;
  #hasTimes = false;
  #firstHigh = 0;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;

  /** The interface whose clock the next times are of. */
  useClock(clock: CaptureInterface): void {
    this.#convert();
    this.#clock = clock;
  }

  add(high: number, low: number): void {
    if (!this.#hasTimes) {
      this.#hasTimes = true;
      this.#firstHigh = this.#lastHigh = high;
      this.#firstLow = this.#lastLow = low;
    } else if (high > this.#lastHigh || (high === this.#lastHigh && low > this.#lastLow)) {
      this.#lastHigh = high;
      this.#lastLow = low;
    } else if (high < this.#firstHigh || (high === this.#firstHigh && low < this.#firstLow)) {
      this.#firstHigh = high;
      this.#firstLow = low;
    }
  }

  /** Microseconds since 1970; undefined without packets. */
  get first(): number | undefined {
    this.#convert();
    return this.#first === Infinity ? undefined : this.#first;
  }

  get last(): number | undefined {
    this.#convert();
    return this.#last === -Infinity ? undefined : this.#last;
  }

  #convert(): void {
    if (!this.#hasTimes || !this.#clock) return;
    this.#hasTimes = false;
    const first = withinDatabase(this.#clock.microseconds(this.#firstHigh, this.#firstLow));
    const last = withinDatabase(this.#clock.microseconds(this.#lastHigh, this.#lastLow));
    if (first < this.#first) this.#first = first;
    if (last > this.#last) this.#last = last;
  }
}
