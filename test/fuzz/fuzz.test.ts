/** A short slice of `npm run fuzz`, so that every change meets some thousand hostile inputs. */
import { describe, expect, it } from "vitest";
import { runTarget, targets } from "./targets.ts";

describe("whatever the octets are", () => {
  for (const target of targets) {
    it(`${target.name}: ${target.promise}`, async () => {
      expect(await runTarget(target, { end: 20_000 / target.weight, seed: 20_261_122 })).toEqual([]);
    });
  }
});
