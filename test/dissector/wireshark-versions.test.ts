/**
 * The same file in every Wireshark: what the machine's tshark shows and finds, Wireshark 4.0 (Lua 5.2) and 4.4 (Lua 5.4)
 * show and find. `npm run test:wireshark-matrix` adds those that Debian has.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateDissector } from "../../dissector/generate.ts";
import { analystCapture, analystFilters } from "../support/analyst-capture.ts";
import { taggedCapture, tagVectors } from "../support/tag-vectors.ts";
import { defaultCodeBook, IsolatedTshark, withoutReassembly } from "../support/tshark.ts";
import { WiresharkInNode, wiresharksInNode } from "../support/wireshark-in-node.ts";
import {
  detailsFromPdml,
  matrixArguments,
  matrixCapture,
  matrixPreferences,
} from "../support/wireshark-matrix.ts";

const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });

let native: IsolatedTshark;
let capture: Uint8Array;
let shownByTshark: unknown;
beforeAll(async () => {
  native = await IsolatedTshark.create(lua);
  capture = await matrixCapture();
  const path = await native.save("matrix.pcapng", capture);
  const { output } = await native.read(path, ["-T", "pdml", ...withoutReassembly, ...matrixArguments]);
  shownByTshark = detailsFromPdml(output);
});
afterAll(async () => native.close());

describe.each(wiresharksInNode)("%s", (packageName) => {
  let wireshark: WiresharkInNode;
  beforeAll(async () => {
    wireshark = await WiresharkInNode.create(packageName, lua);
    wireshark.prefer(matrixPreferences);
    wireshark.leaveFragments();
  });

  test("shows what tshark shows, line for line", () => {
    const details = wireshark.details(capture);
    expect(Object.keys(details).length).toBeGreaterThan(50);
    expect(details).toEqual(shownByTshark);
  });

  test("finds the same packets by every filter", () => {
    const found = wireshark.filter(
      analystCapture(),
      analystFilters.map(([expression]) => expression),
    );
    expect(found).toEqual(analystFilters.map(([, frames]) => frames));
  });

  test("verifies the tags of the reference", () => {
    const [verified] = wireshark.filter(taggedCapture(), ['tattle.tag.status == "verified"']);
    expect(verified).toEqual(tagVectors.map((_, index) => index + 1));
  });

  test("has nothing to complain about", () => {
    expect(wireshark.complaints).toEqual([]);
  });
});
