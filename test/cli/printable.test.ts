import { describe, expect, test } from "vitest";
import { formatCsv } from "../../cli/csv.ts";
import { displayWidth, printable, printableJson, truncate } from "../../cli/printable.ts";
import { formatTable } from "../../cli/text-table.ts";

describe("text from captures never reaches the terminal raw", () => {
  test("an escape sequence that would clear the screen is shown, not obeyed", () => {
    expect(printable("host\u001b[2Jname")).toBe("host\\u{1b}[2Jname");
  });

  test("C1 controls, bidirectional overrides, line separators and lone surrogates are shown", () => {
    expect(printable("a\u009bb\u202ec\u2028d\ud800e\u007ff\ng")).toBe(
      "a\\u{9b}b\\u{202e}c\\u{2028}d\\u{d800}e\\u{7f}f\\u{a}g",
    );
  });

  test("letters of any script, combining marks and emoji stay as they are", () => {
    expect(printable("漏洩 é नमस्ते 🦀")).toBe("漏洩 é नमस्ते 🦀");
  });

  test("JSON stays JSON of the same value, without a control character", () => {
    const value = { name: "a\u009b\u202e\u001b\u{e0001}\u2028z" };
    const text = printableJson(value);
    expect(text).not.toMatch(/[^\P{C}\n]|\u2028/u);
    expect(JSON.parse(text)).toEqual(value);
  });

  test("a table escapes its cells before it measures them", () => {
    expect(formatTable([{ title: "Host" }, { title: "N" }], [["\u001b[31mx", "1"]])).toBe(
      "Host         N\n\\u{1b}[31mx  1\n",
    );
  });
});

describe("widths", () => {
  test("East Asian characters take two columns, combining marks none", () => {
    expect(displayWidth("漏洩")).toBe(4);
    expect(displayWidth("e\u0301")).toBe(1);
  });

  test("a cut text ends with an ellipsis and fits", () => {
    expect(truncate("漏洩漏洩", 5)).toBe("漏洩…");
    expect(truncate("short", 5)).toBe("short");
  });
});

describe("CSV", () => {
  test("formulas are defused, quotes doubled, lines end with CR LF", () => {
    expect(
      formatCsv(
        ["name", "count"],
        [
          ['=HYPERLINK("x")', 1],
          ["+1", -2],
          ["@a", undefined],
          ["-b,c", true],
          ["plain", 0.5],
        ],
      ),
    ).toBe('name,count\r\n"\'=HYPERLINK(""x"")",1\r\n\'+1,-2\r\n\'@a,\r\n"\'-b,c",true\r\nplain,0.5\r\n');
  });

  test("a tab or line end in front of a formula does not hide it", () => {
    expect(formatCsv(["a"], [["\t=1"], [" =1"]])).toBe("a\r\n\\u{9}=1\r\n' =1\r\n");
  });
});
