import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "../../../live-agent/notify/journal.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function replayed(path: string): { entries: unknown[]; damaged: number } {
  const entries: unknown[] = [];
  const journal = new Journal(path, (entry) => entries.push(entry));
  journal.close();
  return { entries, damaged: journal.damagedLines };
}

test("gives back what was appended, in order, to nobody but its owner", () => {
  const path = join(folder, "log");
  const journal = new Journal(path, () => undefined);
  for (const entry of [{ a: 1 }, { b: "zwei\nZeilen" }, { c: "\u2028" }]) journal.append(entry);
  journal.close();
  expect(replayed(path)).toEqual({ entries: [{ a: 1 }, { b: "zwei\nZeilen" }, { c: "\u2028" }], damaged: 0 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("cut anywhere, it gives back every entry before the cut, and takes new ones", () => {
  const path = join(folder, "log");
  const entries = fc.array(fc.record({ text: fc.string({ unit: "binary", maxLength: 40 }) }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(entries, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      rmSync(path, { force: true });
      const journal = new Journal(path, () => undefined);
      const ends = values.map((value) => {
        journal.append(value);
        return statSync(path).size;
      });
      journal.close();
      const cut = Math.floor(share * statSync(path).size);
      truncateSync(path, cut);
      const whole = JSON.parse(JSON.stringify(values.slice(0, ends.filter((end) => end <= cut).length)));
      expect(replayed(path).entries).toEqual(whole);
      const again = new Journal(path, () => undefined);
      again.append({ later: true });
      again.close();
      expect(replayed(path)).toEqual({ entries: [...whole, { later: true }], damaged: 0 });
    }),
    { numRuns: 200 },
  );
});

test("a damaged line is counted and left out; the others are read", () => {
  const path = join(folder, "log");
  const journal = new Journal(path, () => undefined);
  for (const entry of [{ a: 1 }, { b: 2 }, { c: 3 }]) journal.append(entry);
  journal.close();
  writeFileSync(path, readFileSync(path, "utf8").replace('"b":2', '"b":7'));
  expect(replayed(path)).toEqual({ entries: [{ a: 1 }, { c: 3 }], damaged: 1 });
});

test("rewritten, it holds what it was given, and goes on", () => {
  const path = join(folder, "log");
  const journal = new Journal(path, () => undefined);
  for (let index = 0; index < 100; index++) journal.append({ index });
  expect(journal.rewrite([{ sum: 4950 }])).toBe(true);
  journal.append({ index: 100 });
  expect(journal.octets).toBe(statSync(path).size);
  journal.close();
  expect(replayed(path).entries).toEqual([{ sum: 4950 }, { index: 100 }]);
});

test("what a crash left beside a log that was being rewritten does not count", () => {
  const path = join(folder, "log");
  const journal = new Journal(path, () => undefined);
  journal.append({ a: 1 });
  journal.close();
  appendFileSync(`${path}.new`, "half of a new l");
  expect(replayed(path).entries).toEqual([{ a: 1 }]);
});
