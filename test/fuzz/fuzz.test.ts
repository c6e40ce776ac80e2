/** A short slice of `npm run fuzz`, so that every change meets some thousand hostile inputs. */
import { describe, it } from "vitest";
import { runTarget, targets } from "./targets.ts";

describe("whatever the octets are", () => {
  for (const target of targets) {
    it(`${target.name}: ${target.promise}`, async () => {
      await runTarget(target, 20_000 / target.weight, 20_261_122);
    });
  }
});
