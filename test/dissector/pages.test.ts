/** What the pages about Wireshark show is what Wireshark does: each filter is run, each output is made again. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateDissector } from "../../dissector/generate.ts";
import { analystCapture } from "../support/analyst-capture.ts";
import { taggedSamples } from "../support/tagged-samples.ts";
import { tutorialOutputs } from "../support/tutorial-outputs.ts";
import { defaultCodeBook, IsolatedTshark } from "../support/tshark.ts";
import { WiresharkInNode, wiresharksInNode } from "../support/wireshark-in-node.ts";

const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });
const root = new URL("../../", import.meta.url);
const sample = readFileSync(new URL("test/fixtures/small-company.pcapng", root));

function page(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

describe.each(wiresharksInNode)("the filter cookbook, in %s", (packageName) => {
  const rows = [...page("docs/how-to/filter-in-wireshark.md").matchAll(/^\| `(.+?)` \|.*\| (\d+|-) \|$/gm)];
  const filters = rows.map((row) => row[1] ?? "");
  let wireshark: WiresharkInNode;
  beforeAll(async () => {
    wireshark = await WiresharkInNode.create(packageName, lua);
  });

  test("every filter finds as many packets of the sample as the page says", () => {
    const found = wireshark.filter(sample, filters).map((frames) => frames.length);
    const said = rows.map((row) => (row[2] === "-" ? 0 : Number(row[2])));
    expect(Object.fromEntries(filters.map((filter, index) => [filter, found[index]]))).toEqual(
      Object.fromEntries(filters.map((filter, index) => [filter, said[index]])),
    );
    expect(filters.length).toBeGreaterThan(30);
  });

  test("those that find nothing there find what they are for elsewhere", () => {
    const others = filters.filter((_, index) => rows[index]?.[2] === "-");
    wireshark.prefer({ kinds: "253-254", keys: taggedSamples.keys });
    const captures = [analystCapture(), taggedSamples.capture];
    const found = captures.map((capture) => wireshark.filter(capture, others));
    for (const [index, filter] of others.entries())
      expect(
        found.some((ofCapture) => (ofCapture[index] ?? []).length > 0),
        filter,
      ).toBe(true);
  });
});

describe("the tutorial", () => {
  let tshark: IsolatedTshark;
  beforeAll(async () => {
    tshark = await IsolatedTshark.create(lua);
  });
  afterAll(async () => tshark.close());

  test("shows what tshark prints", async () => {
    const text = page("docs/tutorials/wireshark.md");
    expect(await tutorialOutputs(text, tshark, fileURLToPath(root))).toBe(text);
  });
});
