import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { luaString, luaTable } from "../../dissector/lua-literal.ts";

/** What Lua makes of an expression that gives a string. */
function evaluate(expression: string): string {
  return execFileSync("lua5.2", ["-e", `io.write(${expression})`], { encoding: "utf8" });
}

describe("luaString", () => {
  test.each([
    "plain",
    'a "quoted" word',
    "back\\slash",
    "ends in \\",
    "]]--[[",
    "100 %",
    "line\nbreak\r\t\0 1",
    "漏洩 é 🦠",
    "",
  ])("%j means the same to Lua", (text) => {
    expect(evaluate(luaString(text))).toBe(text);
  });

  test("writes printable ASCII only, and a digit behind an escape is not taken for a part of it", () => {
    expect(luaString("\n1é")).toBe('"\\0101\\195\\169"');
  });

  test("code cannot leave the string", () => {
    expect(evaluate(luaString('"..os.exit(1).."'))).toBe('"..os.exit(1).."');
  });
});

describe("luaTable", () => {
  test("lists, maps and names", () => {
    expect(luaTable({ kinds: [253, 254], names: new Map([[0, "a"]]), absent: undefined, is: true })).toBe(
      '{\n  kinds = { 253, 254 },\n  names = { [0] = "a" },\n  is = true,\n}',
    );
  });

  test("names that Lua does not take are quoted", () => {
    expect(luaTable({ end: 1, "two words": 2, goto: 3 })).toBe(
      '{\n  ["end"] = 1,\n  ["two words"] = 2,\n  ["goto"] = 3,\n}',
    );
  });

  test("an empty table", () => {
    expect(luaTable([])).toBe("{}");
  });

  test("refuses fractions, which the Luas print differently", () => {
    expect(() => luaTable([1.5])).toThrow(new RangeError("1.5 is no whole number"));
  });
});
