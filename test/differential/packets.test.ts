/** Every packet of the fixtures, and of captures that others made, as tshark reads it. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { IsolatedTshark } from "../support/tshark.ts";
import { compareWithTshark } from "./compare-with-tshark.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const shared = process.env["TATTLE_SHARED"] ?? join(root, "../shared");
const captures = join(shared, "captures");

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(() => tshark.close());

function listCaptures(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(pcap|pcapng|ntar|snoop|gz|1)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

describe("packet by packet as tshark reads them", () => {
  it.each(listCaptures(join(root, "test/fixtures")).map((path) => [basename(path), path]))(
    "%s",
    async (_name, path) => {
      expect((await compareWithTshark(tshark, path)).unexplained).toEqual([]);
    },
  );

  it(
    existsSync(captures)
      ? "captures that others made"
      : `captures that others made (not run: no folder ${captures})`,
    { timeout: 600_000 },
    async () => {
      if (!existsSync(captures)) return console.warn(`not compared: no folder ${captures}`);
      let packets = 0;
      const unexplained: string[] = [];
      for (const path of listCaptures(captures)) {
        const result = await compareWithTshark(tshark, path);
        packets += result.packets;
        unexplained.push(...result.unexplained);
      }
      expect(unexplained).toEqual([]);
      expect(packets).toBeGreaterThan(30_000);
    },
  );
});
