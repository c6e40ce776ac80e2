import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { generatedPages, pageLocation } from "../../docs/generate.ts";

describe("generated reference pages are current (npm run docs renews them)", () => {
  test.each([...generatedPages()])("%s", (name, text) => {
    expect(readFileSync(pageLocation(name), "utf8")).toBe(text);
  });
});
