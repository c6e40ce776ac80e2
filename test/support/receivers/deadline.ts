/** Waiting for what must happen, with an end. */
import { setTimeout } from "node:timers/promises";

/**
 * Resolves with the first value of `look` that is not undefined or false.
 * @throws after ten seconds, naming what did not happen.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`did not happen within 10 s: ${what}`);
    await setTimeout(5);
  }
}
