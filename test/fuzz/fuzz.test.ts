/** A short slice of `npm run fuzz`, so that every change meets some thousand hostile inputs. */
import { describe, expect, it } from "vitest";
import { IsolatedTshark } from "../support/tshark.ts";
import { dissectorSeeds, fuzzDissector } from "./dissector-target.ts";
import { runTarget, targets } from "./targets.ts";

describe("whatever the octets are", () => {
  for (const target of targets) {
    it(`${target.name}: ${target.promise}`, async () => {
      expect(await runTarget(target, { end: 20_000 / target.weight, seed: 20_261_122 })).toEqual([]);
    });
  }

  it("dissector: no Lua error, no bug of a dissector, no crash, and the decoder's marks", async () => {
    const tshark = await IsolatedTshark.create();
    try {
      const seeds = await dissectorSeeds();
      for (const number of [0, 1])
        expect(await fuzzDissector(tshark, seeds, { number, seed: 20_261_122, count: 500 })).toEqual([]);
    } finally {
      await tshark.close();
    }
  });
});
